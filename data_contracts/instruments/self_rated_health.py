"""Self-rated health (SRH): one question."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

SELF_RATED_HEALTH = Instrument(
    name="srh",
    title="Self-rated health",
    items=(Item("item_1", (1.0, 2.0, 3.0, 4.0, 5.0)),),
    scales=(
        Scale(
            name="srh_self_rated_health",
            items=("item_1",),
            method="mean",
            fewest_answers=1,
            minimum=1,
            maximum=5,
            higher_is_worse=False,
            domain="life_situation",
            modifiable=False,
            label_nb="Egenvurdert helse",
            label_en="Self-rated health",
        ),
    ),
    coding=(
        "1 = poor, 5 = excellent. Many forms count from 1 for excellent: such a source must send 6 minus the answer. "
        "A form with four answers has no codes here."
    ),
    licence="Generic item, free to use.",
    source="Direction (5 = best) as in Roelen CAM, et al. BMC Public Health 2013;13:105 (recalled).",
)
