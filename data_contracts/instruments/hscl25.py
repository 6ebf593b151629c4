"""Hopkins Symptom Checklist, 25 items (HSCL-25): psychological distress in the last week, with its two parts.

One item of the second part has a name instead of a number, because it is a safety item (:mod:`data_contracts.safety`),
which nobody may hit or miss by miscounting.
"""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, SafetyRule, Scale

_ANXIETY = tuple(f"anxiety_{number}" for number in range(1, 11))
_DEPRESSION = (*(f"depression_{number}" for number in range(1, 15)), "suicidal_thoughts")

HSCL25 = Instrument(
    name="hscl25",
    title="Hopkins Symptom Checklist-25",
    items=tuple(Item(item, (1.0, 2.0, 3.0, 4.0)) for item in (*_ANXIETY, *_DEPRESSION)),
    scales=(
        Scale(
            name="hscl25_distress",
            items=(*_ANXIETY, *_DEPRESSION),
            method="mean",
            fewest_answers=20,
            minimum=1,
            maximum=4,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Bekymring og nedstemthet, 25 spørsmål",
            label_en="Worry and low mood, 25 questions",
            bands=(Band("low", 1), Band("high", 1.75)),
        ),
        Scale(
            name="hscl25_anxiety",
            items=_ANXIETY,
            method="mean",
            fewest_answers=8,
            minimum=1,
            maximum=4,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Indre uro og anspenthet",
            label_en="Inner unease and tension",
        ),
        Scale(
            name="hscl25_depression",
            items=_DEPRESSION,
            method="mean",
            fewest_answers=12,
            minimum=1,
            maximum=4,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Nedstemthet",
            label_en="Low mood",
        ),
    ),
    coding=(
        "1 = not at all, 4 = extremely; a source that counts from 0 must add 1. Items are numbered within the two "
        "parts, in any order, because orders of the whole list differ between translations and no score depends on "
        "them. Only thoughts of ending one's life, the 20th item of the English form, have a name instead of a "
        "number and must be sent under it: suicidal_thoughts."
    ),
    licence="Free in Norwegian health surveys; formal owner unclear.",
    source=(
        "Strand BH, Dalgard OS, Tambs K, Rognerud M. Nord J Psychiatry 2003;57:113-118; cut-off 1.75 also Statistics "
        "Norway. Parts of 10 and 15 items: Harvard Program in Refugee Trauma. Fewest answers (four of five) recalled."
    ),
    safety=(SafetyRule("suicidal_thoughts", above=1),),
)
