"""The fifteen predictors of the core model from the record of one person, in pandas.

The same definitions as ours (feature catalogue), written for one person at a time: no joins over persons, days as integers,
scoring keys merged in from a small table.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

_FIRST = dt.date(1970, 1, 1)
_DATES = {
    "known_from",
    "answered_on",
    "sampled_on",
    "first_day",
    "last_day",
    "start_date",
    "end_date",
    "given_on",
    "withdrawn_on",
}
_EDUCATION = {"basic": 1, "secondary": 2, "tertiary_short": 3, "tertiary_long": 4}
_PREGNANCY = ("W", "O")
_COLUMNS = {
    "consents": ["source", "purpose", "given_on", "withdrawn_on", "known_from", "is_deleted"],
    "employments": ["company_id", "position_percent", "shift_work", "start_date", "end_date", "known_from", "is_deleted"],
    "absence_spells": ["spell_id", "kind", "diagnosis", "first_day", "last_day", "known_from", "is_deleted"],
    "survey_answers": ["instrument", "item", "answer", "answered_on", "known_from", "is_deleted"],
    "lab_results": ["code_system", "code", "comparator", "value", "unit", "sampled_on", "known_from", "is_deleted"],
}  # fmt: skip


def day(text: str) -> int:
    """Return a date as days since 1970."""
    return (dt.date.fromisoformat(text) - _FIRST).days


def core_features(record: dict[str, Any], index_date: str, keys: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Return the core predictors at the morning of a day; what is not known is left out."""
    t = day(index_date)
    tables = {name: _table(record.get(name) or [], names) for name, names in _COLUMNS.items()}
    consents = _current(tables["consents"].query("purpose == 'risk_scoring'"), ["source", "given_on"], None)
    in_force = consents[(consents["given_on"] <= t) & ~(consents["withdrawn_on"] <= t)]["source"].unique()
    found = _about(record["person"], t)
    if "absence" in in_force and record.get("absence_spells") is not None:
        found |= _absence(tables["absence_spells"], t)
    if "survey" in in_force:
        found |= _survey(tables["survey_answers"], keys["scales"], t)
    if "lab" in in_force:
        found |= _body_mass(tables["lab_results"], keys["codes"], t)
    if "employment" in in_force:
        found |= _job(tables["employments"], t)
    return found


def _table(rows: list[dict[str, Any]], names: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=names)
    for name in _DATES.intersection(names):
        table[name] = table[name].map(day, na_action="ignore").astype(float)
    table["is_deleted"] = table["is_deleted"].eq(True)
    return table


def _current(rows: pd.DataFrame, fact: list[str], t: int | None) -> pd.DataFrame:
    """Return the version of each fact that was known last before ``t``, unless it is a deletion."""
    seen = rows if t is None else rows[rows["known_from"] < t]
    latest = seen.sort_values("known_from", kind="stable").drop_duplicates(fact, keep="last")
    return latest[~latest["is_deleted"]]


def _about(person: dict[str, Any], t: int) -> dict[str, float]:
    if day(person["known_from"]) >= t:
        return {}
    year = (_FIRST + dt.timedelta(days=t)).year
    found = {"age_years": year - person["birth_year"], "is_female": float(person["sex"] == "female")}
    education = _EDUCATION.get(person.get("education_level"))
    return found if education is None else found | {"education": education}


def _absence(spells: pd.DataFrame, t: int) -> dict[str, float]:
    known = _current(spells, ["spell_id"], t)
    known = known[(known["first_day"] < t) & ~known["diagnosis"].str.startswith(_PREGNANCY, na=False)]
    known = known.assign(last=known["last_day"].fillna(t - 1).clip(upper=t - 1))
    by_doctor = known["kind"] == "doctor_certified"
    doctor = _days(known[by_doctor])
    own = np.setdiff1d(_days(known[~by_doctor]), doctor)
    return {
        "days_doctor_365": float((doctor >= t - 365).sum()),
        "starts_doctor_730": float((_starts(doctor) >= t - 730).sum()),
        "starts_self_365": float((_starts(own) >= t - 365).sum()),
    }


def _days(spells: pd.DataFrame) -> np.ndarray:
    parts = [np.arange(first, last + 1) for first, last in zip(spells["first_day"], spells["last"], strict=True)]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0)


def _starts(days: np.ndarray) -> np.ndarray:
    return days[~np.isin(days - 1, days)]


def _survey(answers: pd.DataFrame, scales: pd.DataFrame, t: int) -> dict[str, float]:
    known = _current(answers[answers["answered_on"] < t], ["instrument", "item", "answered_on"], t)
    items = known.merge(scales, on=["instrument", "item"])
    items["points"] = items["answer"].where(items["mirror"].isna(), items["mirror"] - items["answer"])
    sums = items.groupby(["scale", "answered_on"], as_index=False).agg(
        total=("points", "sum"),
        answered=("points", "size"),
        fewest=("fewest_answers", "first"),
        factor=("factor", "first"),
    )
    scored = sums[sums["answered"] >= sums["fewest"]].sort_values("answered_on").drop_duplicates("scale", keep="last")
    return dict(zip(scored["scale"], scored["total"] * scored["factor"] / scored["answered"], strict=True))


def _body_mass(results: pd.DataFrame, codes: pd.DataFrame, t: int) -> dict[str, float]:
    known = _current(results[results["sampled_on"] < t], ["code_system", "code", "sampled_on"], t)
    measured = known.merge(
        codes[codes["analyte"].isin(["bmi", "height", "weight"])], on=["code_system", "code", "unit"]
    )
    measured = measured[measured["comparator"].isna()].sort_values(["sampled_on", "known_from"], kind="stable")
    measured = measured.assign(value=measured["value"] * measured["factor"] + measured["offset"])
    of = {
        name: measured[measured["analyte"] == name].set_index("sampled_on")["value"]
        for name in ("bmi", "height", "weight")
    }
    body_mass = of["bmi"][~of["bmi"].index.duplicated(keep="last")].to_dict()
    for on, weight in of["weight"].items():
        height = _nearest(of["height"], on)
        derived = np.nan if height is None else weight / (height / 100) ** 2
        if 12 <= derived <= 80:
            body_mass.setdefault(on, derived)
    return {"bmi": body_mass[max(body_mass)]} if body_mass else {}


def _nearest(heights: pd.Series, on: float) -> float | None:
    """Return the latest height by a day, else the first after it."""
    before, after = heights[heights.index <= on], heights[heights.index > on]
    return before.iloc[-1] if len(before) else after.iloc[0] if len(after) else None


def _job(jobs: pd.DataFrame, t: int) -> dict[str, float]:
    known = _current(jobs, ["company_id", "start_date"], t)
    held = known[(known["start_date"] <= t) & ~(known["end_date"] < t)]
    held = held.sort_values(["position_percent", "start_date", "company_id"], ascending=[False, True, True])
    works_shifts = held["shift_work"].iloc[0] if len(held) else None
    return {} if works_shifts is None else {"shift_work": float(works_shifts)}
