"""Burnout Assessment Tool, short form (BAT-12): three items of each of the four core dimensions."""

from __future__ import annotations

from data_contracts.instruments.bat23 import LICENCE, dimension_items, scales
from data_contracts.instruments.instrument import Instrument, Item

_ITEMS = dimension_items({"exhaustion": 3, "mental_distance": 3, "cognitive": 3, "emotional": 3})

BAT12 = Instrument(
    name="bat12",
    title="Burnout Assessment Tool, 12 items",
    items=tuple(Item(item, (1.0, 2.0, 3.0, 4.0, 5.0)) for part in _ITEMS.values() for item in part),
    scales=scales("bat12", _ITEMS, at_risk=2.54, severe=2.96),
    coding=(
        "1 = never, 5 = always. Items are numbered within their dimension of this form: exhaustion_2 here need not "
        "be exhaustion_2 of bat23."
    ),
    licence=LICENCE,
    source=(
        "Hadzibajramovic E, Schaufeli W, De Witte H. BMC Public Health 2022;22:560. Cut-offs: Schaufeli WB, et al. Scand J "
        "Work Environ Health 2023;49:293-302 (values recalled). At least 80 % answered: our own rule."
    ),
    licence_kind="scoring_only",
)
