"""Count, sum and maximum over windows, and latest values, by Featuretools at one cutoff time.

Argument ``windows``: spells as point events, windows by ``training_window``: the quickest way, blind to corrected records.
Argument ``versions``: spells as in the battery's best setting, the version known last taken and clipped at the cutoff.
"""

from __future__ import annotations

import sys
from typing import Any

import featuretools as ft
import numpy as np
import pandas as pd
from featuretools.primitives import Count, Last, Max, Sum
from featuretools_runner import DaysOfSpell, StartsOfSpell
from timing import Columns, measured

EPOCH = pd.Timestamp("1970-01-01")


def days(numbers: np.ndarray) -> pd.DatetimeIndex:
    """Day numbers as timestamps."""
    return EPOCH + pd.to_timedelta(numbers, unit="D")


def ready(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return one data frame per kind of event."""
    by_doctor = arrays["spell_by_doctor"]
    spells = pd.DataFrame(
        {"person": arrays["spell_person"], "time": days(arrays["spell_first"]), "days": arrays["spell_days"]}
    )
    guidance = {"person": arrays["guidance_person"], "time": days(arrays["guidance_day"])}
    labs = {"person": arrays["lab_person"], "time": days(arrays["lab_day"])}
    labs |= dict(zip(arrays["latest"].tolist(), arrays["lab_values"].T, strict=True))
    surveys = {"person": arrays["survey_person"], "time": days(arrays["survey_day"]), "who5_wellbeing": arrays["who5"]}
    return {
        "t": days(arrays["t"]),
        "n": int(arrays["n"]),
        "windows": arrays["windows"].tolist(),
        "frames": {
            "doctor": spells[by_doctor].reset_index(drop=True),
            "self": spells[~by_doctor].reset_index(drop=True),
            "guidance": pd.DataFrame(guidance),
            "labs": pd.DataFrame(labs),
            "surveys": pd.DataFrame(surveys),
        },
    }


def entity_set(data: dict[str, Any]) -> ft.EntitySet:
    """Return persons with their events."""
    entities = ft.EntitySet()
    persons = pd.DataFrame({"person": np.arange(data["n"])})
    entities.add_dataframe(dataframe_name="persons", dataframe=persons, index="person")
    for name, frame in data["frames"].items():
        entities.add_dataframe(dataframe_name=name, dataframe=frame, index="row", make_index=True, time_index="time")
        entities.add_relationship("persons", "person", name, "person")
    entities.add_last_time_indexes()
    return entities


def feature(entities: ft.EntitySet, table: str, column: str, primitive: Any) -> Any:
    """Return a feature of persons over a column of their events."""
    return ft.Feature(ft.Feature(entities[table].ww[column]), parent_dataframe_name="persons", primitive=primitive)


def calculated(
    entities: ft.EntitySet, data: dict[str, Any], features: dict[str, Any], window: int | None = None
) -> Columns:
    """Calculate features of everybody at the cutoff time."""
    found = ft.calculate_feature_matrix(
        list(features.values()),
        entities,
        cutoff_time=data["t"],
        include_cutoff_time=False,
        training_window=f"{window} days" if window else None,
    ).sort_index()
    return {
        name: found[column].to_numpy(dtype=np.float64, na_value=np.nan)
        for name, column in zip(features, found, strict=True)
    }


def by_windows(data: dict[str, Any]) -> Columns:
    """Calculate one feature matrix per window, and one of latest values."""
    entities = entity_set(data)
    kinds = [
        (kind, *how)
        for kind in ("doctor", "self")
        for how in (("count", "row", Count), ("sum", "days", Sum), ("max", "days", Max))
    ]
    columns = latest_values(entities, data)
    for window in data["windows"]:
        windowed = {
            f"{table}_{name}_{window}": feature(entities, table, column, primitive)
            for table, name, column, primitive in (*kinds, ("guidance", "count", "row", Count))
        }
        columns |= calculated(entities, data, windowed, window)
    return columns


def latest_values(entities: ft.EntitySet, data: dict[str, Any]) -> Columns:
    """Calculate the latest results and the latest score."""
    values = [column for column in data["frames"]["labs"] if column not in ("person", "time", "row")]
    latest = {name: feature(entities, "labs", name, Last) for name in values}
    return calculated(entities, data, latest | {"who5_wellbeing": feature(entities, "surveys", "who5_wellbeing", Last)})


def by_versions(data: dict[str, Any]) -> Columns:
    """Calculate spells from their versions in one feature matrix, sessions per window, and latest values."""
    frames = dict(data["frames"])
    spells = {kind: frames.pop(kind) for kind in ("doctor", "self")}
    entities = entity_set(data | {"frames": frames})
    features = {}
    for kind, frame in spells.items():
        latest = latest_version(entities, kind, frame)
        for window in data["windows"]:
            days = ft.Feature(latest, primitive=DaysOfSpell(window))
            starts = ft.Feature(latest, primitive=StartsOfSpell(window))
            for name, base, primitive in (("count", starts, Sum), ("sum", days, Sum), ("max", days, Max)):
                over = ft.Feature(base, parent_dataframe_name="persons", primitive=primitive)
                features[f"{kind}_{name}_{window}"] = over
    columns = calculated(entities, data, features) | latest_values(entities, data)
    for window in data["windows"]:
        sessions = feature(entities, "guidance", "row", Count)
        columns |= calculated(entities, data, {f"guidance_count_{window}": sessions}, window)
    return columns


def latest_version(entities: ft.EntitySet, kind: str, frame: pd.DataFrame) -> list[Any]:
    """Add spells and their versions, and return what the version known last says."""
    people = pd.DataFrame({f"{kind}_spell": np.arange(len(frame)), "person": frame["person"]})
    versions = pd.DataFrame(
        {
            f"{kind}_spell": np.arange(len(frame)),
            "known_from": frame["time"],
            "first_day": frame["time"],
            "last_day": frame["time"] + pd.to_timedelta(frame["days"] - 1, unit="D"),
            "is_deleted": np.zeros(len(frame)),
        }
    )
    spells, rows = f"{kind}_spells", f"{kind}_versions"
    entities.add_dataframe(dataframe_name=spells, dataframe=people, index=f"{kind}_spell")
    entities.add_dataframe(
        dataframe_name=rows,
        dataframe=versions,
        index="row",
        make_index=True,
        time_index="known_from",
        logical_types={"is_deleted": "Double"},
    )
    entities.add_relationship("persons", "person", spells, "person")
    entities.add_relationship(spells, f"{kind}_spell", rows, f"{kind}_spell")
    return [
        ft.Feature(ft.Feature(entities[rows].ww[name]), parent_dataframe_name=spells, primitive=Last)
        for name in ("first_day", "last_day", "is_deleted")
    ]


if __name__ == "__main__":
    measured(ready, {"windows": by_windows, "versions": by_versions}[sys.argv[1]])
