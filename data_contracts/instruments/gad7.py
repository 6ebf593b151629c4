"""Generalised Anxiety Disorder scale (GAD-7, and GAD-2 within it): unease and worry in the last two weeks."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 8))

GAD7 = Instrument(
    name="gad7",
    title="Generalised Anxiety Disorder-7",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="gad7_anxiety",
            items=_ITEMS,
            method="sum",
            fewest_answers=6,
            minimum=0,
            maximum=21,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Uro og bekymring",
            label_en="Unease and worry",
            bands=(Band("minimal", 0), Band("mild", 5), Band("moderate", 10), Band("severe", 15)),
        ),
        Scale(
            name="gad2_anxiety",
            items=_ITEMS[:2],
            method="sum",
            fewest_answers=2,
            minimum=0,
            maximum=6,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Uro og bekymring, to spørsmål",
            label_en="Unease and worry, two questions",
            bands=(Band("low", 0), Band("high", 3)),
        ),
    ),
    coding=(
        "0 = not at all, 3 = nearly every day; a source that counts from 1 must subtract 1. Items are in printed "
        "order: the first two are GAD-2."
    ),
    licence="Public domain.",
    source=(
        "Spitzer RL, Kroenke K, Williams JBW, Löwe B. Arch Intern Med 2006;166:1092-1097 (GAD-7); Kroenke K, et al. "
        "Ann Intern Med 2007;146:317-325 (GAD-2). One missing answer is prorated, and meaning of the codes: recalled."
    ),
)
