"""Pain: worst and average of the last seven days (numeric rating scale), and whether it has lasted three months or more."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

_ZERO_TO_TEN = tuple(float(rating) for rating in range(11))

PAIN = Instrument(
    name="pain",
    title="Pain in the last seven days, and its duration",
    items=(Item("worst", _ZERO_TO_TEN), Item("average", _ZERO_TO_TEN), Item("three_months", (0.0, 1.0))),
    scales=(
        Scale(
            name="pain_worst",
            items=("worst",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=10,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Sterkeste smerte siste uke",
            label_en="Worst pain in the last week",
        ),
        Scale(
            name="pain_average",
            items=("average",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=10,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Gjennomsnittlig smerte siste uke",
            label_en="Average pain in the last week",
        ),
        Scale(
            name="pain_three_months",
            items=("three_months",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=1,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=False,
            label_nb="Smerte i tre måneder eller mer",
            label_en="Pain for three months or more",
        ),
    ),
    coding="worst and average: 0 = no pain, 10 = worst pain imaginable. three_months: 0 = no, 1 = yes.",
    licence="Generic items, free to use.",
    source="Numeric rating scale 0-10; three months as in Treede RD, et al. Pain 2015;156:1003-1007 (recalled).",
)
