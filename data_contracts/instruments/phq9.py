"""Patient Health Questionnaire (PHQ-9, and PHQ-8 and PHQ-2 within it): low mood in the last two weeks."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, SafetyRule, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 10))

PHQ9 = Instrument(
    name="phq9",
    title="Patient Health Questionnaire-9",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="phq9_depression",
            items=_ITEMS,
            method="sum",
            fewest_answers=7,
            minimum=0,
            maximum=27,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Nedstemthet og lite overskudd",
            label_en="Low mood and low energy",
            bands=(
                Band("minimal", 0),
                Band("mild", 5),
                Band("moderate", 10),
                Band("moderately_severe", 15),
                Band("severe", 20),
            ),
        ),
        Scale(
            name="phq8_depression",
            items=_ITEMS[:8],
            method="sum",
            fewest_answers=6,
            minimum=0,
            maximum=24,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Nedstemthet og lite overskudd, åtte spørsmål",
            label_en="Low mood and low energy, eight questions",
            bands=(
                Band("minimal", 0),
                Band("mild", 5),
                Band("moderate", 10),
                Band("moderately_severe", 15),
                Band("severe", 20),
            ),
        ),
        Scale(
            name="phq2_depression",
            items=_ITEMS[:2],
            method="sum",
            fewest_answers=2,
            minimum=0,
            maximum=6,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Nedstemthet og mindre glede, to spørsmål",
            label_en="Low mood and less enjoyment, two questions",
            bands=(Band("low", 0), Band("high", 3)),
        ),
    ),
    coding=(
        "0 = not at all, 3 = nearly every day; a source that counts from 1 must subtract 1. Items are in printed "
        "order: item_9, thoughts of being better off dead or of self-harm, is the safety item."
    ),
    licence="Public domain.",
    source=(
        "Kroenke K, Spitzer RL, Williams JBW. J Gen Intern Med 2001;16:606-613 (PHQ-9); Med Care 2003;41:1284-1292 "
        "(PHQ-2). PHQ-8: Kroenke K, et al. J Affect Disord 2009;114:163-173 (recalled, with its bands). At most two "
        "missing answers, prorated, and meaning of the codes: recalled."
    ),
    safety=(SafetyRule("item_9", above=0),),
)
