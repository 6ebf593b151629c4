"""Örebro Musculoskeletal Pain Screening Questionnaire, short form (ÖMPSQ-SF): risk that pain keeps someone from work."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 11))
_ZERO_TO_TEN = tuple(float(code) for code in range(11))

OMPSQ_SF = Instrument(
    name="ompsq_sf",
    title="Örebro Musculoskeletal Pain Screening Questionnaire, short form",
    items=tuple(Item(item, _ZERO_TO_TEN[1:] if item == "item_1" else _ZERO_TO_TEN) for item in _ITEMS),
    scales=(
        Scale(
            name="ompsq_sf_risk",
            items=_ITEMS,
            method="sum",
            fewest_answers=10,
            minimum=1,
            maximum=100,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Smertens betydning for hverdag og arbeid",
            label_en="What pain means for everyday life and work",
            reversed_items=("item_3", "item_4", "item_8"),
            bands=(Band("low", 1), Band("high", 50)),
        ),
    ),
    coding=(
        "item_1, how long the pain has lasted: 1 = up to one week, 10 = more than a year, in ten classes; there is "
        "no class 0. The others: 0 = least, 10 = most of what the item is about. item_3 (light work), item_4 (sleep) "
        "and item_8 (chance of working in the coming months), where 10 is the good answer, are sent as answered, and "
        "the scorer turns them."
    ),
    licence=(
        "© Steven J. Linton, free for clinical use (recalled): the customer gets permission and wording from the Center for "
        "Health and Medical Psychology, Örebro University."
    ),
    source=(
        "Linton SJ, Nicholas M, MacDonald S. Spine 2011;36:1891-1895 (cut-off 50). Order of the items, 1-10 for the first "
        "and the three reversed ones as in the public repository awell-health/awell-score (ompq_10). No rule for missing "
        "answers found: all are required."
    ),
    licence_kind="scoring_only",
)
