"""Life situation, job, workplace and the others at it, in pandas."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from pandas_tables import Persons, Tables, current, stretches

_EDUCATION = {"basic": 1, "secondary": 2, "tertiary_short": 3, "tertiary_long": 4}
_OCCUPATIONS = {"professional": (1, 3), "clerical": (4, 4), "service": (5, 5), "manual": (6, 9)}
_INDUSTRIES = {
    "manufacturing": (5, 39), "construction": (41, 43), "trade": (45, 47), "transport": (49, 53), "hospitality": (55, 56),
    "office": (58, 82), "public_administration": (84, 84), "education": (85, 85), "health_and_social": (86, 88),
}  # fmt: skip
_EVENTS = ("leader_change", "reorganisation", "downsizing", "intervention_session")
_FEWEST_OTHERS, _YEAR = 10, 365
MEASURES = {
    "days_doctor_365": "absence",
    "cbi_work": "survey",
    "who5_wellbeing": "survey",
    "was_work_ability": "survey",
    "shc_musculoskeletal": "survey",
}
"""What is told of the others at a workplace, and the source whose consent it needs."""


def people(tables: Tables, t: int) -> pd.DataFrame:
    """Birth year, sex and education as known at t, indexed by person."""
    known = current(tables["persons"], ["person"], t).set_index("person")
    return pd.DataFrame(
        {
            "birth_year": known["birth_year"],
            "is_female": (known["sex"] == "female").astype(np.int64),
            "education": known["education_level"].astype(object).map(_EDUCATION),
        }
    )


def life_situation(tables: Tables, persons: Persons, about: pd.DataFrame, t: int) -> list[pd.DataFrame]:
    """Return who the person is, and the guidance received."""
    year = (dt.date(1970, 1, 1) + dt.timedelta(days=t)).year
    facts = about[["education", "is_female"]].assign(age_years=year - about["birth_year"])
    sessions = persons.of_consenting(tables["guidance_sessions"], "survey")
    known = current(sessions, ["person", "domain", "held_on"], t)
    held = known[known["held_on"] < t]
    recent = held[held["held_on"] >= t - _YEAR]
    guidance = pd.DataFrame(
        {
            "guidance_sessions_365": recent.groupby("person").size(),
            "guidance_sessions_90": (held["held_on"] >= t - 90).groupby(held["person"]).sum(),
            "guidance_domains_365": recent.drop_duplicates(["person", "domain"]).groupby("person").size(),
            "days_since_guidance": t - held.groupby("person")["held_on"].max(),
        }
    )
    return [persons.in_order(facts), persons.with_zeros(guidance, "survey", ["days_since_guidance"])]


def jobs(tables: Tables, persons: Persons, t: int) -> pd.DataFrame:
    """Employments begun by t, as known then, the main job first: the largest on day t, then the earliest, then by company."""
    rows = persons.of_consenting(tables["employments"], "employment")
    known = current(rows[rows["start_date"] <= t], ["person", "company_id", "start_date"], t)
    known = known.assign(
        company_id=known["company_id"].astype(str),
        unit_id=known["unit_id"].astype(object),
        is_held=~(known["end_date"] < t),
    )
    order = ["person", "is_held", "position_percent", "start_date", "company_id"]
    return known.sort_values(order, ascending=[True, False, False, True, True])


def main_jobs(known: pd.DataFrame) -> pd.DataFrame:
    """Return the main job of everybody who has one, indexed by person."""
    return known[known["is_held"]].drop_duplicates("person").set_index("person")


def workplace(tables: Tables, persons: Persons, known: pd.DataFrame, main: pd.DataFrame, t: int) -> list[pd.DataFrame]:
    """Return the job on t and what happened at the workplace before."""
    held = known[known["is_held"]].groupby("person")["position_percent"].agg(["size", "sum"])
    counts = pd.DataFrame(
        {
            "employed": pd.Series(1.0, held.index),
            "n_jobs": held["size"],
            "position_percent": held["sum"].clip(upper=100),
        }
    )
    of_main = main[["shift_work", "is_leader"]].copy()
    codes = main["occupation_code"].astype(object).str[:1], main["industry_code"].astype(object).str[:2]
    for prefix, code, groups in zip(("occupation", "industry"), codes, (_OCCUPATIONS, _INDUSTRIES), strict=True):
        number = code.astype(float)
        for name, (low, high) in groups.items():
            of_main[f"{prefix}_{name}"] = number.between(low, high).astype(float).where(number.notna())
    of_main["tenure_years"] = _tenure(known, main, t)
    return [
        persons.with_zeros(counts, "employment", ["position_percent"]),
        persons.in_order(of_main.join(_events(tables, main, t))),
    ]


def _tenure(known: pd.DataFrame, main: pd.DataFrame, t: int) -> pd.Series:
    """Years of unbroken employment in the company of the main job."""
    same = known[known["company_id"].to_numpy() == main["company_id"].reindex(known["person"]).to_numpy()]
    unbroken = stretches(same["person"], same["start_date"], np.minimum(same["end_date"].fillna(t), t))
    unbroken = unbroken[unbroken["last"] == t].set_index("group")
    return (t - unbroken["first"]) / 365.25


def _events(tables: Tables, main: pd.DataFrame, t: int) -> pd.DataFrame:
    """Events in the company of the main job, in its unit or in all units."""
    events = tables["workplace_events"]
    known = current(events[events["occurred_on"] < t], ["company_id", "unit_id", "kind", "occurred_on"], t)
    known = pd.DataFrame(
        {
            "company_id": known["company_id"].astype(str),
            "event_unit": known["unit_id"].astype(object),
            "kind": known["kind"],
            "day": known["occurred_on"],
        }
    )
    pairs = main[["company_id", "unit_id"]].reset_index().merge(known, on="company_id")
    concerned = pairs[pairs["event_unit"].isna() | (pairs["event_unit"] == pairs["unit_id"])]
    recent = concerned[concerned["day"] >= t - _YEAR]
    found = pd.DataFrame(index=main.index)
    for kind in _EVENTS:
        count = recent[recent["kind"] == kind].groupby("person").size()
        found[f"events_{kind}_365"] = count.reindex(main.index).fillna(0)
    changes = concerned[concerned["kind"] == "leader_change"]
    found["days_since_leader_change"] = t - changes.groupby("person")["day"].max()
    return found


def context(own: pd.DataFrame) -> pd.DataFrame:
    """Return what the others at the workplace are like, without the person.

    Parameters
    ----------
    own : DataFrame
        Of everybody: company_id and unit_id of the main job (missing without), the measures (missing where they do not count)
        and the consents.

    Returns
    -------
    DataFrame
        float32, in the order of ``own``.
    """
    found = {}
    for name, level in (("company", ["company_id"]), ("unit", ["company_id", "unit_id"])):
        groups = own.groupby(level)
        for measure, source in MEASURES.items():
            mine = own[measure]
            others = groups[measure].transform("count") - mine.notna()
            mean = (groups[measure].transform("sum") - mine.fillna(0)) / others
            found[f"{name}_{measure}"] = mean.where((others >= _FEWEST_OTHERS) & own[source])
    others = own.groupby("company_id")["company_id"].transform("size") - 1
    found["company_persons"] = others.where(others >= _FEWEST_OTHERS)
    return pd.DataFrame(found).astype(np.float32)
