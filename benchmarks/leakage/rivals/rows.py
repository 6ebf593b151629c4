"""What every rival is given: rows of the contract as plain data frames, and the talk with the scoreboard.

Runs in the environments of the rivals (pandas and the standard library only). Reshaping is done here, for all alike: a spell
becomes one row per day, five answers become a score, times become local dates. Nothing here looks at an index date: what is
known when is left to the tools.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pandas as pd

NOT_OFFERED = "not offered"
DAY = pd.Timedelta(days=1)

Rows = dict[str, list[dict]]
Task = dict[str, Any]
"""``rows``, ``kind``, ``person``, ``t``, ``names`` (features asked for), and ``outcomes`` for a label."""


def local_dates(texts: pd.Series) -> pd.Series:
    """Dates in Oslo, as a careful user loads them; a date without a time stays what it is."""
    return _times(texts).dt.normalize()


def utc_times(texts: pd.Series) -> pd.Series:
    """Times as they stand in the file, without their zone: what parsing alone gives."""
    return pd.to_datetime(texts, format="ISO8601", utc=True).dt.tz_localize(None)


def _times(texts: pd.Series) -> pd.Series:
    zoned = texts.str.endswith("Z")
    local = pd.to_datetime(texts.where(zoned), format="ISO8601", utc=True).dt.tz_convert("Europe/Oslo")
    return local.dt.tz_localize(None).fillna(pd.to_datetime(texts.where(~zoned), format="ISO8601"))


def spells(rows: Rows) -> pd.DataFrame:
    """One row per version of a spell."""
    found = pd.DataFrame(rows["absence_spells"])
    if "is_deleted" not in found:
        found["is_deleted"] = False
    dates = {name: pd.to_datetime(found[name]) for name in ("first_day", "last_day", "known_from")}
    deleted = found["is_deleted"].astype("boolean").fillna(False).astype(float)
    key = found["person_id"] + "/" + found["spell_id"]
    return found[["person_id"]].assign(spell=key, **dates, is_deleted=deleted)


def absent_days(rows: Rows) -> pd.DataFrame:
    """One row per day of every version of a spell; notices of deletion have no days.

    ``available`` is the day on which the row became true and known: the later of the two.
    """
    lived = spells(rows).query("is_deleted == 0")
    day = [pd.date_range(first, last) for first, last in zip(lived["first_day"], lived["last_day"], strict=True)]
    days = lived.assign(day=day).explode("day").reset_index(drop=True)
    days["day"] = pd.to_datetime(days["day"])
    days["is_first"] = (days["day"] == days["first_day"]).astype(float)
    days["absent"] = 1.0
    days["available"] = days[["day", "known_from"]].max(axis=1)
    return days[["person_id", "spell", "day", "known_from", "available", "absent", "is_first"]]


def surveys(rows: Rows, dates: Callable[[pd.Series], pd.Series]) -> pd.DataFrame:
    """One row per answered WHO-5, with its score; ``dates`` says how times are read."""
    found = pd.DataFrame(rows["survey_answers"])
    keys = ["person_id", "answered_on", "known_from"]
    scored = found.groupby(keys, sort=False)["answer"].sum().mul(4.0).rename("score").reset_index()
    return scored.assign(answered_on=dates(scored["answered_on"]), known_from=dates(scored["known_from"]))


def labs(rows: Rows) -> pd.DataFrame:
    """One row per HbA1c."""
    found = pd.DataFrame(rows["lab_results"])
    dates = {name: pd.to_datetime(found[name]) for name in ("sampled_on", "known_from")}
    known = pd.concat(dates, axis=1)
    return found[["person_id"]].assign(value=found["value"].astype(float), available=known.max(axis=1), **dates)


def number(value: Any) -> float | None:
    """Unknown as None."""
    return None if value is None or pd.isna(value) else float(value)


def answer_all(answer: Callable[[str, Task], dict[str, Any]], package: str) -> None:
    """Answer the tasks on standard input; the last line written is the reply."""
    warnings.simplefilter("ignore")
    tasks = json.load(sys.stdin)
    replies = [{setting: answer(setting, task) for setting in ("default", "best")} for task in tasks]
    print(json.dumps({"version": version(package), "answers": replies}))
