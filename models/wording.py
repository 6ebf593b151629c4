"""The words in which risks and reasons are told, Norwegian bokmål and English, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_contracts.domains import DOMAIN_LABELS, Domain
from data_contracts.instruments import INSTRUMENTS
from data_contracts.instruments.instrument import Instrument, Scale
from features.feature import Feature


@dataclass(frozen=True)
class RiskBand:
    """A risk compared with the reference group: applies while ``risk < below * reference_risk``."""

    name: str
    below: float
    label_nb: str
    label_en: str


RISK_BANDS = (
    RiskBand("lower", 0.75, "lavere enn i referansegruppen", "lower than the reference group"),
    RiskBand("around", 1.5, "omtrent som i referansegruppen", "around the reference group"),
    RiskBand("above", 2.5, "høyere enn i referansegruppen", "above the reference group"),
    RiskBand("well_above", float("inf"), "klart høyere enn i referansegruppen", "well above the reference group"),
)


def risk_band(risk: float, reference_risk: float) -> RiskBand:
    """Return the band of a risk."""
    return next((band for band in RISK_BANDS if risk < band.below * reference_risk), RISK_BANDS[-1])


_ASSOCIATION = {
    "raises": {
        "nb": "Henger i modellen sammen med høyere risiko.",
        "en": "Is associated in the model with higher risk.",
    },
    "lowers": {
        "nb": "Henger i modellen sammen med lavere risiko.",
        "en": "Is associated in the model with lower risk.",
    },
    "none": {"nb": "Har ingen betydning i modellen her.", "en": "Plays no part in the model here."},
}
_POSSIBILITY = {"nb": " Her er det ofte mulig å gjøre noe.", "en": " There is often something one can do here."}
_NOTHING_MORE = {"nb": "", "en": ""}
_NOT_KNOWN = {"nb": "ikke kjent", "en": "not known"}
_NOT_USED = {"nb": "ikke brukt, fordi samtykke ikke er gitt", "en": "not used, because consent is not given"}
_YES_NO = ({"nb": "nei", "en": "no"}, {"nb": "ja", "en": "yes"})
_EDUCATION = (
    {"nb": "grunnskole", "en": "basic school"},
    {"nb": "videregående skole", "en": "upper secondary school"},
    {"nb": "høyere utdanning inntil fire år", "en": "up to four years of higher education"},
    {"nb": "høyere utdanning over fire år", "en": "more than four years of higher education"},
)
_NO_UNIT = ("", "")
_UNIT_WORDS = {
    "1": (_NO_UNIT, _NO_UNIT),
    "a": ((" år", " year"), (" år", " years")),
    "d": ((" dag", " day"), (" dager", " days")),
    "score": ((" poeng", " point"), (" poeng", " points")),
    "%": ((" %", "%"), (" %", "%")),
}
"""Singular and plural, each in Norwegian and English; other units are written as in ``_SYMBOLS`` or as they are."""

_SYMBOLS = {"mm[Hg]": "mmHg", "kg/m2": "kg/m²", "ug/L": "µg/L", "m[IU]/L": "mIU/L"}
_CHANGE, _SLOPE = "_change", "_slope"
_COUNT = "_count"
"""Ending of scales whose points are things that are counted."""

_PER_YEAR = "/a"
_YEARLY = (" per år", " per year")

_SHARES = ("quota_days_used_365", "quota_times_used_365", "survey_items_missing_share", "straight_lining_share")
"""Features that are a part of a whole, told in per cent."""


def _says_yes_or_no(instrument: Instrument, scale: Scale) -> bool:
    answers = [item.answers for item in instrument.items if item.id in scale.items]
    return scale.method == "criteria" or answers == [(0, 1)]


_FLAGS = frozenset(
    scale.name for one in INSTRUMENTS.values() for scale in one.scales if _says_yes_or_no(one, scale)
)  # fmt: skip
"""Scales that are yes or no."""


def shown_value(feature: Feature, value: float | None, without_consent: bool) -> dict[str, str]:
    """Return a value as text per language, with its unit, or why there is none."""
    if value is None:
        return _NOT_USED if without_consent else _NOT_KNOWN
    if feature.name in _SHARES:
        per_cent = f"{100 * value:.3g}"
        return {"nb": f"{per_cent.replace('.', ',')} %", "en": f"{per_cent}%"}
    if _is_flag(feature) and value in (0, 1):
        return _YES_NO[int(value)]
    if feature.unit == "level" and value in (1, 2, 3, 4):
        return _EDUCATION[int(value) - 1]
    number, (nb, en) = _number(feature, value), _unit_words(feature, value)
    return {"nb": number.replace(".", ",") + nb, "en": number + en}


def reason_text(feature: Feature, shown: dict[str, str], direction: str, is_known: bool) -> dict[str, str]:
    """Return one statement per language: what it is, its value, how the model takes it, and what can be done."""
    association = _ASSOCIATION[direction]
    # Nothing is advised where the model says "lower": it may say so of a value that is good for nobody, such as a long absence
    # of answers, or of much exhaustion in a model that found the opposite of what is expected.
    possibility = _POSSIBILITY if direction == "raises" and feature.modifiable and is_known else _NOTHING_MORE
    return {
        "nb": f"{feature.label_nb}: {shown['nb']}. {association['nb']}{possibility['nb']}",
        "en": f"{feature.label_en}: {shown['en']}. {association['en']}{possibility['en']}",
    }


_HIGHER, _LOWER, _SAME = (
    {"nb": "høyere", "en": "higher"},
    {"nb": "lavere", "en": "lower"},
    {"nb": "omtrent likt", "en": "about the same"},
)
_NEARLY_NOTHING = 0.1
"""In log-odds: a difference that moves a risk of 20 % by less than two percentage points is not worth a word."""

_MOST_DOMAINS = 2


def compared_text(group: dict[str, str], difference: float, domains: Sequence[tuple[Domain, float]]) -> dict[str, str]:
    """Say how a number differs from a group's mean, and which domains tell most of it, per language.

    Parameters
    ----------
    group : dict of str
        The group in words.
    difference : float
        Log-odds of the person less the mean of the group.
    domains : sequence of (domain, float)
        The difference of each, the largest first.
    """
    told = [(domain, part) for domain, part in domains[:_MOST_DOMAINS] if abs(part) >= _NEARLY_NOTHING]
    words = {"nb": ("Sammenlignet med {}, er modellens tall {}", "; det henger mest sammen med {}.", " og "),
             "en": ("Compared with {}, the model's number is {}", "; it is mostly associated with {}.", " and ")}  # fmt: skip
    found = {}
    for language, (opening, rest, joined) in words.items():
        listed = joined.join(
            f"{DOMAIN_LABELS[domain][language].lower()} ({_compared(part)[language]})" for domain, part in told
        )
        opened = opening.format(group[language], _compared(difference)[language])
        found[language] = opened + (rest.format(listed) if told else ".")
    return found


def _compared(difference: float) -> dict[str, str]:
    if abs(difference) < _NEARLY_NOTHING:
        return _SAME
    return _HIGHER if difference > 0 else _LOWER


def _number(feature: Feature, value: float) -> str:
    number = f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    sign = "+" if value > 0 and _is_difference(feature) else ""
    return sign + number.replace("-", "−")


def _is_difference(feature: Feature) -> bool:
    # Changes, courses, distances and trends are what may lie below 0; so does the season, a fact about t in table "persons".
    return feature.low < 0 and feature.table != "persons"


def _unit_words(feature: Feature, value: float) -> tuple[str, str]:
    unit = feature.unit.removesuffix(_PER_YEAR)
    nb, en = _NO_UNIT if _is_count(feature) else _words_of(unit, value)
    return (nb, en) if unit == feature.unit else (nb + _YEARLY[0], en + _YEARLY[1])


def _words_of(unit: str, value: float) -> tuple[str, str]:
    if unit not in _UNIT_WORDS:
        symbol = f" {_SYMBOLS.get(unit, unit)}"
        return symbol, symbol
    return _UNIT_WORDS[unit][abs(value) != 1]


def _is_count(feature: Feature) -> bool:
    return feature.name.removesuffix(_CHANGE).removesuffix(_SLOPE).endswith(_COUNT)


def _is_flag(feature: Feature) -> bool:
    # The catalogue has no kind of its own for yes/no: such a feature says in its meaning what 1 stands for.
    return feature.name in _FLAGS or (feature.unit == "1" and feature.meaning.startswith("1 "))
