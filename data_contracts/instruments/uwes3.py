"""Utrecht Work Engagement Scale, ultra-short form (UWES-3): one item each of vigour, dedication and absorption."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

_ITEMS = ("vigour", "dedication", "absorption")

UWES3 = Instrument(
    name="uwes3",
    title="Utrecht Work Engagement Scale, 3 items",
    items=tuple(Item(item, tuple(float(code) for code in range(7))) for item in _ITEMS),
    scales=(
        Scale(
            name="uwes3_engagement",
            items=_ITEMS,
            method="mean",
            fewest_answers=3,
            minimum=0,
            maximum=6,
            higher_is_worse=False,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Engasjement i jobben",
            label_en="Engagement in work",
        ),
    ),
    coding="0 = never, 6 = always, that is every day.",
    licence=(
        "© Wilmar Schaufeli & Arnold Bakker, free for non-commercial research only: the customer gets permission and wording "
        "from wilmarschaufeli.nl."
    ),
    source=(
        "Schaufeli WB, Shimazu A, Hakanen J, Salanova M, De Witte H. Eur J Psychol Assess 2019;35:577-591. Answer "
        "codes recalled. No rule for missing answers found: all are required."
    ),
    licence_kind="scoring_only",
)
