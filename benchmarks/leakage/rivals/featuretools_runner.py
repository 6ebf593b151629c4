"""Featuretools 1.31 on the battery.

default  What its guide "Handling time" shows: the time index is the time at which a row became known; cutoff times; every
         switch as it ships; windows by ``training_window``. Spells come as one row per day.
best     ``include_cutoff_time=False``; versions of a spell as children of the spell, so that LAST takes the version known
         last; three primitives of our own that clip a spell at the cutoff time (``uses_calc_time``, from the guide on
         custom primitives); ``secondary_time_index`` for the day on which a lab result became known; local dates.
"""

from __future__ import annotations

from typing import Any, ClassVar

import featuretools as ft
import pandas as pd
from featuretools.primitives import Count, Last, Max, Min, Sum, TimeSince, TimeSinceLast, TransformPrimitive
from rows import DAY, NOT_OFFERED, Task, absent_days, answer_all, labs, local_dates, number, spells, surveys, utc_times
from woodwork.column_schema import ColumnSchema
from woodwork.logical_types import Datetime, Double

DATE = ColumnSchema(logical_type=Datetime)
NUMBER = ColumnSchema(semantic_tags={"numeric"})
TEXTS = {"person_id": "Categorical"}


class DaysOfSpell(TransformPrimitive):
    """Days of a spell in [cutoff - days, cutoff)."""

    name = "days_of_spell"
    input_types: ClassVar = [DATE, DATE, NUMBER]
    return_type = ColumnSchema(logical_type=Double, semantic_tags={"numeric"})
    uses_calc_time = True

    def __init__(self, days: int = 365):
        self.days = days

    def get_function(self):
        """Clip at both ends of the window."""

        def days_of_spell(first, last, is_deleted, time=None):
            begin = pd.to_datetime(first).clip(lower=time - self.days * DAY)
            end = (pd.to_datetime(last) + DAY).clip(upper=time)
            return ((end - begin) / DAY).clip(lower=0).where(is_deleted == 0)

        return days_of_spell


class DaysSinceSpell(DaysOfSpell):
    """Days from the last day of a spell before the cutoff to the cutoff."""

    name = "days_since_spell"

    def get_function(self):
        """Clip at the day before the cutoff."""

        def days_since_spell(first, last, is_deleted, time=None):
            begun = (pd.to_datetime(first) < time) & (is_deleted == 0)
            return ((time - pd.to_datetime(last).clip(upper=time - DAY)) / DAY).where(begun)

        return days_since_spell


class IsRunning(DaysOfSpell):
    """1 if a spell covers the day before the cutoff and goes on."""

    name = "is_running"

    def get_function(self):
        """Compare with the cutoff."""

        def is_running(first, last, is_deleted, time=None):
            goes_on = (pd.to_datetime(first) < time) & (pd.to_datetime(last) >= time) & (is_deleted == 0)
            return goes_on.astype(float)

        return is_running


class StartsOfSpell(DaysOfSpell):
    """1 if a spell begins in [cutoff - days, cutoff)."""

    name = "starts_of_spell"

    def get_function(self):
        """Compare with the cutoff."""

        def starts_of_spell(first, last, is_deleted, time=None):
            first = pd.to_datetime(first)
            return ((first >= time - self.days * DAY) & (first < time) & (is_deleted == 0)).astype(float)

        return starts_of_spell


def with_persons(frame: pd.DataFrame, name: str, **options: Any) -> ft.EntitySet:
    """Return an entity set of persons and one table that belongs to them."""
    persons = pd.DataFrame({"person_id": frame["person_id"].unique()})
    entities = ft.EntitySet()
    entities.add_dataframe(dataframe_name="persons", dataframe=persons, index="person_id", logical_types=TEXTS)
    entities.add_dataframe(
        dataframe_name=name, dataframe=frame, index="row", make_index=True, logical_types=TEXTS, **options
    )
    return entities.add_relationship("persons", "person_id", name, "person_id")


def calculated(entities: ft.EntitySet, features: dict[str, Any], task: Task, **options: Any) -> dict[str, Any]:
    """Calculate features of the person at the cutoff time."""
    matrix = ft.calculate_feature_matrix(
        list(features.values()),
        entities,
        cutoff_time=pd.DataFrame({"person_id": [task["person"]], "time": [pd.Timestamp(task["t"])]}),
        **options,
    )
    return {name: number(value) for name, value in zip(features, matrix.iloc[0], strict=True)}


