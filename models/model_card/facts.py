"""What a card is written from: the facts of one version, and the few that follow from others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.model_card.flow import Flow
from models.model_card.numbers import FactMissing, count, number, percent, veiled
from models.model_card.terms import BOOSTED, family_of, shapes_of, specification
from models.risk_model import RiskModel

LOWER_BOUND = "Of a boosted model one parameter per predictor is only a lower bound: it chooses far more."


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """Facts of one version of one model; what is not known is left empty, and the card says that it is missing.

    Parameters
    ----------
    outcome : str
    definition : str
        One or two sentences on what counts as the outcome.
    champion : mapping
        See :func:`champion_facts`; empty if nothing could be trained.
    report : mapping
        The report of ``evaluate``; any of its keys may be absent.
    lineage : mapping
        ``training_set_sha256``, ``champion_sha256``, ``contract_sha256``, ``code_revision``.
    registration : mapping
        ``version``, ``approver``, ``reason``, ``history``: of a registered version.
    study : mapping
        What the study team adds, see :class:`models.model_card.study.Study`.
    pictures : mapping of name to bytes
        PNG files by their name without ending, for example ``calibration``.
    not_enough_data : str
        Why nothing, or only the fallback, could be trained.
    synthetic : bool or None
        Whether the tables are of simulated persons; what champion or report say of their own goes before. None: not known.
    written_on : str
        Printed if given; no clock is read, so that equal facts give equal bytes.
    """

    outcome: str
    definition: str = ""
    champion: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, str] = field(default_factory=dict)
    registration: Mapping[str, str] = field(default_factory=dict)
    study: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    not_enough_data: str = ""
    synthetic: bool | None = None
    written_on: str = ""


def champion_facts(model: RiskModel) -> dict[str, Any]:
    """Return the facts of a trained model: those it carries, and what can be read off its parts."""
    return dict(model.facts) | {
        "name": model.name,
        "kind": model.kind,
        "n_features": len(model.feature_names),
        "reference_risk": model.reference_risk,
        "recalibration_intercept": model.recalibration_intercept,
        "recalibration_slope": model.recalibration_slope,
        "refits": len(model.refits),
        "family": family_of(model),
        "terms": shapes_of(model),
        "specification": specification(model),
    }


def context_of(facts: CardFacts) -> dict[str, Any]:
    """Return the names that the sentences of a card may use; a fact that is not there is left out."""
    champion, report = veiled(facts.champion), veiled(facts.report)
    test = report.get("test", {})
    found = report.get("models", {}).get(report.get("champion"), {})
    verdict = sample_size_verdict(champion)
    synthetic = champion.get("synthetic", report.get("synthetic", facts.synthetic))
    names = {
        "outcome": facts.outcome, "definition": facts.definition, "champion": champion, "report": report, "test": test,
        "found": found, "lineage": facts.lineage, "registration": facts.registration, "study": facts.study,
        "label": champion.get("label", {}).get("en", facts.outcome.replace("_", " ")),
        "label_nb": champion.get("label", {}).get("nb", facts.outcome.replace("_", " ")),
        "horizon_days": champion.get("horizon_days"), "target": report.get("target", champion.get("target", "event")),
        "synthetic": bool(synthetic), "synthetic_is_known": synthetic is not None,
        "shortage": shortage(facts), "sample_size_verdict": _words_of(verdict, champion.get("family")),
        "sample_size_is_enough": verdict.get("enough"), "event_share": event_share(test),
        "headline": headline(facts, found, test), "against_baselines": against_baselines(report),
        "settings": settings(champion), "leakage_alarm": leakage_alarm(report),
        "outcome_is_registered": "sick_leave" in facts.outcome or "absence" in facts.outcome,
        "has": parts_with_numbers(report),
        "flow": Flow.of(champion.get("flow", {}), champion.get("weights", {}).get("because", "")),
    }  # fmt: skip
    return {name: value for name, value in names.items() if value is not None}


def sample_size_verdict(champion: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the verdict on the sample size of the champion, empty if there is none.

    Verdicts are by candidate. A fallback has none of its own: what it stands in for is the candidate that needs fewest.
    """
    found = champion.get("sample_size") or {}
    if "enough" in found:
        return found
    verdicts = {name: one for name, one in found.items() if isinstance(one, Mapping) and "enough" in one}
    lacking = [one for one in verdicts.values() if not one["enough"]]
    fallback = min(lacking, key=lambda one: one["required_persons"], default={}) if champion.get("small_data") else {}
    return verdicts.get(champion.get("name", ""), fallback)


