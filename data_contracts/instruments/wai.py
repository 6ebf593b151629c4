"""Work Ability Index (WAI): seven dimensions of how well health and resources fit the demands of work, 7 to 49 points."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_MENTAL, _PHYSICAL, _BOTH = 1.0, 2.0, 3.0
_ONE_TO_FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
_RESOURCES = ("resources_1", "resources_2", "resources_3")
_LIST_OF_DISEASES = 51


def _demands(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return dimension 2: what the work mainly asks for counts one and a half times, the other half, together as two."""
    tilt = np.where(columns["work_type"] == _PHYSICAL, 0.5, np.where(columns["work_type"] == _MENTAL, -0.5, 0.0))
    return (1 + tilt) * columns["physical"] + (1 - tilt) * columns["mental"]


def _health(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return dimension 3: 7 points without disease, 5, 4, 3, 2 with one to four, 1 with more."""
    diseases = columns["diseases"]
    return np.where(diseases == 0, 7.0, np.maximum(6.0 - diseases, 1.0))


def _mental_resources(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return dimension 7: 1 point for a sum of 0-3, 2 for 4-6, 3 for 7-9, 4 for 10-12."""
    points = columns["resources_1"] + columns["resources_2"] + columns["resources_3"]
    return 1.0 + (points >= 4) + (points >= 7) + (points >= 10)


def work_ability_index(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the sum of the seven dimensions; only meaningful if all items are answered, which the scale asks for."""
    return (
        columns["work_ability"]
        + _demands(columns)
        + _health(columns)
        + columns["impairment"]
        + columns["sick_leave"]
        + columns["prognosis"]
        + _mental_resources(columns)
    )


_ANSWERS: dict[str, tuple[float, ...]] = {
    "work_type": (_MENTAL, _PHYSICAL, _BOTH),
    "work_ability": tuple(float(points) for points in range(11)),
    "physical": _ONE_TO_FIVE,
    "mental": _ONE_TO_FIVE,
    "diseases": tuple(float(number) for number in range(_LIST_OF_DISEASES + 1)),
    "impairment": (*_ONE_TO_FIVE, 6.0),
    "sick_leave": _ONE_TO_FIVE,
    "prognosis": (1.0, 4.0, 7.0),
    **dict.fromkeys(_RESOURCES, (0.0, 1.0, 2.0, 3.0, 4.0)),
}

WORK_ABILITY_INDEX = Instrument(
    name="wai",
    title="Work Ability Index",
    items=tuple(Item(item, answers) for item, answers in _ANSWERS.items()),
    scales=(
        Scale(
            name="wai_work_ability_index",
            items=tuple(_ANSWERS),
            method="function",
            fewest_answers=len(_ANSWERS),
            minimum=7,
            maximum=49,
            higher_is_worse=False,
            domain="stress_and_work_environment",
            modifiable=True,
            label_nb="Arbeidsevne, samlet",
            label_en="Work ability, overall",
            function=work_ability_index,
            # Weighting gives half points: 27.5 has not reached 28.
            bands=(Band("poor", 7), Band("moderate", 28), Band("good", 37), Band("excellent", 44)),
        ),
    ),
    coding=(
        "work_type: 1 = mainly mental, 2 = mainly physical, 3 = both; diseases: 0 = none, 51 = all of the list, the "
        "number that a physician has diagnosed. Elsewhere higher is better: work_ability 0 = unable to work, 10 = "
        "lifetime best; physical and mental 1 = very poor, 5 = very good; impairment 1 = entirely unable to work, 6 "
        "= no hindrance, the lowest one ticked; sick_leave 1 = 100 days or more in the last year, 5 = none; "
        "prognosis 1 = unlikely, 4 = not certain, 7 = relatively certain; resources 0 = never, 4 = often or always. "
        "Where the form prints points, those points are the codes: a source that counts the ticked boxes from the "
        "top must be recoded."
    ),
    licence="© Finnish Institute of Occupational Health (FIOH): the customer gets permission and wording from ttl.fi.",
    source=(
        "Tuomi K, Ilmarinen J, Jahkola A, Katajarinne L, Tulkki A. Work Ability Index, 2nd ed. FIOH 1998. Bands, and "
        "that dimension 2 is weighted by the type of work: wainetzwerk.de (Auswertung des WAI); range of the points of "
        "each dimension: haufe.de (HI2897933). The weights 1.5 and 0.5, the points by number of diseases, the steps of "
        "the prognosis and the meaning of the codes are recalled; points for mental resources as in public code of the "
        "VBG survey. No rule for missing answers found: all are required."
    ),
    licence_kind="scoring_only",
)
