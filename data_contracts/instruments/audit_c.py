"""Alcohol Use Disorders Identification Test, consumption items (AUDIT-C)."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = ("item_1", "item_2", "item_3")

AUDIT_C = Instrument(
    name="audit_c",
    title="Alcohol Use Disorders Identification Test, consumption items",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0, 4.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="audit_c_alcohol",
            items=_ITEMS,
            method="sum",
            fewest_answers=3,
            minimum=0,
            maximum=12,
            higher_is_worse=True,
            domain="diet_and_cardiometabolic",
            modifiable=True,
            label_nb="Alkoholvaner",
            label_en="Alcohol habits",
            bands=(
                Band("low", 0),
                Band("moderate", 3, sex="female"),
                Band("moderate", 4, sex="male"),
                Band("high", 8),
            ),
        ),
    ),
    coding=(
        "item_1, how often: 0 = never, 4 = four or more times a week. item_2, drinks on a typical day: 0 = one or "
        "two, 4 = ten or more. item_3, how often six or more on one occasion: 0 = never, 4 = daily or almost daily."
    ),
    licence="Public domain.",
    source=(
        "Bush K, et al. Arch Intern Med 1998;158:1789-1795 (men: 4); Bradley KA, et al. Arch Intern Med "
        "2003;163:821-829 (women: 3). High from 8, that all three must be answered, and meaning of the codes: "
        "recalled."
    ),
)
