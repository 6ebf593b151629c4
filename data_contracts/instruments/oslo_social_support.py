"""Oslo Social Support Scale (OSS-3): close people, their interest, and practical help from neighbours."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_FOUR = (1.0, 2.0, 3.0, 4.0)
_FIVE = (*_FOUR, 5.0)

OSLO_SOCIAL_SUPPORT = Instrument(
    name="oss3",
    title="Oslo Social Support Scale",
    items=(Item("item_1", _FOUR), Item("item_2", _FIVE), Item("item_3", _FIVE)),
    scales=(
        Scale(
            name="oss3_social_support",
            items=("item_1", "item_2", "item_3"),
            method="sum",
            fewest_answers=3,
            minimum=3,
            maximum=14,
            higher_is_worse=False,
            domain="life_situation",
            modifiable=True,
            label_nb="Sosial støtte",
            label_en="Social support",
            bands=(Band("low", 3), Band("moderate", 9), Band("high", 12)),
        ),
    ),
    coding=(
        "item_1, number of close people: 1 = none, 4 = more than five; item_2, concern shown by others: 1 = none, 5 "
        "= a lot; item_3, ease of getting help from neighbours: 1 = very difficult, 5 = very easy. Some forms number "
        "item_2 and item_3 from the other end, 1 for a lot and for very easy: such a source must send 6 minus the "
        "answer to these two."
    ),
    licence="Free to use with citation.",
    source=(
        "Kocalevent RD, Berg L, Beutel ME, et al. BMC Psychology 2018;6:31. A form that counts from the other end: Sciensano, "
        "local health survey (Belgium)."
    ),
)
