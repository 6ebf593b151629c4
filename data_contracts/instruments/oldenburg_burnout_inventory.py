"""Oldenburg Burnout Inventory (OLBI): exhaustion and disengagement, each from half positive and half negative statements."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 17))
_DISENGAGEMENT = tuple(f"item_{number}" for number in (1, 3, 6, 7, 9, 11, 13, 15))
_EXHAUSTION = tuple(f"item_{number}" for number in (2, 4, 5, 8, 10, 12, 14, 16))

# Agreeing, 1, with a negative statement must count 4: it is the negative statements that are reversed, although the scales
# measure something negative.
_NEGATIVE = tuple(f"item_{number}" for number in (2, 3, 4, 6, 8, 9, 11, 12))

OLDENBURG_BURNOUT_INVENTORY = Instrument(
    name="olbi",
    title="Oldenburg Burnout Inventory",
    items=tuple(Item(item, (1.0, 2.0, 3.0, 4.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="olbi_disengagement",
            items=_DISENGAGEMENT,
            method="sum",
            fewest_answers=8,
            minimum=8,
            maximum=32,
            higher_is_worse=True,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Mindre engasjement i jobben",
            label_en="Less involvement in work",
            reversed_items=tuple(item for item in _DISENGAGEMENT if item in _NEGATIVE),
            # Published as a mean of 2.10 of the eight items.
            bands=(Band("low", 8), Band("high", 16.8)),
        ),
        Scale(
            name="olbi_exhaustion",
            items=_EXHAUSTION,
            method="sum",
            fewest_answers=8,
            minimum=8,
            maximum=32,
            higher_is_worse=True,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Mindre overskudd i jobben",
            label_en="Less energy at work",
            reversed_items=tuple(item for item in _EXHAUSTION if item in _NEGATIVE),
            # Published as a mean of 2.25 of the eight items.
            bands=(Band("low", 8), Band("high", 18)),
        ),
        Scale(
            name="olbi_total",
            items=_ITEMS,
            method="sum",
            fewest_answers=16,
            minimum=16,
            maximum=64,
            higher_is_worse=True,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Mindre overskudd og engasjement i jobben, samlet",
            label_en="Less energy and involvement in work, overall",
            reversed_items=_NEGATIVE,
        ),
    ),
    coding=(
        "1 = strongly agree, 4 = strongly disagree; a source that counts from 1 for strongly disagree must send 5 "
        "minus the answer. Items are in printed order and sent as answered: the scorer turns the negative "
        "statements, which are item_2, item_3, item_4, item_6, item_8, item_9, item_11 and item_12."
    ),
    licence="Free to use with citation.",
    source=(
        "Demerouti E, Bakker AB, Vardakou I, Kantas A. Eur J Psychol Assess 2003;19:12-23; items of each scale as in "
        "mdapp.co/oldenburg-burnout-inventory-olbi-calculator-606. Cut-offs (means of 2.10 and 2.25) recalled. "
        "No rule for missing answers found: all are required."
    ),
)
