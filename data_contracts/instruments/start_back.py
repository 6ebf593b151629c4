"""STarT Back screening tool: what may keep low back pain going, in the order in which Keele University prints it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ITEMS = tuple(f"item_{number}" for number in range(1, 10))
_PSYCHOSOCIAL = _ITEMS[4:]
_VERY_MUCH = 3.0


# Each function is only meaningful if all its items are answered, which its scale asks for.
def psychosocial(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the points of the last five items, 0 to 5."""
    is_bothered = columns["item_9"] >= _VERY_MUCH
    return columns["item_5"] + columns["item_6"] + columns["item_7"] + columns["item_8"] + is_bothered


def total(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the points of all nine items."""
    return columns["item_1"] + columns["item_2"] + columns["item_3"] + columns["item_4"] + psychosocial(columns)


def risk_group(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return 3 (high) from four psychosocial points; else 1 (low) up to three points in all; else 2 (medium)."""
    return np.where(psychosocial(columns) >= 4, 3.0, np.where(total(columns) <= 3, 1.0, 2.0))


START_BACK = Instrument(
    name="start_back",
    title="STarT Back screening tool",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0, 4.0) if item == "item_9" else (0.0, 1.0)) for item in _ITEMS),
    scales=(
        Scale(
            name="start_back_total",
            items=_ITEMS,
            method="function",
            fewest_answers=9,
            minimum=0,
            maximum=9,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Ryggplagenes betydning i hverdagen",
            label_en="What back pain means in everyday life",
            function=total,
        ),
        Scale(
            name="start_back_psychosocial",
            items=_PSYCHOSOCIAL,
            method="function",
            fewest_answers=5,
            minimum=0,
            maximum=5,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Bekymring knyttet til ryggplager",
            label_en="Worry about back pain",
            function=psychosocial,
        ),
        Scale(
            name="start_back_risk_group",
            items=_ITEMS,
            method="function",
            fewest_answers=9,
            minimum=1,
            maximum=3,
            higher_is_worse=True,
            domain="pain_and_body",
            modifiable=True,
            label_nb="Behov for oppfølging av ryggplager, nivå fra 1 til 3",
            label_en="Need for follow-up of back pain, level from 1 to 3",
            function=risk_group,
            bands=(Band("low", 1), Band("medium", 2), Band("high", 3)),
        ),
    ),
    coding=(
        "item_1 to item_8: 0 = disagree, 1 = agree; item_9, how bothersome: 0 = not at all, 4 = extremely, sent as "
        "answered and counted as one point from 3, very much. Items are in the order in which Keele University "
        "prints them. In older papers the psychosocial items are 1, 4, 7, 8 and 9 instead of 5 to 9: a source that "
        "follows them must be renumbered."
    ),
    licence=(
        "© Keele University, free for non-commercial use: the customer gets wording, and permission for use in a product, "
        "from startback.hfac.keele.ac.uk."
    ),
    source=(
        "Hill JC, Dunn KM, Lewis M, et al. Arthritis Rheum 2008;59:632-641; scoring as in keele.ac.uk/sbst (Using and "
        "scoring the SBST). No rule for missing answers found: all are required."
    ),
    licence_kind="scoring_only",
)
