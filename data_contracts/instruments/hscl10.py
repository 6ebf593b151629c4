"""Hopkins Symptom Checklist, 10 items (HSCL-10): psychological distress in the last week."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 11))

HSCL10 = Instrument(
    name="hscl10",
    title="Hopkins Symptom Checklist-10",
    items=tuple(Item(item, (1.0, 2.0, 3.0, 4.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="hscl10_distress",
            items=_ITEMS,
            method="mean",
            fewest_answers=7,
            minimum=1,
            maximum=4,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Bekymring og nedstemthet",
            label_en="Worry and low mood",
            bands=(Band("low", 1), Band("high", 1.85)),
        ),
    ),
    coding="1 = not at all, 4 = extremely; a source that counts from 0 must add 1.",
    licence="Free in Norwegian health surveys; formal owner unclear.",
    source="Strand BH, Dalgard OS, Tambs K, Rognerud M. Nord J Psychiatry 2003;57:113-118. Fewest answers recalled.",
)
