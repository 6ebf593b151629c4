"""The ordered list of feature groups, and the fingerprint that ties a model to these definitions."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import accumulate
from typing import Any

from data_contracts.analytes import ANALYTES
from data_contracts.domains import DOMAIN_LABELS
from data_contracts.instruments import INSTRUMENTS, Instrument
from features import absence_history, labs, life_situation, survey_response, survey_scores, workplace, workplace_context
from features.feature import Feature, FeatureGroup

GROUPS: tuple[FeatureGroup, ...] = (
    life_situation.GROUP,
    absence_history.GROUP,
    survey_scores.GROUP,
    survey_response.GROUP,
    labs.GROUP,
    workplace.GROUP,
    workplace_context.GROUP,
)

FEATURES: tuple[Feature, ...] = tuple(feature for group in GROUPS for feature in group.features)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
POSITIONS: dict[str, int] = {name: position for position, name in enumerate(FEATURE_NAMES)}
"""Column of each feature in a ``FeatureMatrix``."""


def _columns() -> tuple[tuple[FeatureGroup, slice], ...]:
    ends = list(accumulate(len(group.features) for group in GROUPS))
    return tuple((group, slice(end - len(group.features), end)) for group, end in zip(GROUPS, ends, strict=True))


COLUMNS = _columns()
"""Each group with its columns in a ``FeatureMatrix``."""


def feature(name: str) -> Feature:
    """Return a feature by name; KeyError if there is none of that name."""
    return FEATURES[POSITIONS[name]]


def describe() -> list[dict[str, Any]]:
    """Return one row per feature, in order, for listings and documentation."""
    return [
        {
            "name": one.name,
            "group": group.name,
            "domain": one.domain,
            "domain_nb": DOMAIN_LABELS[one.domain]["nb"],
            "domain_en": DOMAIN_LABELS[one.domain]["en"],
            "label_nb": one.label_nb,
            "label_en": one.label_en,
            "unit": one.unit,
            "meaning": one.meaning,
            "table": one.table,
            "modifiable": one.modifiable,
            "expected_direction": one.expected_direction,
            "source": one.source,
            "low": _finite(one.low),
            "high": _finite(one.high),
            "valid_days": one.valid_days,
        }
        for group in GROUPS
        for one in group.features
    ]


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


def fingerprint(groups: tuple[FeatureGroup, ...]) -> str:
    """SHA-256 over all that decides a number: names, units, meanings, versions, scoring keys, conversions and limits.

    Labels, licences and the like may be reworded without making a model unfit.
    """
    features = [(group.name, group.version, [_defines(one) for one in group.features]) for group in groups]
    instruments = [_scoring_key(instrument) for instrument in INSTRUMENTS.values()]
    analytes = [(one.name, one.unit, one.codes, one.reference_intervals, one.derived_from) for one in ANALYTES]
    text = json.dumps([features, instruments, analytes], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _defines(one: Feature) -> tuple[str, str, str, str]:
    return one.name, one.unit, one.table, one.meaning


def _scoring_key(instrument: Instrument) -> tuple[Any, ...]:
    scales = [
        (one.name, one.items, one.method, one.fewest_answers, one.reversed_items, one.multiplier, one.criteria)
        for one in instrument.scales
    ]
    return instrument.name, [(item.id, item.answers) for item in instrument.items], scales


FINGERPRINT: str = fingerprint(GROUPS)