def absence_by_default(task: Task) -> dict[str, Any]:
    """Count the rows of days in each window."""
    days = absent_days(task["rows"])
    columns = ["person_id", "available", "absent", "is_first"]
    entities = with_persons(days[columns], "days", time_index="available")
    entities.add_last_time_indexes()
    rows = {name: ft.Feature(entities["days"].ww[name]) for name in ("row", "is_first", "available")}
    answers = {}
    for name in task["names"]:
        primitive, base, window = {
            "days_doctor_30": (Count, "row", "30 days"),
            "days_doctor_365": (Count, "row", "365 days"),
            "starts_doctor_365": (Sum, "is_first", "365 days"),
            "days_since_doctor": (TimeSinceLast(unit="days"), "available", None),
        }.get(name, (None, None, None))
        if primitive is None:
            answers[name] = NOT_OFFERED
            continue
        feature = ft.Feature(rows[base], parent_dataframe_name="persons", primitive=primitive)
        answers |= calculated(entities, {name: feature}, task, training_window=window)
    return answers


def absence_at_best(task: Task) -> dict[str, Any]:
    """Take the version of each spell known last, clip it at the cutoff, add up over spells."""
    versions = spells(task["rows"])
    people = versions[["spell", "person_id"]].drop_duplicates()
    entities = ft.EntitySet()
    persons = pd.DataFrame({"person_id": people["person_id"].unique()})
    entities.add_dataframe(dataframe_name="persons", dataframe=persons, index="person_id", logical_types=TEXTS)
    entities.add_dataframe(dataframe_name="spells", dataframe=people, index="spell", logical_types=TEXTS)
    entities.add_dataframe(
        dataframe_name="versions",
        dataframe=versions.drop(columns="person_id"),
        index="row",
        make_index=True,
        time_index="known_from",
        logical_types={"spell": "Categorical", "is_deleted": "Double"},
    )
    entities.add_relationship("persons", "person_id", "spells", "person_id")
    entities.add_relationship("spells", "spell", "versions", "spell")
    latest = [
        ft.Feature(ft.Feature(entities["versions"].ww[name]), parent_dataframe_name="spells", primitive=Last)
        for name in ("first_day", "last_day", "is_deleted")
    ]
    made = {
        "days_doctor_30": (DaysOfSpell(30), Sum),
        "days_doctor_365": (DaysOfSpell(365), Sum),
        "starts_doctor_365": (StartsOfSpell(365), Sum),
        "days_since_doctor": (DaysSinceSpell(), Min),
        "running_doctor": (IsRunning(), Max),
    }
    features = {}
    for name in task["names"]:
        of_spell, over_spells = made[name]
        of_spells = ft.Feature(latest, primitive=of_spell)
        features[name] = ft.Feature(of_spells, parent_dataframe_name="persons", primitive=over_spells)
    return calculated(entities, features, task, include_cutoff_time=False)


def survey(setting: str, task: Task) -> dict[str, Any]:
    """Take the latest score, and the days since it was answered."""
    scores = surveys(task["rows"], utc_times if setting == "default" else local_dates)
    entities = with_persons(scores, "surveys", time_index="known_from")
    columns = {name: ft.Feature(entities["surveys"].ww[name]) for name in ("score", "answered_on")}
    age = ft.Feature(columns["answered_on"], primitive=TimeSince(unit="days"))
    bases = {"who5_wellbeing": columns["score"], "who5_age_days": age}
    features = {
        name: ft.Feature(bases[name], parent_dataframe_name="persons", primitive=Last) for name in task["names"]
    }
    return calculated(entities, features, task, **({} if setting == "default" else {"include_cutoff_time": False}))


def lab(setting: str, task: Task) -> dict[str, Any]:
    """Take the latest value."""
    frame = labs(task["rows"])[["person_id", "sampled_on", "known_from", "value"]]
    if setting == "default":
        entities = with_persons(frame, "labs", time_index="known_from")
        options = {}
    else:
        known = {"known_from": ["value"]}
        entities = with_persons(frame, "labs", time_index="sampled_on", secondary_time_index=known)
        options = {"include_cutoff_time": False}
    base = ft.Feature(entities["labs"].ww["value"])
    latest = ft.Feature(base, parent_dataframe_name="persons", primitive=Last)
    return calculated(entities, {"hba1c": latest}, task, **options)


def answer(setting: str, task: Task) -> dict[str, Any]:
    """Answer one task; labels and eligibility are not what Featuretools is for."""
    names = task["names"]
    if task["kind"] != "features":
        return dict.fromkeys(names, NOT_OFFERED)
    if names[0] == "hba1c":
        return lab(setting, task)
    if names[0].startswith("who5"):
        return survey(setting, task)
    return absence_by_default(task) if setting == "default" else absence_at_best(task)


if __name__ == "__main__":
    answer_all(answer, "featuretools")
