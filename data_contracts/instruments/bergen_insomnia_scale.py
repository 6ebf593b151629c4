"""Bergen Insomnia Scale (BIS): days per week with trouble sleeping, and with trouble during the day because of it."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 7))
_NIGHT, _DAY = _ITEMS[:4], _ITEMS[4:]

BERGEN_INSOMNIA_SCALE = Instrument(
    name="bis",
    title="Bergen Insomnia Scale",
    items=tuple(Item(item, tuple(float(days) for days in range(8))) for item in _ITEMS),
    scales=(
        Scale(
            name="bis_insomnia",
            items=_ITEMS,
            method="sum",
            fewest_answers=6,
            minimum=0,
            maximum=42,
            higher_is_worse=True,
            domain="sleep",
            modifiable=True,
            label_nb="Søvnvansker",
            label_en="Sleep difficulties",
        ),
        Scale(
            name="bis_case",
            items=_ITEMS,
            method="criteria",
            fewest_answers=6,
            minimum=0,
            maximum=1,
            higher_is_worse=True,
            domain="sleep",
            modifiable=True,
            label_nb="Søvnvansker minst tre dager i uken, som også merkes om dagen",
            label_en="Sleep difficulties three or more days a week, also felt during the day",
            criteria=((_NIGHT, 3.0), (_DAY, 3.0)),
        ),
    ),
    coding=(
        "0 = no day of the week, 7 = every day of the week. Items are in printed order: item_1 to item_4 count as "
        "the night, item_5 and item_6 as the day."
    ),
    licence="Free to use with citation (recalled).",
    source="Pallesen S, Bjorvatn B, Nordhus IH, et al. Percept Mot Skills 2008;107:691-706.",
)
