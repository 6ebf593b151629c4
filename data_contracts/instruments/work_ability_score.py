"""Work Ability Score (WAS): present work ability against the lifetime best, first item of the Work Ability Index."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

WORK_ABILITY_SCORE = Instrument(
    name="was",
    title="Work Ability Score",
    items=(Item("item_1", tuple(float(code) for code in range(11))),),
    scales=(
        Scale(
            name="was_work_ability",
            items=("item_1",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=10,
            higher_is_worse=False,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Arbeidsevne",
            label_en="Work ability",
            bands=(Band("low", 0), Band("moderate", 6), Band("high", 8), Band("very_high", 10)),
        ),
    ),
    coding="0 = unable to work at present, 10 = work ability at its lifetime best.",
    licence="Single item, free to use.",
    source="Ahlstrom L, Grimby-Ekman A, Hagberg M, Dellve L. SJWEH 2010;36:404-412. Bands, and meaning of the codes, recalled.",
)
