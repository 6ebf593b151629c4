"""Number of pain sites: at how many of ten places of the body pain was felt."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

PAIN_SITES = Instrument(
    name="pain_sites",
    title="Number of pain sites",
    items=(Item("item_1", tuple(float(sites) for sites in range(11))),),
    scales=(
        Scale(
            name="pain_sites_count",
            items=("item_1",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=10,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Antall steder med smerte",
            label_en="Number of places with pain",
        ),
    ),
    coding="0 = no place, 10 = all ten places: the number of places where pain was felt.",
    licence="Generic item, free to use.",
    source="Kamaleri Y, Natvig B, Ihlebaek CM, Bruusgaard D. Eur J Pain 2008;12:742-748 (recalled).",
)
