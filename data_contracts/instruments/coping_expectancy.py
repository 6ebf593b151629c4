"""Coping expectancy: one question, whether difficult situations are expected to end well."""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

COPING_EXPECTANCY = Instrument(
    name="coping_expectancy",
    title="Coping expectancy, single item",
    items=(Item("item_1", (0.0, 1.0, 2.0, 3.0, 4.0)),),
    scales=(
        Scale(
            name="coping_expectancy",
            items=("item_1",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=4,
            higher_is_worse=False,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Tro på egen mestring",
            label_en="Confidence in coping",
        ),
    ),
    coding="0 = not true at all, 4 = completely true; a source that counts from 1 must subtract 1.",
    licence="Generic item, free to use with citation (recalled).",
    source=(
        "Coping item of TOMCATS: Odéen M, Westerlund H, Theorell T, et al. Int J Behav Med 2013;20:242-251. "
        "Answer codes recalled."
    ),
)
