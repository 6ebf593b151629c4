"""The words in which risks and reasons are told, Norwegian bokmål and English, in one place."""

from __future__ import annotations

from dataclasses import dataclass

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
_POSSIBILITY = {
    "raises": {"nb": " Her er det ofte mulig å gjøre noe.", "en": " There is often something one can do here."},
    "lowers": {"nb": " Verdt å ta vare på.", "en": " Worth keeping up."},
    "none": {"nb": "", "en": ""},
}
_NOT_KNOWN = {"nb": "ikke kjent", "en": "not known"}
_NOT_USED = {"nb": "ikke brukt, fordi samtykke ikke er gitt", "en": "not used, because consent is not given"}
_YES_NO = {"nb": ("nei", "ja"), "en": ("no", "yes")}
_UNIT_WORDS = {
    "1": {"nb": "", "en": ""},
    "level": {"nb": "", "en": ""},
    "a": {"nb": "år", "en": "years"},
    "d": {"nb": "dager", "en": "days"},
    "score": {"nb": "poeng", "en": "points"},
}


def reason_text(feature: Feature, value: float | None, direction: str, without_consent: bool) -> dict[str, str]:
    """Return one statement per language: what it is, its value, how the model takes it, and what can be done."""
    texts = {}
    for language, label in (("nb", feature.label_nb), ("en", feature.label_en)):
        if value is None:
            shown, possibility = (_NOT_USED if without_consent else _NOT_KNOWN)[language], ""
        else:
            shown = _value_text(feature, value, language)
            possibility = _POSSIBILITY[direction][language] if feature.modifiable else ""
        texts[language] = f"{label}: {shown}. {_ASSOCIATION[direction][language]}{possibility}"
    return texts


def _value_text(feature: Feature, value: float, language: str) -> str:
    if _is_flag(feature) and value in (0, 1):
        return _YES_NO[language][int(value)]
    number = f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    number = number.replace(".", ",") if language == "nb" else number
    return f"{number} {_UNIT_WORDS.get(feature.unit, {language: feature.unit})[language]}".strip()


def _is_flag(feature: Feature) -> bool:
    # The catalogue has no kind of its own for yes/no: such a feature says in its meaning what 1 stands for.
    return feature.unit == "1" and feature.meaning.startswith("1 ")
