"""Count, sum and maximum over windows, and latest values, by timeseriesflattener at one prediction time."""

from __future__ import annotations

import contextlib
import io
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import timeseriesflattener as tsf
from timeseriesflattener.aggregators import LatestAggregator
from timing import Columns, measured

EPOCH = datetime(1970, 1, 1)


def days(numbers: np.ndarray) -> pl.Series:
    """Day numbers as timestamps."""
    return pl.Series(numbers.astype(np.int64) * 86_400_000_000).cast(pl.Datetime("us"))


def ready(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return one data frame per kind of event; a value column needs a name of its own."""
    by_doctor = arrays["spell_by_doctor"]
    frames = {}
    for kind, chosen in (("doctor", by_doctor), ("self", ~by_doctor)):
        frames[kind] = pl.DataFrame(
            {
                "person": arrays["spell_person"][chosen],
                "time": days(arrays["spell_first"][chosen]),
                kind: arrays["spell_days"][chosen].astype(np.float64),
            }
        )
    guidance = arrays["guidance_day"]
    frames["guidance"] = pl.DataFrame(
        {"person": arrays["guidance_person"], "time": days(guidance), "guidance": np.ones(len(guidance))}
    )
    labs = {"person": arrays["lab_person"], "time": days(arrays["lab_day"])}
    frames["labs"] = pl.DataFrame(labs | dict(zip(arrays["latest"].tolist(), arrays["lab_values"].T, strict=True)))
    frames["surveys"] = pl.DataFrame(
        {"person": arrays["survey_person"], "time": days(arrays["survey_day"]), "who5_wellbeing": arrays["who5"]}
    )
    t = EPOCH + timedelta(days=int(arrays["t"]))
    moments = pl.DataFrame({"person": np.arange(int(arrays["n"])), "t": [t] * int(arrays["n"])})
    return {"moments": moments, "windows": arrays["windows"].tolist(), "frames": frames}


def compute(data: dict[str, Any]) -> Columns:
    """Flatten all specifications at once."""

    def spec(name: str, distances: list[int], aggregators: list[Any], fallback: float) -> Any:
        values = tsf.ValueFrame(
            init_df=data["frames"][name], entity_id_col_name="person", value_timestamp_col_name="time"
        )
        return tsf.PredictorSpec(
            value_frame=values,
            lookbehind_distances=[(timedelta(days=1), timedelta(days=distance)) for distance in distances],
            aggregators=aggregators,
            fallback=fallback,
        )

    windows = data["windows"]
    three = [tsf.CountAggregator(), tsf.SumAggregator(), tsf.MaxAggregator()]
    latest = [LatestAggregator(timestamp_col_name="time")]
    specs = [
        spec("doctor", windows, three, 0),
        spec("self", windows, three, 0),
        spec("guidance", windows, [tsf.CountAggregator()], 0),
        spec("labs", [4000], latest, float("nan")),
        spec("surveys", [4000], latest, float("nan")),
    ]
    frame = tsf.PredictionTimeFrame(init_df=data["moments"], entity_id_col_name="person", timestamp_col_name="t")
    with contextlib.redirect_stdout(io.StringIO()):  # it reports progress
        found = tsf.Flattener(predictiontime_frame=frame).aggregate_timeseries(specs=specs).df.sort("person")
    return {
        shared_name(column): found[column].to_numpy().astype(np.float64)
        for column in found.columns
        if column.startswith("pred_") and "_within_" in column
    }


def shared_name(column: str) -> str:
    """Turn ``pred_doctor_within_1_to_365_days_sum_fallback_0`` into ``doctor_sum_365``."""
    name, _, rest = column.removeprefix("pred_").partition("_within_1_to_")
    window, _, rest = rest.partition("_days_")
    aggregator = rest.partition("_fallback_")[0]
    return name if aggregator == "latest" else f"{name}_{aggregator}_{window}"


if __name__ == "__main__":
    measured(ready, compute)
