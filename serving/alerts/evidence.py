"""Whether a model has been shown to help at a team's threshold: better than contacting everybody, and than nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data_contracts.errors import BalanceRiskError
from models.bundle_papers import read_evaluation
from serving.alerts.teams import Team
from serving.store.alert_rules import TeamRule, WhyNot


def rules_of(teams: Iterable[Team], models: Mapping[str, Mapping[str, str]], bundles: Path) -> list[TeamRule]:
    """Return the rule of each team for a night, whose ``models`` name the bundle of each outcome."""
    return [_rule(team, models, bundles) for team in teams]


def _rule(team: Team, models: Mapping[str, Mapping[str, str]], bundles: Path) -> TeamRule:
    thresholds = {outcome: worth.threshold for outcome, worth in team.outcomes.items()}
    found = {outcome: _why_not(outcome, at, models.get(outcome), bundles) for outcome, at in thresholds.items()}
    return TeamRule(
        name=team.name,
        companies=team.companies,
        thresholds=thresholds,
        per_week=team.per_week,
        valid_days=team.valid_days,
        has_webhook=team.webhook is not None,
        unproven={outcome: why for outcome, why in found.items() if why is not None},
    )


def _why_not(outcome: str, threshold: float, model: Mapping[str, str] | None, bundles: Path) -> WhyNot | None:
    if model is None:
        return "no_model"
    try:
        evaluation = read_evaluation(bundles / outcome / model["directory"], model["artifact_sha256"])
    except (BalanceRiskError, OSError):  # not what was sealed; the page of the model says so
        evaluation = None
    curve = (evaluation or {}).get("decision_curve")
    if not curve:
        return "no_evaluation"
    return None if is_useful(curve, threshold) else "no_net_benefit"


def is_useful(curve: Mapping[str, Any], threshold: float) -> bool:
    """True if net benefit is above both defaults, with its whole interval, at the thresholds next to this one.

    A team's threshold lies between two of the curve, or at one; where the curve does not reach, nothing is shown.
    """
    below = [at for at in curve["thresholds"] if at <= threshold + 1e-9]
    beyond = [at for at in curve["thresholds"] if at >= threshold - 1e-9]
    return bool(below and beyond) and {max(below), min(beyond)} <= set(curve["useful_at"])
