"""Subjective Health Complaints inventory (SHC), musculoskeletal subscale: complaints in the last 30 days.

No cut-off has been published, hence no bands.
"""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 9))

SUBJECTIVE_HEALTH_COMPLAINTS = Instrument(
    name="shc_msk",
    title="Subjective Health Complaints, musculoskeletal subscale",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="shc_musculoskeletal",
            items=_ITEMS,
            method="sum",
            fewest_answers=8,
            minimum=0,
            maximum=24,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Plager i muskler og ledd",
            label_en="Complaints in muscles and joints",
        ),
    ),
    licence="Norwegian authors; ask before shipping item texts.",
    source="Eriksen HR, Ihlebaek C, Ursin H. Scand J Public Health 1999;27:63-72. Split into subscales recalled.",
)
