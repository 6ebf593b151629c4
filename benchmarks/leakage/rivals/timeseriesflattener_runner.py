"""timeseriesflattener 2.5 on the battery.

default  What its tutorial shows: a value's timestamp is the day it happened; a look-behind or look-ahead is one distance.
         Spells come as one row per day.
best     The timestamp is the later of the day it happened and the day it was known; identical rows are dropped beforehand;
         look-behind from 1 to 365 days, since both ends are included; local dates; labels by the first version's interface
         (still in the package), which can drop prediction times whose look-ahead runs past the newest outcome.
"""

from __future__ import annotations

import contextlib
import io
from datetime import timedelta
from typing import Any

import pandas as pd
import polars as pl
import timeseriesflattener as tsf
from rows import NOT_OFFERED, Task, absent_days, answer_all, labs, local_dates, number, surveys, utc_times
from timeseriesflattener import v1
from timeseriesflattener.aggregators import LatestAggregator
from timeseriesflattener.v1.aggregation_fns import maximum

HORIZON = 365


def flattened(task: Task, spec: Any) -> float | None:
    """Flatten one specification for one person at one prediction time."""
    moments = pl.DataFrame({"person_id": [task["person"]], "t": [pd.Timestamp(task["t"]).to_pydatetime()]})
    frame = tsf.PredictionTimeFrame(init_df=moments, entity_id_col_name="person_id", timestamp_col_name="t")
    with contextlib.redirect_stdout(io.StringIO()):  # it reports progress
        result = tsf.Flattener(predictiontime_frame=frame).aggregate_timeseries(specs=[spec]).df
    (column,) = (
        name for name in result.columns if name.startswith(("pred_", "outc_")) and name != "prediction_time_uuid"
    )
    return number(result[column][0])


def values(frame: pd.DataFrame, time: str, value: str) -> tsf.ValueFrame:
    """Return a column of values with its timestamps."""
    table = pl.DataFrame({name: frame[name].to_list() for name in ("person_id", time, value)})
    return tsf.ValueFrame(init_df=table, entity_id_col_name="person_id", value_timestamp_col_name=time)


def behind(setting: str, days: int) -> list[Any]:
    """Return the look-behind of a window of days."""
    return [timedelta(days=days)] if setting == "default" else [(timedelta(days=1), timedelta(days=days))]


def absence(setting: str, task: Task) -> dict[str, Any]:
    """Add up rows of days."""
    days, time = absent_days(task["rows"]), "day"
    if setting == "best":
        days, time = days.drop_duplicates(), "available"
    asked = {
        "days_doctor_30": ("absent", 30),
        "days_doctor_365": ("absent", 365),
        "starts_doctor_365": ("is_first", 365),
    }
    return {
        name: flattened(
            task,
            tsf.PredictorSpec(
                value_frame=values(days, time, asked[name][0]),
                lookbehind_distances=behind(setting, asked[name][1]),
                aggregators=[tsf.SumAggregator()],
                fallback=0,
            ),
        )
        if name in asked
        else NOT_OFFERED
        for name in task["names"]
    }


def latest(setting: str, task: Task, frame: pd.DataFrame, time: str, value: str) -> float | None:
    """Take the latest value of two years."""
    spec = tsf.PredictorSpec(
        value_frame=values(frame, time, value),
        lookbehind_distances=behind(setting, 730),
        aggregators=[LatestAggregator(timestamp_col_name=time)],
        fallback=float("nan"),
    )
    return flattened(task, spec)


def survey(setting: str, task: Task) -> dict[str, Any]:
    """Take the latest score; the age of an answer is not among the aggregators."""
    scores = surveys(task["rows"], utc_times if setting == "default" else local_dates)
    time = "answered_on" if setting == "default" else "known_from"
    score = {"who5_wellbeing": latest(setting, task, scores, time, "score")}
    return {name: score.get(name, NOT_OFFERED) for name in task["names"]}


def lab(setting: str, task: Task) -> dict[str, Any]:
    """Take the latest value."""
    time = "sampled_on" if setting == "default" else "available"
    return {"hba1c": latest(setting, task, labs(task["rows"]), time, "value")}


def label(setting: str, task: Task) -> dict[str, Any]:
    """Say whether an episode begins in the look-ahead; who may be asked about is up to the user."""
    if str(task["expected"]["label"]).startswith("not eligible"):
        return {"label": NOT_OFFERED}
    episodes = pd.DataFrame(task["outcomes"], columns=["person_id", "first_day"])
    episodes["first_day"] = pd.to_datetime(episodes["first_day"])
    return {"label": label_of_version_2(task, episodes) if setting == "default" else label_of_version_1(task, episodes)}


def label_of_version_2(task: Task, episodes: pd.DataFrame) -> float | None:
    """Look ahead one distance."""
    columns = {name: episodes[name].to_list() for name in episodes}
    frame = tsf.TimestampValueFrame(
        init_df=pl.DataFrame(columns), entity_id_col_name="person_id", value_timestamp_col_name="first_day"
    )
    ahead = [timedelta(days=HORIZON)]
    spec = tsf.BooleanOutcomeSpec(
        init_frame=frame, lookahead_distances=ahead, aggregators=[tsf.MaxAggregator()], output_name="episode"
    )
    return flattened(task, spec)


def label_of_version_1(task: Task, episodes: pd.DataFrame) -> float | str:
    """Look ahead to the last day of the horizon, and drop prediction times whose look-ahead runs past the data."""
    moments = pd.DataFrame({"entity_id": [task["person"]], "timestamp": [pd.Timestamp(task["t"])]})
    found = episodes.rename(columns={"person_id": "entity_id", "first_day": "timestamp"}).assign(value=1)
    flattener = v1.TimeseriesFlattener(
        prediction_times_df=moments, drop_pred_times_with_insufficient_look_distance=True, cache=None
    )
    spec = v1.OutcomeSpec(
        timeseries_df=found,
        feature_base_name="episode",
        lookahead_days=(-1, HORIZON - 1),  # this interface leaves the nearer end out
        aggregation_fn=maximum,
        fallback=0,
        incident=False,
    )
    flattener.add_spec(spec)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = flattener.get_df()
    except ValueError as error:  # how it says that nobody is left
        if "No records left" not in str(error):
            raise
        return "left out: label not mature"
    (column,) = (name for name in result.columns if name.startswith("outc_"))
    return float(result[column].iloc[0])


def answer(setting: str, task: Task) -> dict[str, Any]:
    """Answer one task."""
    if task["kind"] == "label":
        return label(setting, task)
    if task["kind"] != "features":
        return dict.fromkeys(task["names"], NOT_OFFERED)
    if task["names"][0] == "hba1c":
        return lab(setting, task)
    return survey(setting, task) if task["names"][0].startswith("who5") else absence(setting, task)


if __name__ == "__main__":
    answer_all(answer, "timeseriesflattener")
