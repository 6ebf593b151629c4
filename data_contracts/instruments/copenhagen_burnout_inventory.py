"""Copenhagen Burnout Inventory (CBI): personal, work-related and client-related exhaustion."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_CODES = (0.0, 25.0, 50.0, 75.0, 100.0)
_PERSONAL = tuple(f"personal_{number}" for number in range(1, 7))
_WORK = tuple(f"work_{number}" for number in range(1, 8))
_CLIENT = tuple(f"client_{number}" for number in range(1, 7))

# 50 is the convention of the literature, not a clinical limit.
_BANDS = (Band("low", 0), Band("high", 50))

COPENHAGEN_BURNOUT_INVENTORY = Instrument(
    name="cbi",
    title="Copenhagen Burnout Inventory",
    items=tuple(Item(item, _CODES) for item in (*_PERSONAL, *_WORK, *_CLIENT)),
    scales=(
        Scale(
            name="cbi_personal",
            items=_PERSONAL,
            method="mean",
            fewest_answers=3,
            minimum=0,
            maximum=100,
            higher_is_worse=True,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Personlig utmattelse",
            label_en="Personal exhaustion",
            bands=_BANDS,
        ),
        Scale(
            name="cbi_work",
            items=_WORK,
            method="mean",
            fewest_answers=4,
            minimum=0,
            maximum=100,
            higher_is_worse=True,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Arbeidsrelatert utmattelse",
            label_en="Work-related exhaustion",
            reversed_items=("work_7",),
            bands=_BANDS,
        ),
        Scale(
            name="cbi_client",
            items=_CLIENT,
            method="mean",
            fewest_answers=3,
            minimum=0,
            maximum=100,
            higher_is_worse=True,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Utmattelse i arbeid med andre mennesker",
            label_en="Exhaustion from work with people",
            bands=_BANDS,
        ),
    ),
    coding=(
        "0 = never or almost never, or to a very low degree; 100 = always, or to a very high degree. work_7, the one "
        "on energy for family and friends, is where always is the good answer: send it as answered, the scorer turns "
        "it. Two orders are in print, and in the other that item is the fourth of its part and the three degree "
        "items come last: such a source must be renumbered."
    ),
    licence="Free to use with citation (National Research Centre for the Working Environment, Denmark).",
    source=(
        "Kristensen TS, Borritz M, Villadsen E, Christensen KB. Work & Stress 2005;19:192-207. "
        "Item order as in PMC9358756. Fewest answers (3/4/3) recalled."
    ),
)
