"""The latest level of every measurement, beside its reference interval and the level before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, canonical, reference_limits
from data_contracts.tables import Table
from data_contracts.time_windows import NO_DAY, calendar_date, is_visible, to_day_numbers
from features.catalogue import POSITIONS, feature
from features.gathering import COMPARATORS, EXACT
from features.lab_series import Latest, Series, latest, places, series
from features.life_situation import age_in_year_of, is_female
from models.wording import shown_value
from serving.case import Case
from serving.handlers.profile_bodies import Interval, Position, ProfileValue, Trend
from serving.handlers.profile_scales import trend
from serving.responses import Texts

_SIGNS: dict[int, Literal["<", "<=", ">=", ">"]] = {-2: "<", -1: "<=", 1: ">=", 2: ">"}
assert {sign: number for number, sign in _SIGNS.items()} == COMPARATORS
_DIRECTIONS: dict[int, Literal["worse", "better", "neither"]] = {1: "worse", 0: "neither", -1: "better"}


class _Limits(NamedTuple):
    low: float
    high: float


def measurements(case: Case, tables: dict[str, Table]) -> Iterator[ProfileValue]:
    """Yield one value per analyte with a result at the index date, in the order of the analytes."""
    if not len(case.known.labs["person"]):
        return
    place = places(case.known)
    exact = series(case.known, place)
    found = latest(case.known, place, exact)
    for position in (found.day != NO_DAY).nonzero()[0].tolist():
        yield _value(case, position, found, exact, _own_limits(tables["lab_results"], position, found, case.t))


def _value(case: Case, position: int, found: Latest, exact: Series, own: _Limits | None) -> ProfileValue:
    analyte, day = ANALYTES[position], int(found.day[position])
    value, sign = float(found.value[position]), int(found.comparator[position])
    one = feature(analyte.name)
    return ProfileValue(
        name=analyte.name,
        kind="measurement",
        label=Texts(nb=analyte.label_nb, en=analyte.label_en),
        value=value,
        comparator=_SIGNS.get(sign),
        shown=shown_measurement(analyte, value, sign),
        unit=analyte.unit,
        observed_on=calendar_date(day),
        days_old=case.t - day,
        stale=case.t - day > analyte.valid_days,
        valid_days=analyte.valid_days,
        higher_is=_DIRECTIONS[analyte.higher_is_worse],
        interval=_interval(own, "laboratory") if own else _interval(_fallback(case, position, day), "fallback"),
        position=_position(case, analyte),
        cutoffs=(),
        cutoff=None,
        # A bound has no distance to the value before it.
        trend=_trend(exact, position) if sign == EXACT else None,
        percentile=None,
        reliability=None,
        modifiable=one.modifiable,
    )


def shown_measurement(analyte: Analyte, value: float, sign: int) -> Texts:
    """Return a level with its unit as text; ``sign`` is its comparator's number in ``COMPARATORS``, or ``EXACT``."""
    shown = shown_value(feature(analyte.name), value, False)
    mark = f"{_SIGNS[sign]} " if sign in _SIGNS else ""
    return Texts(nb=mark + shown["nb"], en=mark + shown["en"])


def _trend(exact: Series, position: int) -> Trend | None:
    mine = exact.place == position
    return trend(exact.day[mine].tolist(), exact.value[mine].tolist())


def _position(case: Case, analyte: Analyte) -> Position | None:
    """Return where the value lies, as the feature of its distance tells."""
    column = POSITIONS.get(f"{analyte.name}_distance")
    distance = math.nan if column is None else float(case.values[0, column])
    if math.isnan(distance):
        return None
    return "inside" if distance == 0 else "above" if distance > 0 else "below"


def _interval(limits: _Limits, source: Literal["laboratory", "fallback"]) -> Interval | None:
    low, high = (None if math.isnan(limit) else limit for limit in limits)
    return None if low is None and high is None else Interval(low=low, high=high, source=source)


def _fallback(case: Case, position: int, day: int) -> _Limits:
    person = np.zeros(1, dtype=np.intp)
    age = age_in_year_of(case.known, person, np.array([day], dtype=np.int32))
    low, high = reference_limits(np.array([position]), is_female(case.known).astype(np.int8), age)
    return _Limits(float(low[0]), float(high[0]))


def _own_limits(table: Table, position: int, found: Latest, t: int) -> _Limits | None:
    """Return the laboratory's own limits of the result that counts, in the canonical unit; None where it gave none."""
    known_from, sampled_on = to_day_numbers(table["known_from"]), to_day_numbers(table["sampled_on"])
    rows = ((sampled_on == found.day[position]) & is_visible(known_from, t)).nonzero()[0]
    for row in rows[np.argsort(-known_from[rows], kind="stable")].tolist():
        system, code, unit = (table[name][[row]].texts()[0] or "" for name in ("code_system", "code", "unit"))
        conversion = canonical(system, code, unit)
        if conversion is None or conversion[0] != position:
            continue
        _, factor, offset = conversion
        value, low, high = (
            float(table[name][row]) * factor + offset for name in ("value", "reference_low", "reference_high")
        )
        if value == found.value[position]:  # else another result of that day, or a derived one
            return None if math.isnan(low) and math.isnan(high) else _Limits(low, high)
    return None
