"""The strongest reasons in plain words, what concerns the workplace before what concerns the person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from data_contracts.workplace_factors import WORKPLACE_FACTORS
from features.catalogue import feature
from features.workplace import ONE_OF_SEVERAL
from features.workplace_context import NAMES as ABOUT_OTHERS
from models.explanation import Reason
from serving.clinician.allocation import Allocation
from serving.clinician.language import Words
from serving.clinician.offers import Offer, WorkplaceMeasure, measure_for, offer_for
from serving.handlers.profile_bodies import ProfileValue
from serving.predictor import LOWERING, RAISING

WORK_TABLES = ("workplace_events", "employments")
MOST = {"raises": RAISING, "lowers": LOWERING}
"""How many reasons of a direction the overview shows."""


@dataclass(frozen=True)
class Line:
    """One reason.

    Parameters
    ----------
    reason : Reason
    about : str
        The range or interval its value is read in, its day, and whether it is stale.
    points : str
        What it adds, as printed on the page of contributions; empty where that is not known.
    offer : Offer or None
        Of the programme, where something can be done about it.
    measure : WorkplaceMeasure or None
        Of the workplace, the same; it goes before the offer.
    """

    reason: Reason
    about: str
    points: str
    offer: Offer | None
    measure: WorkplaceMeasure | None


@dataclass(frozen=True)
class Column:
    """The reasons of one direction."""

    work: tuple[Line, ...]
    personal: tuple[Line, ...]

    @property
    def is_empty(self) -> bool:
        """True where the model found nothing in this direction."""
        return not self.work and not self.personal


def is_about_work(name: str) -> bool:
    """Return whether a feature tells of the workplace: what is strain there, is not the person's to solve alone."""
    scale = name.removesuffix("_change").removesuffix("_slope")
    return scale in WORKPLACE_FACTORS or name in ABOUT_OTHERS or feature(name).table in WORK_TABLES


def strongest(reasons: Iterable[Reason], direction: str) -> list[Reason]:
    """Return the first reasons of a direction, but for what is not known and groups that the person is not in."""
    told = [one for one in reasons if one.direction == direction and not one.missing and not _is_of_another_group(one)]
    return told[: MOST[direction]]


def _is_of_another_group(reason: Reason) -> bool:
    return reason.feature in ONE_OF_SEVERAL and reason.value == 0


def column(
    say: Words, reasons: Iterable[Reason], direction: str, values: Mapping[str, ProfileValue], parts: Allocation | None
) -> Column:
    """Return the strongest reasons of a direction.

    Parameters
    ----------
    say : Words
    reasons : iterable of Reason
        The largest contribution first.
    direction : {"raises", "lowers"}
    values : mapping
        The person's profile by feature name: from there come reference intervals and ranges.
    parts : Allocation or None
        What each adds, where that is known.
    """
    lines = [_line(say, one, values.get(one.feature), parts) for one in strongest(reasons, direction)]
    return Column(
        work=tuple(one for one in lines if is_about_work(one.reason.feature)),
        personal=tuple(one for one in lines if not is_about_work(one.reason.feature)),
    )


def _line(say: Words, reason: Reason, value: ProfileValue | None, parts: Allocation | None) -> Line:
    is_offered = reason.direction == "raises" and reason.modifiable
    return Line(
        reason=reason, about=_about(say, reason, value),
        points="" if parts is None else part_text(say, parts, parts.printed[reason.feature]),
        offer=offer_for(reason.group) if is_offered else None,
        measure=measure_for(reason.feature) if is_offered else None,
    )  # fmt: skip


def offers(lines: Iterable[Line]) -> tuple[Offer, ...]:
    """Return the offers of some reasons, each once, in their order."""
    return tuple({one.offer.domain: one.offer for one in lines if one.offer is not None}.values())


def _about(say: Words, reason: Reason, value: ProfileValue | None) -> str:
    told = ["" if value is None else range_text(say, value)]
    if reason.observed_on:
        told.append(say("registrert %(day)s", day=say.day(reason.observed_on)))
    if value is not None and value.stale:
        told.append(say("eldre enn det som regnes som nytt"))
    return "; ".join(one for one in told if one)


def part_text(say: Words, parts: Allocation, printed: int) -> str:
    """Return what a part adds, with its sign and unit, such as "+1,2 prosentpoeng"."""
    number = ("+" if printed > 0 else "") + fixed(say, parts.value(printed), parts.digits)
    if parts.unit == "log_odds":
        return say("%(n)s i log-odds", n=number)
    return say("%(n)s prosentpoeng", n=number) if parts.unit == "points" else say("%(n)s dager", n=number)


def fixed(say: Words, value: float, digits: int) -> str:
    """Return a number with all its decimals, so that columns can be added up by eye."""
    text = f"{value:.{digits}f}".replace("-", "−")
    return text.replace(".", ",") if say.language == "nb" else text


def range_text(say: Words, value: ProfileValue) -> str:
    """Return beside what a value is read: the reference interval of a measurement, or the range of a scale."""
    if value.kind == "scale":
        return _scale_text(say, value)
    interval = value.interval
    if interval is None or (interval.low is None and interval.high is None):
        return ""
    low, high = (None if limit is None else say.number(limit, 2) for limit in (interval.low, interval.high))
    if low is None:
        bounds = say("under %(high)s", high=high)
    else:
        bounds = say("over %(low)s", low=low) if high is None else f"{low}–{high}"
    if interval.source == "laboratory":
        return say("referanse %(bounds)s (laboratoriets egen)", bounds=bounds)
    return say("referanse %(bounds)s (publisert for kjønn og alder)", bounds=bounds)


def _scale_text(say: Words, value: ProfileValue) -> str:
    one = feature(value.name)
    ends: dict[str, Any] = {"low": say.number(one.low, 1), "high": say.number(one.high, 1)}
    if value.higher_is == "worse":
        return say("skala %(low)s–%(high)s, der høyt er mer belastning", **ends)
    return say("skala %(low)s–%(high)s, der høyt er bra", **ends)
