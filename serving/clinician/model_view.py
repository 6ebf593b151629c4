"""What the model pages say of one model in service, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.model_card.checklists import declared
from models.model_card.numbers import is_interval, is_small
from serving.case import Served
from serving.clinician.language import Words
from serving.clinician.messages import N_
from serving.clinician.model_evidence import Evidence, State
from serving.clinician.model_groups import harmed_groups
from serving.clinician.sentences import span

Fact = tuple[str, str]

_KINDS: Mapping[str, str] = {
    "linear": N_("lineær modell"),
    "additive": N_("additiv modell: en kurve for hver opplysning"),
    "lightgbm": N_("beslutningstrær (gradient boosting)"),
}

_WHAT: Mapping[str, str] = {
    "burnout": N_(
        "Modellen anslår hvor mange av 100 ansatte med lignende profil som svarer 50 eller mer på CBI ved neste spørreskjema "
        "om utmattelse, 3 til 13 måneder fram."
    ),
    "absence_days": N_(
        "Modellen anslår hvor mange sykefraværsdager en ansatt får de neste %(span)s, regnet om til full stilling."
    ),
}
"""By outcome, where the label cannot stand in a sentence."""
_EVENT = N_("Modellen anslår hvor mange av 100 ansatte med lignende profil som får «%(label)s» de neste %(span)s.")
_DAYS = N_("Modellen anslår hvor mange dager en ansatt får av «%(label)s» de neste %(span)s.")


@dataclass(frozen=True)
class ModelView:
    """One model in service, told in one language.

    Attributes
    ----------
    what : str
        What it predicts, for whom, in one sentence.
    headline, calibrated : str
        How well it ranks, and how well its numbers fit, with intervals; empty where that is not known.
    facts : tuple of (name, value)
        Version, data window, persons and events.
    use : mapping
        Intended use, misuse, oversight and limits: the declaration that the model card prints too.
    """

    outcome: str
    label: str
    evaluation: State
    what: str
    headline: str
    calibrated: str
    warnings: tuple[str, ...]
    facts: tuple[Fact, ...]
    use: Mapping[str, Any]


def model_view(served: Served, evaluation: Evidence, say: Words) -> ModelView:
    """Return what is told of a model in words; sentences whose numbers did not come along are empty."""
    model, found = served.model, evaluation.content or {}
    return ModelView(
        outcome=model.outcome,
        label=say.said(served.label),
        evaluation=evaluation.state,
        what=_what(served, say),
        headline=_headline(found, say),
        calibrated=_calibrated(found, say),
        warnings=_warnings(found, say),
        facts=_facts(served, found, say),
        use=declared("use")[say.language],
    )


def _what(served: Served, say: Words) -> str:
    model = served.model
    told = _WHAT.get(model.outcome, _EVENT if model.link == "logit" else _DAYS)
    what = say(told, label=say.said(served.label), span=span(say, served.horizon_days))
    return f"{what} {say('Den gjelder ansatte som er på jobb.')}"


def _headline(found: Mapping[str, Any], say: Words) -> str:
    metrics = found.get("metrics", {})
    if _is_known(metrics.get("auroc")):
        return say(
            "Rangerer riktig i %(value)s av 100 par (95 prosent intervall %(low)s–%(high)s): den ene fikk hendelsen og den "
            "andre ikke, og den første hadde høyest tall. Loddtrekning gir 50.",
            **_hundredths(metrics["auroc"], say),
        )
    if _is_known(metrics.get("mae")):
        return say(
            "Bommer med %(value)s dager i gjennomsnitt (95 prosent intervall %(low)s–%(high)s).",
            **{end: say.number(metrics["mae"][end], 1) for end in ("value", "low", "high")},
        )
    return ""


def _calibrated(found: Mapping[str, Any], say: Words) -> str:
    ratio = found.get("metrics", {}).get("observed_to_expected")
    if not _is_known(ratio):
        return ""
    ends = _hundredths(ratio, say)
    if found.get("target") == "days":
        told = say(
            "For hver 100 dager modellen ventet, kom det %(value)s (95 prosent intervall %(low)s–%(high)s).", **ends
        )
    else:
        told = say(
            "For hver 100 hendelser modellen ventet, kom det %(value)s (95 prosent intervall %(low)s–%(high)s).", **ends
        )
    return f"{told} {_verdict(found, ratio, say)}"


def _verdict(found: Mapping[str, Any], ratio: Mapping[str, float], say: Words) -> str:
    if found.get("few_events"):
        return say("Det er for få hendelser til å si om tallene treffer.")
    if ratio["low"] > 1:
        return say("Tallene er i gjennomsnitt for lave.")
    if ratio["high"] < 1:
        return say("Tallene er i gjennomsnitt for høye.")
    return say("Ingen sikker forskjell i gjennomsnitt. Intervallet viser hvor stor den kan være.")


def _warnings(found: Mapping[str, Any], say: Words) -> tuple[str, ...]:
    share = found.get("held_back")
    told = [
        say("Evalueringen fant tegn til at opplysninger fra etter tidspunktet kan ha kommet med. Les modellkortet.")
        if found.get("leakage_alarms")
        else "",
        say("Prøvd på færre enn 100 personer med hendelsen: intervallene er vide.") if found.get("few_events") else "",
        say("Tallet ble holdt tilbake for %(n)s av 100: for lite var kjent, eller verdiene var ulike dem modellen er laget av.",
            n=say.number(100 * share["value"], 1)) if share and share["value"] else "",
        *(say("Modellen passer dårligere for denne gruppen: %(group)s.", group=one) for one in harmed_groups(found, say)),
    ]  # fmt: skip
    return tuple(one for one in told if one)


def _facts(served: Served, found: Mapping[str, Any], say: Words) -> tuple[Fact, ...]:
    model = served.model
    facts, test = model.facts, found.get("test", {})
    kind = _KINDS.get(model.kind, model.kind)
    told: list[tuple[str, str | None]] = [
        (say("Versjon"), model.version),
        (say("Type"), f"{say(kind)} ({model.name})"),
        (say("Opplysninger den bruker"), say.number(len(model.feature_names))),
        (say("Laget av data fra"), _span(facts.get("trained_on"), say)),
        (say("Data slik de var kjent"), say.day(facts["data_as_of"]) if "data_as_of" in facts else None),
        (say("Personer den er laget av"), _count(facts, "persons", say)),
        (say("Rader (person og dag) med hendelsen"), _count(facts, "events", say) if model.link == "logit" else None),
        (say("Prøvd på data fra"), _span(test, say)),
        (say("Andre personer den er prøvd på"), _count(test, "persons", say)),
        (say("Av dem fikk hendelsen"), _count(test, "persons_with_event", say)),
        (say("Data"), say("simulerte personer") if served.body.synthetic else say("virkelige personer")),
        (say("Fingeravtrykk"), model.artifact_sha256[:12]),
    ]
    return tuple((name, value) for name, value in told if value)


def _span(found: Mapping[str, Any] | None, say: Words) -> str | None:
    ends = [found[end] for end in ("first_index_date", "last_index_date") if found and end in found]
    return "–".join(map(say.day, ends)) or None


def _count(found: Mapping[str, Any], name: str, say: Words) -> str | None:
    """Return a count as text; fewer than ten, and those that were left out for it, are not told."""
    if name not in found:
        return None
    n = found[name]
    return say("færre enn 10") if n is None or is_small(n) else say.number(n)


def _is_known(value: Any) -> bool:
    return is_interval(value) and None not in (value["value"], value["low"], value["high"])


def _hundredths(value: Mapping[str, float], say: Words) -> dict[str, str]:
    return {end: say.number(100 * value[end]) for end in ("value", "low", "high")}
