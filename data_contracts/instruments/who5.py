"""WHO-5 Well-Being Index."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 6))

WHO5 = Instrument(
    name="who5",
    title="WHO-5 Well-Being Index",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="who5_wellbeing",
            items=_ITEMS,
            method="sum",
            fewest_answers=5,
            minimum=0,
            maximum=100,
            higher_is_worse=False,
            domain="mental_health",
            modifiable=True,
            label_nb="Velvære",
            label_en="Well-being",
            multiplier=4.0,
            # Published as "28 or less" and "50 or less". The index moves in steps of 4, so a raw sum of 13 (52) is
            # above the cut: the "raw 13 or less" that many pages print for it is wrong.
            bands=(Band("low", 0), Band("moderate", 29), Band("high", 51)),
        ),
    ),
    coding="0 = at no time, 5 = all of the time.",
    licence="WHO: CC BY-NC-SA 3.0 IGO since 2024, before that free with citation; ask for commercial use.",
    source=(
        "Topp CW, Ostergaard SD, Sondergaard S, Bech P. Psychother Psychosom 2015;84:167-176. Cut-offs, and meaning of "
        "the codes, recalled."
    ),
)
