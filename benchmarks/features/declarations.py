"""Scoring keys, codes, conversions and limits as small tables, for tools that cannot import ours.

Written beside the tables of every size, anew at every run. Their columns:

========================== ==================================================================================================
scales.parquet             scale, instrument, method (mean, sum, criteria, function), fewest_answers, n_items, factor (the score
                           is total * factor / number of answered items), is_followed (has a change and a slope)
scale_items.parquet        scale, instrument, item, mirror (a reversed answer counts as mirror - answer; null: not reversed)
criteria.parquet           scale, instrument, part, item, threshold: 1 if in every part an item reaches its threshold, else 0
items.parquet              instrument, item, position, n_items of the instrument
codes.parquet              code_system, code, unit, analyte, factor, offset: value * factor + offset is in the canonical unit
analytes.parquet           analyte, position, examination, is_followed, has_distance, hard_low, hard_high
limits.parquet             analyte, is_female, age (completed years 0 to 120), low, high as declared, low_inside and
                           high_inside: the lowest and highest float32 inside; null is no limit
diagnoses.parquet          diagnosis, diagnosis_system (null: ICPC-2), kind (mental, musculoskeletal, respiratory or
                           other_diagnosis)
========================== ==================================================================================================
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from population import DIAGNOSES, T

from data_contracts.analytes import ANALYTES, limits_inside, reference_limits
from data_contracts.diagnoses import chapter_group
from data_contracts.instruments import INSTRUMENTS
from features.catalogue import FEATURE_NAMES

_OLDEST = 120
_KINDS = {"P": "mental", "L": "musculoskeletal", "R": "respiratory"}


def write_declarations(data: Path) -> None:
    """Write all declarations and ``facts.json`` of a data folder."""
    folder = data / "declarations"
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "scales": _scales(), "scale_items": _scale_items(), "criteria": _criteria(), "items": _items(), "codes": _codes(),
        "analytes": _analytes(), "limits": _limits(), "diagnoses": _diagnoses(),
    }  # fmt: skip
    for name, rows in tables.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    t = date(1970, 1, 1) + timedelta(days=T)
    facts = {"t": t.isoformat(), "t_day": T, "features": FEATURE_NAMES}
    (data / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _scales() -> list[dict[str, Any]]:
    return [
        {
            "scale": scale.name,
            "instrument": instrument.name,
            "method": scale.method,
            "fewest_answers": scale.fewest_answers,
            "n_items": len(scale.items),
            "factor": scale.multiplier * (len(scale.items) if scale.method == "sum" else 1),
            "is_followed": f"{scale.name}_slope" in FEATURE_NAMES,
        }
        for instrument in INSTRUMENTS.values()
        for scale in instrument.scales
    ]


def _scale_items() -> list[dict[str, Any]]:
    rows = []
    for instrument in INSTRUMENTS.values():
        answers = {item.id: item.answers for item in instrument.items}
        for scale in instrument.scales:
            for item in scale.items:
                ends = min(answers[item]) + max(answers[item])
                mirror = ends if item in scale.reversed_items else None
                rows.append({"scale": scale.name, "instrument": instrument.name, "item": item, "mirror": mirror})
    return rows


def _criteria() -> list[dict[str, Any]]:
    return [
        {"scale": scale.name, "instrument": instrument.name, "part": part, "item": item, "threshold": threshold}
        for instrument in INSTRUMENTS.values()
        for scale in instrument.scales
        for part, (items, threshold) in enumerate(scale.criteria)
        for item in items
    ]


def _items() -> list[dict[str, Any]]:
    return [
        {"instrument": one.name, "item": item.id, "position": position, "n_items": len(one.items)}
        for one in INSTRUMENTS.values()
        for position, item in enumerate(one.items)
    ]


def _codes() -> list[dict[str, Any]]:
    return [code._asdict() | {"analyte": analyte.name} for analyte in ANALYTES for code in analyte.codes]


def _analytes() -> list[dict[str, Any]]:
    return [
        {
            "analyte": one.name,
            "position": position,
            "examination": getattr(one, "examination", None),
            "is_followed": f"{one.name}_slope" in FEATURE_NAMES,
            "has_distance": f"{one.name}_distance" in FEATURE_NAMES,
            "hard_low": one.hard_low,
            "hard_high": one.hard_high,
        }
        for position, one in enumerate(ANALYTES)
    ]


def _limits() -> list[dict[str, Any]]:
    shape = len(ANALYTES), 2, _OLDEST + 1
    analyte, sex, age = (axis.ravel() for axis in np.indices(shape))
    columns = [analyte, sex, age]
    for limits in (reference_limits, limits_inside):
        columns += [limit.astype(np.float64) for limit in limits(analyte, sex.astype(np.int8), age)]
    names = ("analyte", "is_female", "age", "low", "high", "low_inside", "high_inside")
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return [
        {name: None if value != value else value for name, value in row.items()}
        | {"analyte": ANALYTES[row["analyte"]].name}
        for row in rows
        if not all(row[name] != row[name] for name in names[3:])
    ]


def _diagnoses() -> list[dict[str, Any]]:
    return [
        {
            "diagnosis": code,
            "diagnosis_system": system,
            "kind": _KINDS.get(chapter_group(code, system), "other_diagnosis"),
        }
        for code, system in DIAGNOSES
    ]
