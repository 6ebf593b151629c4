"""Subjective Health Complaints inventory (SHC): 29 complaints in the last 30 days, in five scales.

No cut-off has been published, hence no bands.
"""

from __future__ import annotations

from data_contracts.domains import Domain
from data_contracts.instruments.instrument import Instrument, Item, Scale

_N_ITEMS = {"musculoskeletal": 8, "pseudoneurology": 7, "gastrointestinal": 7, "allergy": 5, "flu": 2}
_ITEMS = {part: tuple(f"{part}_{number}" for number in range(1, n + 1)) for part, n in _N_ITEMS.items()}


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


SUBJECTIVE_HEALTH_COMPLAINTS = Instrument(
    name="shc",
    title="Subjective Health Complaints inventory",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0)) for items in _ITEMS.values() for item in items),
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
        "Number of items per scale, which they are, meaning of the codes, and that all must be answered: recalled."
    ),
)
