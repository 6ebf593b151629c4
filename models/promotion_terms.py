"""What the policy of promotion speaks of: its numbers, the situation it is asked in, its lines, and numbers of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data_contracts.errors import BalanceRiskError

NOT_THERE = "not in the evaluation"


class PromotionRefused(BalanceRiskError):
    """A version does not satisfy the policy; nothing has been moved."""

    exit_code = 8


@dataclass(frozen=True)
class Policy:
    """The numbers of the policy; the defaults are those of params.yaml.

    Parameters
    ----------
    four_eyes : bool
        The approver must be another than who registered the version.
    fewest_test_events : int
        Persons with an event; with fewer, nobody can tell good from bad. Collins GS et al. Stat Med 2016;35:214.
    observed_to_expected, calibration_slope : pair of float
        Limits of the estimate.
    good_calibration, good_slope : pair of float
        The interval of observed over expected events, of the slope, must reach into this.
    widest_observed_to_expected : float
        Upper over lower end of its interval: an estimate that says nothing reaches into everything.
    largest_detectable_ratio : float
        Harm of every group of sex, age and education must have been detectable from this ratio on, four times in five.
    fewest_resamples : int
        Behind each interval.
    fewest_refits : int
        Behind the interval of each person's risk.
    most_versions_on_test_rows : int
        Whoever looks often enough at the same test rows finds a version that looks good on them.
    auroc_margin : float
        How much worse than the champion in service the lower end of the interval may be.
    net_benefit_margin : float
        The same for net benefit against each model that is compared, as a share of the working threshold. That is the share
        of events, which is also the net benefit of a model that knows everything.
    loss_margin : float
        The same for an outcome that counts days, as a share of the loss of the new model.
    """

    four_eyes: bool = True
    fewest_test_events: int = 100
    observed_to_expected: tuple[float, float] = (0.8, 1.25)
    good_calibration: tuple[float, float] = (0.95, 1.05)
    widest_observed_to_expected: float = 1.6
    calibration_slope: tuple[float, float] = (0.8, 1.25)
    good_slope: tuple[float, float] = (0.9, 1.1)
    largest_detectable_ratio: float = 2.5
    fewest_resamples: int = 200
    fewest_refits: int = 20
    most_versions_on_test_rows: int = 20
    auroc_margin: float = 0.01
    net_benefit_margin: float = 0.05
    loss_margin: float = 0.01


@dataclass(frozen=True)
class InService:
    """The champion that serves now.

    Parameters
    ----------
    version, artifact_sha256 : str
    refused : str
        Why this code cannot open it, "" if it can: such a champion cannot be compared with.
    """

    version: str
    artifact_sha256: str
    refused: str = ""


@dataclass(frozen=True)
class Situation:
    """What the evaluation cannot know.

    Parameters
    ----------
    in_service : InService or None
        None if nothing is.
    is_workspace_synthetic : bool
        Whether the persons in the workspace's tables are simulated.
    registered_by : str
        "" if not known.
    versions_on_test_rows : int or None
        Registered versions, this one too, that were judged on the same test rows; None if not known.
    approver, reason : str or None
        None where nothing is to be moved and nobody is asked.
    """

    in_service: InService | None
    is_workspace_synthetic: bool
    registered_by: str
    versions_on_test_rows: int | None = None
    approver: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of the policy: what it asks for, what was found, whether it holds."""

    name: str
    rule: str
    found: str
    passed: bool

    def __str__(self) -> str:
        return f"{self.name}: found {self.found}; required {self.rule}"


def counts_days(report: Mapping[str, Any]) -> bool:
    """True for an outcome of days, False for an event."""
    return report.get("target", "event") == "days"


def of_champion(report: Mapping[str, Any], metric: str) -> Mapping[str, float] | None:
    """Return a metric of the new model, None if it is not in the report with its whole interval."""
    return complete(report.get("models", {}).get(report.get("champion"), {}).get(metric))


def difference(report: Mapping[str, Any], other: str, metric: str) -> Mapping[str, float] | None:
    """Return what the new model has more of a metric than another, None if it is not there with its whole interval."""
    return complete(report.get("differences", {}).get(other, {}).get(metric))


def complete(number: Mapping[str, Any] | None) -> Mapping[str, float] | None:
    """Return a number with its whole interval, None without: one that could not be computed has None somewhere."""
    if number is None or any(number.get(part) is None for part in ("value", "low", "high")):
        return None
    return number


def interval(number: Mapping[str, float] | None) -> str:
    """Return an estimate and its interval as text."""
    return NOT_THERE if number is None else f"{number['value']:.4f} ({number['low']:.4f} to {number['high']:.4f})"


def shown(number: Any) -> str:
    """Return a number as text."""
    return NOT_THERE if number is None else str(number)
