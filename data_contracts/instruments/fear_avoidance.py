"""Fear-avoidance: the belief that activity, or work, makes pain worse; one question for each."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

_AGREEMENT = tuple(float(code) for code in range(7))

FEAR_AVOIDANCE = Instrument(
    name="fear_avoidance",
    title="Fear-avoidance, single items",
    items=(Item("activity", _AGREEMENT), Item("work", _AGREEMENT)),
    scales=(
        Scale(
            name="fear_avoidance_activity",
            items=("activity",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=6,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Bekymring for at aktivitet gjør smerte verre",
            label_en="Concern that activity makes pain worse",
        ),
        Scale(
            name="fear_avoidance_work",
            items=("work",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=6,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Bekymring for at arbeid gjør smerte verre",
            label_en="Concern that work makes pain worse",
        ),
    ),
    coding="0 = completely disagree, 6 = completely agree.",
    licence="Generic items, free to use.",
    source=(
        "Answer codes of the Fear-Avoidance Beliefs Questionnaire (Waddell G, et al. Pain 1993;52:157-168); one "
        "screening item each for activity and work as in Hart DL, et al. Phys Ther 2009;89:770-785 (recalled)."
    ),
)
