"""What a number says, in one sentence with its interval, since people understand that better than a diagram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from models.outcomes.burnout import FIRST_DAY_AFTER
from serving.clinician.language import Words
from serving.clinician.messages import N_
from serving.responses import OutcomeRisk

_DAYS_PER_MONTH = 365 / 12

_FIRST: Mapping[str, str] = MappingProxyType(
    {
        "burnout": N_(
            "Modellen anslår at %(n)s av 100 med lignende profil kommer på 50 eller mer ved neste spørreskjema om utmattelse "
            "(CBI), %(first)s til %(last)s måneder fram."
        ),
    }
)
"""By outcome, where the label cannot stand in a sentence."""

_EVENT = N_("Modellen anslår at %(n)s av 100 med lignende profil får %(what)s de neste %(span)s.")
_DAYS = N_(
    "Modellen anslår at personer med lignende profil i snitt får %(n)s de neste %(span)s, regnet om til full stilling."
)


@dataclass(frozen=True)
class Headline:
    """A number in words; ``of_100`` and ``reference_of_100`` are None where days are expected."""

    sentence: str
    interval: str
    reference: str
    short: str
    of_100: int | None
    reference_of_100: int | None


def headline(say: Words, outcome: str, risk: OutcomeRisk) -> Headline | None:
    """Return what is said of an outcome, None where the model has given no number."""
    if risk.risk is not None:
        return _of_risk(say, outcome, risk, risk.risk)
    return None if risk.expected_days is None else _of_days(say, risk, risk.expected_days)


def _of_risk(say: Words, outcome: str, risk: OutcomeRisk, number: float) -> Headline:
    what = _inside_a_sentence(say.said(risk.label))
    sentence = say(
        _FIRST.get(outcome, _EVENT), n=about(say, number), what=what, span=span(say, risk.horizon_days),
        first=_months(FIRST_DAY_AFTER), last=_months(risk.horizon_days),
    )  # fmt: skip
    among = risk.reference_risk
    return Headline(
        sentence=sentence,
        interval=_interval(say, risk.target, risk.interval and (of_100(risk.interval[0]), of_100(risk.interval[1]))),
        reference="" if among is None else say("I referansegruppen: %(n)s av 100.", n=_n_of_100(say, among)),
        short=short(say, risk.target, number),
        of_100=of_100(number),
        reference_of_100=None if among is None else of_100(among),
    )


def _of_days(say: Words, risk: OutcomeRisk, days: float) -> Headline:
    n = say.plural("omtrent %(n)s sykefraværsdag", "omtrent %(n)s sykefraværsdager", _rounded(days))
    among, bounds = risk.reference_days, risk.expected_days_interval
    return Headline(
        sentence=say(_DAYS, n=n, span=span(say, risk.horizon_days)),
        interval=_interval(say, risk.target, bounds and (_rounded(bounds[0]), _rounded(bounds[1]))),
        reference="" if among is None else say("I referansegruppen: %(days)s i snitt.", days=_days(say, among)),
        short=short(say, risk.target, days),
        of_100=None,
        reference_of_100=None,
    )


def of_100(risk: float) -> int:
    """Return a risk as so many of a hundred."""
    return round(100 * risk)


def about(say: Words, risk: float) -> str:
    """Return "omtrent 12", or what can be said of a risk that rounds to nobody."""
    return say("færre enn 1") if of_100(risk) == 0 else say("omtrent %(n)s", n=of_100(risk))


def _n_of_100(say: Words, risk: float) -> str:
    return say("færre enn 1") if of_100(risk) == 0 else say.number(of_100(risk))


def short(say: Words, target: str, number: float) -> str:
    """Return a number in the fewest words: "12 av 100", or "9 dager"."""
    return say("%(n)s av 100", n=_n_of_100(say, number)) if target == "event" else _days(say, number)


def _days(say: Words, days: float) -> str:
    return say.plural("%(n)s dag", "%(n)s dager", _rounded(days))


def _rounded(days: float) -> int:
    return round(days)


def _interval(say: Words, target: str, bounds: tuple[int, int] | None) -> str:
    if bounds is None:
        return ""
    low, high = bounds
    if low == high and target == "event":
        return say("Usikkerheten i modellen er mindre enn 1 av 100.")
    if low == high:
        return say("Usikkerheten i modellen er mindre enn én dag.")
    return say(
        "Modellens egen usikkerhet: %(low)s til %(high)s (90 prosent intervall). Det gjelder tallet, ikke hvordan det går "
        "med personen.",
        low=low, high=high,
    )  # fmt: skip


def span(say: Words, days: int) -> str:
    """Return so many days as people say them: "12 månedene", "14 dagene"."""
    months = _months(days)
    if months and abs(months * _DAYS_PER_MONTH - days) <= max(3, days / 50):
        return say.plural("%(n)s måneden", "%(n)s månedene", months)
    return say.plural("%(n)s dagen", "%(n)s dagene", days)


def _months(days: int) -> int:
    return round(days / _DAYS_PER_MONTH)


def trained_on(say: Words, window: object) -> str:
    """Return from when to when a model was trained, empty where it does not say so."""
    if not isinstance(window, dict) or not {"first_index_date", "last_index_date"} <= window.keys():
        return ""
    first, last = (say.day(date.fromisoformat(window[name])) for name in ("first_index_date", "last_index_date"))
    return say("trent på data fra %(first)s til %(last)s", first=first, last=last)


def _inside_a_sentence(label: str) -> str:
    return label[:1].lower() + label[1:]
