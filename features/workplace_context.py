"""How the *others* at a person's workplace are: absence, survey scores and number, without the person.

Absence runs in workplaces, and a person's colleagues say something about what they work with that the person's own
answers do not. A plain mean over the workplace would hold the person's own answers, and in training be a leak of them
in small units: so the person's own part is taken away (leave-one-out), and the rest counts if ten others are behind it.

The totals come from :func:`workplace_context`, from the same histories or, for a single record, from a snapshot of an
earlier day. What a person contributed to a snapshot is worked out by the function that built it, from the person's own
history as it was known on the snapshot's day, on the snapshot's terms. So it is taken away if and only if it is there:
not of somebody who has come since. Where the history does not say how it stood on that day, the others are unknown.

What the totals protect, and what they do not: :mod:`features.workplace_totals`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.instruments import INSTRUMENTS, Scale
from data_contracts.records import TABLES
from data_contracts.time_windows import Days, calendar_date
from features.as_of import Known, KnownAtWork, at_work
from features.feature import Direction, Feature, FeatureGroup
from features.histories import Histories
from features.segments import reduce_groups
from features.workplace_part import (
    IS_PART,
    OF_MEASURES,
    Places,
    contributions,
    main_places,
    undecided_measures,
    undecided_places,
)
from features.workplace_totals import (
    COLUMNS,
    FEWEST_OTHERS,
    FEWEST_PUBLISHED,
    MEASURES,
    N_COUNTS,
    RANGES,
    SCALE_NAMES,
    UNITS_OF_SUMS,
    YEAR,
    Sum,
    WorkplaceContext,
    from_document,
    merged,
    sorted_places,
)

__all__ = ["FEATURES", "GROUP", "NAMES", "VALID_DAYS", "Sum", "WorkplaceContext", "context_features", "from_document",
           "is_current", "merged", "workplace_context"]  # fmt: skip

VALID_DAYS = 183
"""Half a year: of an older snapshot nothing is told. Training sees the others as they are on the index date itself; at half
a year, half of the year that a snapshot counts is still common with the year before the index date."""

PERSONS_AT_ONCE = 20_000

_OTHERS = "others whose main job on the day s of the context is in the same"
_ELSE_NAN = (
    f"told only if at least {FEWEST_PUBLISHED} persons stand behind the total and at least {FEWEST_OTHERS} of them are others; "
    f"NaN also if own rows known from s on tell of days before s, or if t - s is over {VALID_DAYS}"
)
_LEVELS = {"company": ("bedriften", "the company"), "unit": ("enheten", "the unit")}
_SCALE_OF = {scale.name: scale for instrument in INSTRUMENTS.values() for scale in instrument.scales}
_EXPECTED: dict[str, tuple[Direction, str]] = {
    "days_doctor_365": (1, "Mathieu & Kohler 1990, J Appl Psychol 75:217: absence of the group and of the person"),
    "cbi_work": (1, "Bakker, van Emmerik & Euwema 2006, Work Occup 33:464: burnout of the team and of the person"),
}


def _feature(level: str, measure: str, table: str, nb: str, en: str, what: str) -> Feature:
    place_nb, place_en = _LEVELS[level]
    low, high = RANGES[MEASURES.index(measure)]
    direction, source = _EXPECTED.get(measure, (0, ""))
    return Feature(
        name=f"{level}_{measure}",
        unit="d" if table == "absence_spells" else "score",
        label_nb=f"Andre i {place_nb}, gjennomsnitt: {nb}",
        label_en=f"Others in {place_en}, mean: {en}",
        # Of the person's own domains none: it is the workplace that is told of.
        domain="stress_and_work_environment",
        # Nobody can change the colleagues they have.
        modifiable=False,
        expected_direction=direction,
        table=table,
        meaning=f"mean of {what} over the {_OTHERS} {level}; {_ELSE_NAN}",
        low=low,
        high=high,
        source=source,
        valid_days=VALID_DAYS,
    )


def _absence(level: str) -> Feature:
    words = "legemeldte fraværsdager siste år", "doctor-certified absence days, last year"
    return _feature(level, MEASURES[0], "absence_spells", *words, f"days_doctor_{YEAR} at s")


def _score(level: str, scale: Scale) -> Feature:
    words = scale.label_nb, scale.label_en
    return _feature(level, scale.name, "survey_answers", *words, f"the latest score answered in [s-{YEAR}, s)")


_PERSONS = Feature(
    name="company_persons",
    unit="1",
    label_nb="Andre i bedriften som deltar i programmet",
    label_en="Others in the company who take part in the programme",
    domain="life_situation",
    modifiable=False,
    expected_direction=0,
    table="employments",
    meaning=f"number of {_OTHERS} company; {_ELSE_NAN}",
    low=FEWEST_OTHERS,
    valid_days=VALID_DAYS,
)

FEATURES = (
    *(
        feature
        for level in _LEVELS
        for feature in (_absence(level), *(_score(level, _SCALE_OF[name]) for name in SCALE_NAMES))
    ),
    _PERSONS,
)
NAMES = frozenset(feature.name for feature in FEATURES)
_SOURCES = np.array([SOURCES.index(str(TABLES[feature.table].consent_source)) for feature in FEATURES])


_LEVEL_OF = np.array([*np.repeat(np.arange(len(_LEVELS)), len(MEASURES)), 0])
_MEASURE_OF = np.tile(np.arange(len(MEASURES)), len(_LEVELS))
"""Level and measure of each feature; the last one, the number of persons, has a level only."""


def _unknown(known: Known) -> np.ndarray:
    """Without a context nothing is known of the others."""
    return np.full((len(known), len(FEATURES)), np.nan, dtype=np.float32)


GROUP = FeatureGroup("workplace_context", FEATURES, _unknown)


def workplace_context(histories: Histories, day: int) -> WorkplaceContext:
    """Add up, per company and unit, what was known on the morning of a day.

    Parameters
    ----------
    histories : Histories of N persons
        A person counts whose main job is known on that day, with consent for employment data, and for the data of a
        measure.
    day : int
        Day number s.

    Returns
    -------
    WorkplaceContext
        ``merged`` contexts of disjoint persons equal the context of all.
    """
    keys, totals = [], []
    for first in range(0, len(histories), PERSONS_AT_ONCE):
        part = histories.between(first, min(first + PERSONS_AT_ONCE, len(histories)))
        known = at_work(part, day)
        places = main_places(known)
        own = contributions(known, places, part.told)
        counted = own[:, IS_PART].nonzero()[0]
        key, total = _summed(_key(histories, places)[counted], own[counted])
        keys.append(key)
        totals.append(total)
    if not keys:
        return WorkplaceContext(day, histories.terms, (), np.zeros((0, len(COLUMNS)), dtype=np.int64))
    return _named(histories, day, *_summed(np.concatenate(keys), np.concatenate(totals)))


def context_features(known: Known, histories: Histories, context: WorkplaceContext) -> np.ndarray:
    """Number the others at the workplace.

    Parameters
    ----------
    known : Known of N persons
        The cut of ``histories`` at the index dates.
    histories : Histories of the same N persons
    context : WorkplaceContext

    Returns
    -------
    float32 array, shape (N, 11)
        NaN without ten others, without consent for employment data or for those of the measure, where the context is
        more than ``VALID_DAYS`` older than the index date, and where it is older at all and the person's own part in it
        cannot be decided: :func:`~features.workplace_part.undecided_places`, and of a measure
        :func:`~features.workplace_part.undecided_measures`, or consent that is not shown to have been in force.

    Raises
    ------
    ValueError
        If the context is of a day after an index date, or the histories cannot tell who was part of it.
    """
    t, day = known.t, context.day
    if not len(t):
        return _unknown(known)
    first, last = t.min(), t.max()
    if first < day:
        raise ValueError(f"a context of {calendar_date(day)} is of a day after an index date")
    if not is_current(context, first):
        return _unknown(known)
    here = there = main_places(known)
    then: Known | KnownAtWork = known
    if last > day:
        then = at_work(histories, day)
        there = main_places(then)
    consented = histories.consented_on(context.terms)
    own = contributions(then, there, consented)
    shown = np.empty((len(t), len(_LEVELS)), dtype=bool)
    shown[:, 0] = (here.company == there.company) & (own[:, IS_PART] != 0)
    shown[:, 1] = shown[:, 0] & (here.unit == there.unit)
    result = _means(_totals(context, histories, here) - own[:, np.newaxis] * shown[:, :, np.newaxis])
    # Without consent for employment data there is no place, and so nobody at it.
    result[~known.consented[:, _SOURCES]] = np.nan
    if last > day:
        undecided = undecided_places(known, histories, here, shown, day)[:, _LEVEL_OF]
        undecided[:, :-1] |= (undecided_measures(histories, t, day) | ~consented[:, OF_MEASURES])[:, _MEASURE_OF]
        result[undecided & (t > day)[:, np.newaxis]] = np.nan
    if not is_current(context, last):
        result[~is_current(context, t)] = np.nan
    return result


def _means(others: np.ndarray) -> np.ndarray:
    """Turn totals of the others, int64 of shape (n, 2, 11), into the features; NaN where they are fewer than ten."""
    counts, contributors = others[:, 0, N_COUNTS - 1], others[:, :, : len(MEASURES)]
    means = np.full(contributors.shape, np.nan)
    # Dividing by a power of two is exact, so a mean is rounded once.
    np.divide(others[:, :, N_COUNTS:], UNITS_OF_SUMS * contributors, out=means, where=contributors >= FEWEST_OTHERS)
    result = np.empty((len(others), len(FEATURES)), dtype=np.float32)
    result[:, :-1] = means.reshape(len(others), -1)
    result[:, -1] = np.where(counts >= FEWEST_OTHERS, counts, np.nan)
    return result


def is_current(context: WorkplaceContext, t: Days) -> Any:
    """True where a context is neither of a later day than an index date nor too old for it."""
    age = t - context.day
    return (age >= 0) & (age <= VALID_DAYS)


def _key(histories: Histories, places: Places) -> np.ndarray:
    """Return one number per company and unit, small ones without a company."""
    return (places.company + 1) * (len(histories.units) + 1) + (places.unit + 1)


def _place_names(histories: Histories, keys: np.ndarray) -> list[tuple[str, str | None]]:
    """Names of the places that keys stand for: no unit where there is none, and no name that any company has without one."""
    companies, units = ("", *histories.companies), (None, *histories.units)
    pairs = (divmod(key, len(units)) for key in keys.tolist())
    return [(companies[company], units[unit]) for company, unit in pairs]


def _summed(key: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up the rows of equal keys."""
    order = key.argsort(kind="stable")
    distinct, group = np.unique(key[order], return_inverse=True)
    return distinct, reduce_groups(np.add, group, len(distinct), totals[order])


def _named(histories: Histories, day: int, keys: np.ndarray, totals: np.ndarray) -> WorkplaceContext:
    """Name the places, and add the companies to their units."""
    width = len(histories.units) + 1
    companies, of_companies = _summed(keys // width * width, totals)
    is_unit = keys % width != 0
    names = _place_names(histories, companies) + _place_names(histories, keys[is_unit])
    places = sorted_places(names)
    row = {place: position for position, place in enumerate(names)}
    rows = np.concatenate([of_companies, totals[is_unit]])[[row[place] for place in places]]
    return WorkplaceContext(day, histories.terms, places, rows.reshape(len(places), len(COLUMNS)))


def _totals(context: WorkplaceContext, histories: Histories, here: Places) -> np.ndarray:
    """Totals of each person's company and unit, int64, shape (n_persons, 2, 11); 0 without such a place."""
    keys, which = _key(histories, here), None
    if len(keys) > 1:
        keys, which = np.unique(keys, return_inverse=True)
    totals = context.of(_place_names(histories, keys))
    return totals if which is None else totals[which]
