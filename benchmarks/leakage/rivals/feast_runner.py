"""Feast 0.67 on the battery.

default  What ``feast init`` sets up: an event timestamp and a created timestamp per row, an on-demand view for what depends on
         the moment of the request, ``get_historical_features`` with every switch as it ships, asked at midnight of t.
best     ``filter_by_created_timestamp=True``; asked at the last second of the day before t, since both limits are inclusive;
         local dates.

Feast returns the latest row per person, it does not aggregate: rows are versions of a spell, and the days of the latest spell
are counted in the on-demand view. That is the number asked for as long as a person has one spell, as everybody here has.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, UnixTimestamp
from rows import NOT_OFFERED, Task, answer_all, labs, local_dates, number, spells, surveys, utc_times

PERSON = Entity(name="person", join_keys=["person_id"])
REQUEST = RequestSource(name="request", schema=[Field(name="as_of", dtype=UnixTimestamp)])


def view(name: str, frame: pd.DataFrame, time: str, folder: Path) -> FeatureView:
    """Return a feature view of a Parquet file."""
    path = folder / f"{name}.parquet"
    frame.assign(event_timestamp=frame[time], created=frame["known_from"]).to_parquet(path)
    types = {"float64": Float64}
    values = [column for column in frame if column not in ("person_id", "spell", "known_from")]
    return FeatureView(
        name=name,
        entities=[PERSON],
        ttl=timedelta(days=3650),
        schema=[Field(name=column, dtype=types.get(str(frame[column].dtype), UnixTimestamp)) for column in values],
        source=FileSource(path=str(path), timestamp_field="event_timestamp", created_timestamp_column="created"),
    )


def absence_on_demand(source: FeatureView) -> Any:
    """Count the days of the latest spell at the moment of the request."""
    names = ("days_doctor_30", "days_doctor_365", "starts_doctor_365", "days_since_doctor", "running_doctor")

    @on_demand_feature_view(sources=[source, REQUEST], schema=[Field(name=name, dtype=Float64) for name in names])
    def absence(inputs: pd.DataFrame) -> pd.DataFrame:
        day = pd.Timedelta(days=1)
        t, first, last = (
            pd.to_datetime(inputs[name], utc=True).dt.tz_localize(None) for name in ("as_of", "first_day", "last_day")
        )
        lived = (inputs["is_deleted"] == 0) & (first < t)
        end = (last + day).where(last + day < t, t)
        found = pd.DataFrame(index=inputs.index)
        for days in (30, 365):
            begin = first.where(first > t - days * day, t - days * day)
            found[f"days_doctor_{days}"] = ((end - begin) / day).clip(lower=0).where(lived, 0.0)
        found["starts_doctor_365"] = (lived & (first >= t - 365 * day)).astype(float)
        found["days_since_doctor"] = ((t - end + day) / day).where(lived)
        found["running_doctor"] = (lived & (last >= t)).astype(float)
        return found

    return absence


def age_on_demand(source: FeatureView) -> Any:
    """Count the days since the latest answer."""

    @on_demand_feature_view(sources=[source, REQUEST], schema=[Field(name="who5_age_days", dtype=Float64)])
    def age(inputs: pd.DataFrame) -> pd.DataFrame:
        t, answered = (pd.to_datetime(inputs[name], utc=True).dt.normalize() for name in ("as_of", "answered_on"))
        return pd.DataFrame({"who5_age_days": (t - answered) / pd.Timedelta(days=1)})

    return age


def retrieved(setting: str, task: Task, folder: Path, objects: list[Any], features: list[str]) -> pd.Series:
    """Retrieve features of the person as of t."""
    store = FeatureStore(
        config=RepoConfig(
            project="battery",
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store={"type": "dask"},
            online_store={"type": "sqlite", "path": str(folder / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    store.apply([PERSON, *objects])
    t = pd.Timestamp(task["t"])
    asked_at, switches = t, {}
    if setting == "best":
        asked_at, switches = t - pd.Timedelta(seconds=1), {"filter_by_created_timestamp": True}
    # The bystander is asked for too: its Dask store fails where nobody has any row.
    entities = pd.DataFrame({"person_id": [task["person"], "z"], "event_timestamp": asked_at, "as_of": t})
    found = store.get_historical_features(entity_df=entities, features=features, **switches).to_df()
    # It returns no line for a person whose only rows are later than asked for: unknown, as for one without rows.
    lines = found[found["person_id"] == task["person"]]
    return lines.iloc[0] if len(lines) else pd.Series(dtype=float)


def answer(setting: str, task: Task) -> dict[str, Any]:
    """Answer one task; Feast has no labels, and no rules for the rows themselves."""
    names = task["names"]
    if task["kind"] != "features":
        return dict.fromkeys(names, NOT_OFFERED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if names[0] == "hba1c":
            frame = labs(task["rows"])[["person_id", "sampled_on", "known_from", "value"]]
            rows = view("labs", frame, "sampled_on", folder)
            found = retrieved(setting, task, folder, [rows], ["labs:value"]).rename({"value": "hba1c"})
        elif names[0].startswith("who5"):
            frame = surveys(task["rows"], utc_times if setting == "default" else local_dates)
            rows = view("surveys", frame, "answered_on", folder)
            wanted = ["surveys:score", "age:who5_age_days"]
            found = retrieved(setting, task, folder, [rows, age_on_demand(rows)], wanted)
            found = found.rename({"score": "who5_wellbeing"})
        else:
            rows = view("versions", spells(task["rows"]), "first_day", folder)
            wanted = [f"absence:{name}" for name in names]
            found = retrieved(setting, task, folder, [rows, absence_on_demand(rows)], wanted)
    return {name: number(found.get(name)) for name in names}


if __name__ == "__main__":
    answer_all(answer, "feast")
