"""Absence history and its patterns in pandas: interval unions per person and kind, the highest grade of every day."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
from pandas_tables import Persons, Tables, current, stretches

_KINDS = ("doctor", "self", "mental", "musculoskeletal", "respiratory", "other_diagnosis", "any")
_N, _DOCTOR, _LIFT = 8, 1000, 1 << 20
"""Kinds per person in a group number; what outranks every self-certified grade on the same day; persons apart by days."""
_WINDOWS = (30, 90, 180, 275, 365, 730)
_DAYS = {
    "doctor": (30, 90, 180, 365, 730),
    "self": (90, 365, 730),
    **dict.fromkeys(_KINDS[2:6], (365, 730)),
    "any": (365,),
}
_STARTS = {"doctor": (90, 365, 730), "self": (90, 365, 730), **dict.fromkeys(_KINDS[2:6], (365, 730)), "any": (365,)}
_LONGEST = {"doctor": (365, 730), "self": (365,), **dict.fromkeys(_KINDS[2:6], (730,)), "any": ()}
_UNKNOWN = [*(f"days_since_{kind}" for kind in _KINDS[:-1]), "gap_last_doctor", "gap_mean_doctor_730"]
_QUOTA_DAYS, _QUOTA_TIMES = 24, 4


def absence(tables: Tables, diagnoses: pd.DataFrame, persons: Persons, t: int) -> pd.DataFrame:
    """Return the features of absence history, everybody in order."""
    spells = _spells(tables, diagnoses, persons, t)
    pieces = _pieces(spells)
    rows = _all_stretches(spells, pieces)
    everybody = pd.RangeIndex(len(persons.ids))
    parts = [
        _totals(rows, t, everybody),
        _gaps(rows[rows["kind"] == 0], t),
        _weighted(pieces, t),
        _running(spells, rows, t),
    ]
    features = pd.concat([part.reindex(everybody) for part in parts], axis=1)
    features = persons.with_zeros(_with_combined(features), "absence", _UNKNOWN)
    day = (dt.date(1970, 1, 1) + dt.timedelta(days=t)).timetuple().tm_yday
    angle = 2 * math.pi * day / 365.25
    return features.assign(season_sin=np.float32(math.sin(angle)), season_cos=np.float32(math.cos(angle)))


def _spells(tables: Tables, diagnoses: pd.DataFrame, persons: Persons, t: int) -> pd.DataFrame:
    """Spells begun before t as known then, clipped to the days before t."""
    rows = persons.of_consenting(tables["absence_spells"], "absence")
    known = current(rows, ["person", "spell_id"], t)
    known = known[known["first_day"] < t]
    codes = diagnoses["diagnosis"] + "/" + diagnoses["diagnosis_system"].fillna("")
    chapter = dict(zip(codes, diagnoses["kind"].map(_KINDS.index), strict=True))
    told = known["diagnosis"].astype(str) + "/" + known["diagnosis_system"].astype(object).fillna("").astype(str)
    return pd.DataFrame(
        {
            "person": known["person"],
            "first": known["first_day"].astype(np.int64),
            "last": np.minimum(known["last_day"].fillna(t - 1), t - 1).astype(np.int64),
            "is_running": ~(known["last_day"] < t),
            "by_doctor": known["kind"] == "doctor_certified",
            "grade": known["grade_percent"].astype(np.int64),
            "chapter": told.map(chapter).fillna(_KINDS.index("other_diagnosis")).astype(np.int64),
        }
    ).reset_index(drop=True)


def _pieces(spells: pd.DataFrame) -> pd.DataFrame:
    """Split the days of a person into pieces of one certifier and grade: of several the highest, doctors first.

    Only spells that overlap another one are split; most stand alone.
    """
    lift = spells["person"] * _LIFT
    rows = pd.DataFrame(
        {
            "person": spells["person"],
            "cut": lift + spells["first"],
            "until": lift + spells["last"],
            "priority": spells["grade"] + _DOCTOR * spells["by_doctor"],
        }
    ).sort_values("cut")
    rows["cluster"] = (rows["cut"] > rows["until"].cummax().shift()).cumsum()
    is_alone = rows.groupby("cluster")["cut"].transform("size") == 1
    split = _split(rows[~is_alone])
    pieces = pd.concat([rows.loc[is_alone, split.columns], split], ignore_index=True)
    lift = pieces["person"] * _LIFT
    return pieces.assign(first=pieces["cut"] - lift, last=pieces["until"] - lift)


def _split(crowded: pd.DataFrame) -> pd.DataFrame:
    ends = crowded[["cluster"]].assign(cut=crowded["until"] + 1)
    cuts = pd.concat([crowded[["cluster", "cut"]], ends]).drop_duplicates().sort_values("cut")
    spans = cuts.assign(piece_until=cuts.groupby("cluster")["cut"].shift(-1) - 1).dropna()
    pairs = spans.rename(columns={"cut": "piece"}).merge(crowded, on="cluster")
    covered = pairs[(pairs["cut"] <= pairs["piece"]) & (pairs["piece"] <= pairs["until"])]
    found = covered.groupby(["person", "piece", "piece_until"], as_index=False, sort=False)["priority"].max()
    return found.rename(columns={"piece": "cut", "piece_until": "until"}).astype(np.int64)


def _all_stretches(spells: pd.DataFrame, pieces: pd.DataFrame) -> pd.DataFrame:
    """Stretches of every kind."""
    doctors = spells[spells["by_doctor"]]
    certifier = np.where(pieces["priority"] > _DOCTOR, 0, 1)
    group = [
        pieces["person"] * _N + certifier,
        doctors["person"] * _N + doctors["chapter"],
        spells["person"] * _N + _KINDS.index("any"),
    ]
    first, last = (pd.concat([pieces[name], doctors[name], spells[name]]) for name in ("first", "last"))
    rows = stretches(pd.concat(group), first, last)
    return rows.assign(person=rows["group"] // _N, kind=rows["group"] % _N)


def _inside(rows: pd.DataFrame, window: int, t: int) -> pd.Series:
    """Days of each stretch or piece inside the window before t."""
    return (rows["last"] + 1 - np.maximum(rows["first"], t - window)).clip(lower=0)


def _totals(rows: pd.DataFrame, t: int, everybody: pd.Index) -> pd.DataFrame:
    """Days, starts and longest stretches of every kind and window; days since the last."""
    days = pd.DataFrame({window: _inside(rows, window, t) for window in _WINDOWS})
    starts = pd.DataFrame({window: rows["first"] >= t - window for window in _WINDOWS})
    found: dict[str, pd.Series] = {}
    for place, kind in enumerate(_KINDS):
        of_kind = rows["kind"] == place
        person = rows.loc[of_kind, "person"]
        sums, longest, started = (
            days[of_kind].groupby(person).sum(),
            days.loc[of_kind, list(_LONGEST[kind])].groupby(person).max(),
            starts[of_kind].groupby(person).sum(),
        )
        found |= {f"days_{kind}_{window}": sums[window] for window in _DAYS[kind]}
        found |= {f"starts_{kind}_{window}": started[window] for window in _STARTS[kind]}
        found |= {f"longest_{kind}_{window}": longest[window] for window in _LONGEST[kind]}
        if kind == "any":
            found["days_any_same_season"] = sums[365] - sums[275]
            found["reaching_365"] = (rows.loc[of_kind, "last"] >= t - 365).groupby(person).sum()
        else:
            found[f"days_since_{kind}"] = t - rows.loc[of_kind, "last"].groupby(person).max()
        if kind in ("doctor", "self"):
            found[f"trend_days_{kind}"] = 2 * sums[365] - sums[730]
    return pd.DataFrame({name: column.reindex(everybody) for name, column in found.items()})


def _gaps(rows: pd.DataFrame, t: int) -> pd.DataFrame:
    """Days between consecutive doctor-certified stretches: the last gap, and the mean of those that end in the window."""
    gap = (rows["first"] - rows.groupby("person")["last"].shift() - 1).rename("gap")
    recent = gap.where(rows["first"] >= t - 730).groupby(rows["person"]).mean()
    last = gap[~rows["person"].duplicated(keep="last")].set_axis(rows["person"].drop_duplicates(keep="last"))
    return pd.DataFrame({"gap_last_doctor": last, "gap_mean_doctor_730": recent})


def _weighted(pieces: pd.DataFrame, t: int) -> pd.DataFrame:
    """Doctor-certified days weighted by grade."""
    rows = pieces[pieces["priority"] > _DOCTOR]
    grade = rows["priority"] - _DOCTOR
    return pd.DataFrame(
        {
            f"weighted_days_doctor_{window}": (grade * _inside(rows, window, t)).groupby(rows["person"]).sum() / 100
            for window in (365, 730)
        }
    )


def _running(spells: pd.DataFrame, rows: pd.DataFrame, t: int) -> pd.DataFrame:
    running = spells[spells["is_running"]]
    doctors, own = running[running["by_doctor"]], running[~running["by_doctor"]]
    so_far = rows[(rows["kind"] == 0) & (rows["last"] == t - 1)].set_index("person")["first"]
    grade = doctors.groupby("person")["grade"].max()
    return pd.DataFrame(
        {
            "running_doctor": pd.Series(1.0, index=grade.index),
            "running_self": pd.Series(1.0, index=own["person"].unique()),
            "running_days_doctor": t - so_far.reindex(grade.index),
            "running_grade": grade,
        }
    )


def _with_combined(features: pd.DataFrame) -> pd.DataFrame:
    """Add the features made of other features."""
    return features.assign(
        bradford_365=features["reaching_365"] ** 2 * features["days_any_365"],
        quota_days_used_365=(features["days_self_365"] / _QUOTA_DAYS).clip(upper=1),
        quota_times_used_365=(features["starts_self_365"] / _QUOTA_TIMES).clip(upper=1),
    ).drop(columns="reaching_365")