def _words_of(verdict: Mapping[str, Any], family: str | None) -> str | None:
    if {"enough", "required_persons", "persons", "parameters"} - verdict.keys():
        return None
    compared = (f"{verdict['parameters']} parameters take {count(verdict['required_persons'])} persons by Riley's criteria"
                f" ({verdict.get('criterion', 'the strictest of them')}); there are {count(verdict['persons'])}")  # fmt: skip
    told = f"Enough: {compared}." if verdict["enough"] else f"Not enough: {compared}."
    return f"{told} {LOWER_BOUND}" if family in BOOSTED else told


def shortage(facts: CardFacts) -> str:
    """Return "Not enough data for X; Y more persons needed" where that is so, else an empty string."""
    if facts.not_enough_data:
        return re.sub("^not enough", "Not enough", str(veiled(facts.not_enough_data)))
    small, verdict = facts.champion.get("small_data") or {}, sample_size_verdict(facts.champion)
    if not small and verdict.get("enough", True):
        return ""
    lack = verdict.get("missing_persons", small.get("missing_persons") if isinstance(small, Mapping) else None)
    label = facts.champion.get("label", {}).get("en", facts.outcome)
    more = f"{lack} more persons needed" if lack else "how many more persons are needed is not among the facts"
    instead = " What is shown is the published model, updated on these data." if small else ""
    return f"Not enough data for a model of its own of “{label}”; {more}.{instead}"


def event_share(test: Mapping[str, Any]) -> str | None:
    """Return the share of events, unless it would tell a suppressed count."""
    if not {"weighted_event_share", "persons_with_event"} <= test.keys():
        return None
    is_told = not count(test["persons_with_event"]).startswith("<")
    return percent(test["weighted_event_share"]) if is_told else "not shown (few events)"


def headline(facts: CardFacts, found: Mapping[str, Any], test: Mapping[str, Any]) -> str | None:
    """Return how well it works in one sentence with its interval, None if it was not evaluated."""
    try:
        rows = f"{count(test['persons'])} other persons at later dates"
        if "mae" in found:
            return (
                f"On {rows} it was off by {number(found['mae'])} days on average (95 % interval), and "
                f"{number(found['observed_to_expected'])} times as many days came as it expected."
            )
        few = " There were too few events for a verdict on calibration." if test["persons_with_event"] < 100 else ""
        return (
            f"On {rows} it ranked somebody with the event above somebody without in {number(found['auroc'])} of all "
            f"pairs (AUROC, 95 % interval; 0.5 is chance), and {number(found['observed_to_expected'])} times as many "
            f"events came as it expected.{few}"
        )
    except (KeyError, FactMissing):
        return None


def against_baselines(report: Mapping[str, Any]) -> str | None:
    """Return the AUROC of the other candidates on the same rows, None if there are none."""
    areas = {name: found.get("auroc") for name, found in report.get("models", {}).items()}
    others = [f"{name} {number(area)}" for name, area in areas.items() if area and name != report.get("champion")]
    return f"Others on the same rows, AUROC: {'; '.join(others)}." if others else None


def settings(champion: Mapping[str, Any]) -> str | None:
    """Return the settings of the chosen estimator, None if they are not known."""
    lines = champion.get("comparison", {}).get("candidates", [])
    chosen = [line.get("settings") for line in lines if line.get("chosen")] or [
        champion.get("estimator", {}).get("settings")
    ]
    found = chosen[0]
    return _listed(found) if found else None


def _listed(settings: Mapping[str, Any]) -> str:
    """Say settings as words, those of a part in brackets."""
    said = (
        (name.replace("_", " "), f"({_listed(value)})" if isinstance(value, Mapping) else value)
        for name, value in sorted(settings.items())
    )
    return ", ".join(f"{name} {value}" for name, value in said)


def leakage_alarm(report: Mapping[str, Any]) -> bool:
    """Tell whether the evaluation suspects leakage: in a note, or by an alarm anywhere in its leakage check."""
    return any("SUSPECT LEAKAGE" in note for note in report.get("notes", [])) or _raised(report.get("leakage"))


def _raised(found: Any) -> bool:
    if isinstance(found, Mapping):
        return any(bool(value) if name in ("alarm", "alarms") else _raised(value) for name, value in found.items())
    return isinstance(found, list) and any(_raised(one) for one in found)


def parts_with_numbers(report: Mapping[str, Any]) -> dict[str, bool]:
    """Return the parts of a report that hold more than a reason why they could not be had."""
    found = {name: True for name, part in report.items() if part and not _only_a_reason(part)}
    across = report.get("internal_external") or {}
    if not (isinstance(across, Mapping) and (across.get("by_company") or {}).get("pooled")):
        found.pop("internal_external", None)
    return found


def _only_a_reason(part: Any) -> bool:
    return (
        isinstance(part, Mapping)
        and "reason" in part
        and all(not value for name, value in part.items() if name != "reason")
    )
