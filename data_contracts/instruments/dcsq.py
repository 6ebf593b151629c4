"""Demand-Control-Support Questionnaire (DCSQ), the 17-item Swedish form of Karasek and Theorell's model."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

_DEMANDS = tuple(f"demands_{number}" for number in range(1, 6))
_LATITUDE = tuple(f"latitude_{number}" for number in range(1, 7))
_SUPPORT = tuple(f"support_{number}" for number in range(1, 7))

DEMAND_CONTROL_SUPPORT = Instrument(
    name="dcsq",
    title="Demand-Control-Support Questionnaire",
    items=tuple(Item(item, (1.0, 2.0, 3.0, 4.0)) for item in (*_DEMANDS, *_LATITUDE, *_SUPPORT)),
    scales=(
        Scale(
            name="dcsq_demands",
            items=_DEMANDS,
            method="sum",
            fewest_answers=5,
            minimum=5,
            maximum=20,
            higher_is_worse=True,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Krav i jobben",
            label_en="Demands at work",
            reversed_items=("demands_4",),
        ),
        Scale(
            name="dcsq_decision_latitude",
            items=_LATITUDE,
            method="sum",
            fewest_answers=6,
            minimum=6,
            maximum=24,
            higher_is_worse=False,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Medbestemmelse og læring i jobben",
            label_en="Having a say and learning at work",
            reversed_items=("latitude_4",),
        ),
        Scale(
            name="dcsq_support",
            items=_SUPPORT,
            method="sum",
            fewest_answers=6,
            minimum=6,
            maximum=24,
            higher_is_worse=False,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Samhold og støtte på jobb",
            label_en="Good relations and support at work",
        ),
    ),
    coding=(
        "demands and latitude: 1 = never or almost never, 4 = often; support: 1 = strongly disagree, 4 = strongly "
        "agree. A source that counts the other way must send 5 minus the answer. Items are numbered within their "
        "scale, in printed order, and sent as answered: the scorer turns demands_4 (enough time) and latitude_4 "
        "(repetitive tasks), so a source that orders items otherwise must be renumbered."
    ),
    licence="Free to use with citation (recalled).",
    source=(
        "Sanne B, Torp S, Mykletun A, Dahl AA. Scand J Public Health 2005;33:166-174 (17 items in three scales). Reversed "
        "items, their place in the printed order and the direction of the codes recalled. No rule for missing answers "
        "found: all of a scale are required."
    ),
)
