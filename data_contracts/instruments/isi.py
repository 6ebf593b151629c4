"""Insomnia Severity Index (ISI): difficulty with sleep in the last two weeks, and what it means for the day."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 8))

ISI = Instrument(
    name="isi",
    title="Insomnia Severity Index",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0, 4.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="isi_insomnia",
            items=_ITEMS,
            method="sum",
            fewest_answers=7,
            minimum=0,
            maximum=28,
            higher_is_worse=True,
            domain="sleep",
            modifiable=True,
            label_nb="Søvnvansker og følger av dem",
            label_en="Sleep difficulties and their consequences",
            bands=(Band("low", 0), Band("mild", 8), Band("moderate", 15), Band("severe", 22)),
        ),
    ),
    coding=(
        "item_1 to item_3: 0 = none, 4 = very severe; item_4: 0 = very satisfied, 4 = very dissatisfied; item_5 to "
        "item_7: 0 = not at all, 4 = very much. No item is turned: higher is worse for each."
    ),
    licence="© Charles M. Morin: the customer gets licence and wording from Mapi Research Trust (eprovide.mapi-trust.org).",
    source=(
        "Bastien CH, Vallieres A, Morin CM. Sleep Med 2001;2:297-307. Key and cut-offs as printed by the US Department of "
        "Veterans Affairs (myhealth.va.gov). No rule for missing answers found: all are required."
    ),
    licence_kind="scoring_only",
)
