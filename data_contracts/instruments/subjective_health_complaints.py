"""Subjective Health Complaints inventory (SHC): 29 complaints in the last 30 days, in five scales and four counts.

No cut-off has been published, hence no bands. The counts say how many complaints there are, wherever they are felt; with
an item unanswered they would say too few, so they ask for all. A programme that asks for the musculoskeletal part only
has one of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data_contracts.domains import Domain
from data_contracts.instruments.instrument import Instrument, Item, Scale, ScaleFunction

_N_ITEMS = {"musculoskeletal": 8, "pseudoneurology": 7, "gastrointestinal": 7, "allergy": 5, "flu": 2}
_ITEMS = {part: tuple(f"{part}_{number}" for number in range(1, n + 1)) for part, n in _N_ITEMS.items()}
_ALL_ITEMS = tuple(item for items in _ITEMS.values() for item in items)
_FIRST_OF_PART = np.cumsum([0, *_N_ITEMS.values()])[:-1]
_SUBSTANTIAL = 2.0


# Each count is only meaningful if all its items are answered, which its scale asks for; a sum of ones is exact in any order.
def complaints(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the number of complaints there are at all, 0 to 29."""
    return _count(_answers(columns, _ALL_ITEMS) > 0)


def substantial_complaints(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the number of substantial complaints, 0 to 29."""
    return _count(_answers(columns, _ALL_ITEMS) >= _SUBSTANTIAL)


def pain_regions(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the number of places with a musculoskeletal complaint, 0 to 8."""
    return _count(_answers(columns, _ITEMS["musculoskeletal"]) > 0)


def groups_with_a_substantial_complaint(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return in how many of the five parts a complaint is substantial."""
    is_substantial = _answers(columns, _ALL_ITEMS) >= _SUBSTANTIAL
    return _count(np.logical_or.reduceat(is_substantial, _FIRST_OF_PART, axis=0))


def _answers(columns: Mapping[str, np.ndarray], items: tuple[str, ...]) -> np.ndarray:
    return np.array([columns[item] for item in items])


def _count(is_counted: np.ndarray) -> np.ndarray:
    return is_counted.sum(axis=0).astype(np.float64)


def _scale(part: str, *, domain: Domain, modifiable: bool, label_nb: str, label_en: str) -> Scale:
    items = _ITEMS[part]
    return Scale(
        name=f"shc_{part}",
        items=items,
        method="sum",
        fewest_answers=len(items),
        minimum=0,
        maximum=3 * len(items),
        higher_is_worse=True,
        domain=domain,
        modifiable=modifiable,
        label_nb=label_nb,
        label_en=label_en,
    )


def _count_scale(
    name: str, items: tuple[str, ...], maximum: int, function: ScaleFunction, *, label_nb: str, label_en: str
) -> Scale:
    return Scale(
        name=name,
        items=items,
        method="function",
        fewest_answers=len(items),
        minimum=0,
        maximum=maximum,
        higher_is_worse=True,
        domain="pain_and_body",
        modifiable=False,
        label_nb=label_nb,
        label_en=label_en,
        function=function,
    )


SUBJECTIVE_HEALTH_COMPLAINTS = Instrument(
    name="shc",
    title="Subjective Health Complaints inventory",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0)) for item in _ALL_ITEMS),
    scales=(
        _scale(
            "musculoskeletal",
            domain="pain_and_body",
            modifiable=True,
            label_nb="Plager i muskler og ledd",
            label_en="Complaints in muscles and joints",
        ),
        _scale(
            "pseudoneurology",
            domain="mental_health",
            modifiable=True,
            label_nb="Tretthet, uro og svimmelhet",
            label_en="Tiredness, unease and dizziness",
        ),
        _scale(
            "gastrointestinal",
            domain="pain_and_body",
            modifiable=True,
            label_nb="Plager i mage og tarm",
            label_en="Complaints in stomach and bowel",
        ),
        _scale(
            "allergy",
            domain="pain_and_body",
            modifiable=False,
            label_nb="Plager i hud og luftveier",
            label_en="Complaints in skin and airways",
        ),
        _scale(
            "flu",
            domain="pain_and_body",
            modifiable=False,
            label_nb="Forkjølelse og hoste",
            label_en="Colds and cough",
        ),
        _count_scale(
            "shc_complaints_count",
            _ALL_ITEMS,
            len(_ALL_ITEMS),
            complaints,
            label_nb="Antall helseplager, også lette",
            label_en="Number of health complaints, slight ones included",
        ),
        _count_scale(
            "shc_substantial_count",
            _ALL_ITEMS,
            len(_ALL_ITEMS),
            substantial_complaints,
            label_nb="Antall betydelige helseplager",
            label_en="Number of substantial health complaints",
        ),
        _count_scale(
            "shc_pain_regions_count",
            _ITEMS["musculoskeletal"],
            len(_ITEMS["musculoskeletal"]),
            pain_regions,
            label_nb="Antall steder med plager i muskler og ledd",
            label_en="Number of places with complaints in muscles and joints",
        ),
        _count_scale(
            "shc_groups_count",
            _ALL_ITEMS,
            len(_ITEMS),
            groups_with_a_substantial_complaint,
            label_nb="Antall slags helseplager med minst én betydelig",
            label_en="Number of kinds of health complaints with a substantial one",
        ),
    ),
    coding=(
        "0 = not at all, 3 = seriously; a source that counts from 1 must subtract 1. Items are numbered within their "
        "scale, in any order, because that is all the scores depend on. On the printed form they are (recalled): "
        "musculoskeletal 4-10 and 14; pseudoneurology 11 and 24-29; gastrointestinal 15-21; allergy 3, 12, 13, 22 "
        "and 23; flu 1 and 2."
    ),
    licence="Norwegian authors; ask before shipping item texts.",
    source=(
        "Eriksen HR, Ihlebaek C, Ursin H. Scand J Public Health 1999;27:63-72 (29 items, five factors). "
        "Number of items per scale, which they are, meaning of the codes, and that all must be answered: recalled. "
        "The counts, and that a complaint is substantial from 2: our own."
    ),
)
