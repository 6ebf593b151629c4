"""Stage sample-size: how many persons each model needs and how many judge one, before there are any data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data_contracts.errors import SettingsError
from features.catalogue import FEATURE_NAMES
from models.estimators import TreeSize, candidates
from models.outcomes import OUTCOMES
from models.sample_size import (
    ANTICIPATED,
    USUAL_PREVALENCE,
    USUAL_SPREAD,
    Required,
    r2_of_c_statistic,
    required_for_days,
    required_for_events,
)
from models.validation_size import validation_persons

_HEAD = "sample-size: persons whose label is known (not rows) that a model takes, before it is trained"
_FEET = (
    "  Train on so many: training.test_share of the persons are held out beside them. Parameters are counted before any",
    "  penalty. Below the smallest number: docs/small_data.md. Riley et al. BMJ 2020;368:m441; Stat Med 2021;40:4230.",
)


def run(
    outcomes: Sequence[str],
    *,
    events_share: float | None = None,
    c_statistic: float | None = None,
    parameters: int | None = None,
) -> dict[str, Any]:
    """Plan a study.

    Parameters
    ----------
    outcomes : sequence of str
    events_share, c_statistic : float, optional
        In place of what is usual and what is published for the outcome.
    parameters : int, optional
        Of one model of one's own, in place of the candidates.

    Raises
    ------
    SettingsError
        A share of events or a C statistic was given for an outcome of days, which has neither.
    """
    of_days = [name for name in outcomes if OUTCOMES[name].target == "days"]
    if of_days and (events_share is not None or c_statistic is not None):
        raise SettingsError(
            f"{of_days[0]} is a number of days: it has no share of events and no C statistic. Leave the option or choose "
            "another --outcome."
        )
    found = {name: _planned(name, events_share, c_statistic, parameters) for name in outcomes}
    lines = [line for name, plan in found.items() for line in _lines(name, plan)]
    return {"outcomes": found, "summary": "\n".join([_HEAD, *lines, *_FEET])}


def _planned(name: str, share: float | None, c_statistic: float | None, parameters: int | None) -> dict[str, Any]:
    anticipated = dict(ANTICIPATED[name])
    if c_statistic is not None:
        anticipated = {"c_statistic": c_statistic, "source": "chosen"}
    prevalence = USUAL_PREVALENCE[name] if share is None else share
    models = {"chosen": parameters} if parameters is not None else _parameters_of(name)
    judged = validation_persons(prevalence, anticipated["c_statistic"]) if "c_statistic" in anticipated else None
    return {
        "prevalence": prevalence,
        "anticipated": anticipated,
        "models": [
            {"name": model, "parameters": number, **_told(_required(number, prevalence, anticipated))}
            for model, number in models.items()
        ],
        "validation": judged and _told(judged),
    }


def _parameters_of(name: str) -> dict[str, int]:
    """Parameters of the candidates where no feature is without values."""
    every = candidates(OUTCOMES[name], FEATURE_NAMES, TreeSize(), 0)
    return {candidate.name: candidate.n_parameters for candidate in every}


def _required(parameters: int, prevalence: float, anticipated: dict[str, Any]) -> Required:
    if "r2" in anticipated:
        return required_for_days(parameters, anticipated["r2"], prevalence, USUAL_SPREAD * prevalence)
    return required_for_events(parameters, r2_of_c_statistic(anticipated["c_statistic"], prevalence), prevalence)


def _told(required: Required) -> dict[str, Any]:
    return {"required_persons": required.persons, "criterion": required.criterion, "criteria": required.criteria}


def _lines(name: str, plan: dict[str, Any]) -> list[str]:
    lines = [
        f"  {name}: {_expected(plan)}",
        f"    {'model':<24}{'parameters':>10}{'persons':>9}  decided by",
        *(
            f"    {one['name']:<24}{one['parameters']:>10}{one['required_persons']:>9}  {one['criterion']}"
            for one in plan["models"]
        ),
    ]
    if plan["validation"] is None:
        return lines
    criteria = ", ".join(f"{criterion}: {persons}" for criterion, persons in plan["validation"]["criteria"].items())
    return [*lines, f"    to judge one on other persons {plan['validation']['required_persons']:>14}  ({criteria})"]


def _expected(plan: dict[str, Any]) -> str:
    anticipated = plan["anticipated"]
    if "r2" in anticipated:
        return f"{plan['prevalence']:g} days a year, R2 {anticipated['r2']:g} ({anticipated['source']})"
    return (
        f"{plan['prevalence']:.1%} with the event, C statistic {anticipated['c_statistic']:g} ({anticipated['source']})"
    )
