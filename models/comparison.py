"""Which candidate is chosen: out-of-fold log loss by person, and the simplest within one standard error of the best.

Reference: Hastie T, Tibshirani R, Friedman J. The Elements of Statistical Learning. 2nd ed, 7.10 (the
one-standard-error rule); here with the standard error of the paired difference, clustered by person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from models.estimators.trees import TreeSize
from models.evaluation.discrimination import Ranking, auroc, average_precision, brier_score
from models.out_of_fold import OutOfFold, TrainingRows, loss_differences, simplest_within_one_standard_error
from models.risk_model import risk_of
from models.target import EVENT

PUBLISHED_CEILING = 0.82
"""Published models reach an AUROC of 0.65-0.79 (docs/models.md names them); above this, suspect leakage."""


MOST_AT_ONCE, FEWEST_ONSETS = 0.05, 20
"""Share of events on the index date that may be chance or a habit of registering on the first of a month, of so many events."""


@dataclass(frozen=True)
class ComparedCandidate:
    """One line of the comparison; all numbers are out of fold, after recalibration.

    ``difference`` is the log loss above the best candidate's, ``standard_error`` that of this difference. Of a target of
    days the loss is the Tweedie deviance, and what only events have is None.
    """

    name: str
    n_features: int
    log_loss: float
    difference: float
    standard_error: float
    within_one_standard_error: bool
    chosen: bool
    auroc: float | None
    average_precision: float | None
    brier: float | None
    recalibration_intercept: float
    recalibration_slope: float
    settings: dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """All candidates, simplest first.

    Parameters
    ----------
    candidates : tuple of ComparedCandidate
    notes : tuple of str
    reason : str
        Why the chosen one is chosen, in words.
    left_out : tuple of dict
        Name, reason and, where that is the reason, the sample size verdict of candidates that were not fitted.
    compared_on : dict
        ``persons``, ``rows`` and how they were drawn.
    """

    candidates: tuple[ComparedCandidate, ...]
    notes: tuple[str, ...]
    reason: str
    left_out: tuple[dict[str, Any], ...] = ()
    compared_on: Mapping[str, Any] = field(default_factory=dict)

    @property
    def chosen(self) -> ComparedCandidate:
        """The candidate that becomes champion."""
        return next(candidate for candidate in self.candidates if candidate.chosen)

    def to_json(self) -> dict[str, Any]:
        """Return the table and its notes as JSON values."""
        return {"chosen": self.chosen.name, **asdict(self)}


def compare(fits: Sequence[OutOfFold], rows: TrainingRows) -> Comparison:
    """Compare candidates on the same out-of-fold rows.

    Parameters
    ----------
    fits : sequence of OutOfFold
        Simplest candidate first.
    rows : TrainingRows
    """
    found = zip(fits, *loss_differences(fits, rows), strict=True)
    lines = choose([_line(fit, rows, *numbers) for fit, *numbers in found])
    return Comparison(lines, _notes(lines), reason_of(lines))


def choose(lines: Sequence[ComparedCandidate]) -> tuple[ComparedCandidate, ...]:
    """Mark the simplest (first) line whose difference to the best is at most its standard error."""
    within = [line.difference <= line.standard_error for line in lines]
    first = simplest_within_one_standard_error(
        [line.difference for line in lines], [line.standard_error for line in lines]
    )
    return tuple(
        replace(line, within_one_standard_error=near, chosen=position == first)
        for position, (line, near) in enumerate(zip(lines, within, strict=True))
    )


def _line(fit: OutOfFold, rows: TrainingRows, mean: float, difference: float, error: float) -> ComparedCandidate:
    return ComparedCandidate(
        name=fit.candidate.name,
        n_features=len(fit.candidate.feature_names),
        log_loss=float(mean),
        difference=float(difference),
        standard_error=error,
        within_one_standard_error=False,
        chosen=False,
        **_of_events(fit.log_odds, rows),
        recalibration_intercept=fit.intercept,
        recalibration_slope=fit.slope,
        settings=described(fit.estimator)["settings"],
    )


def _of_events(log_odds: np.ndarray, rows: TrainingRows) -> dict[str, float | None]:
    if rows.target is not EVENT:
        return {"auroc": None, "average_precision": None, "brier": None}
    ranking, weight = Ranking.of(log_odds), rows.weight[None]
    return {
        "auroc": float(auroc(ranking, rows.y, weight)[0]),
        "average_precision": float(average_precision(ranking, rows.y, weight)[0]),
        "brier": float(brier_score(risk_of(log_odds), rows.y, weight)[0]),
    }


def reason_of(lines: Sequence[ComparedCandidate]) -> str:
    """Say in words why the chosen line is chosen."""
    best = min(lines, key=lambda line: line.log_loss)
    chosen = next(line for line in lines if line.chosen)
    if len(lines) == 1:
        return f"{chosen.name} is the only candidate for which there are persons enough."
    if chosen is best:
        simpler = [line.name for line in lines[: lines.index(chosen)]]
        worse = (
            f"; every simpler one ({', '.join(simpler)}) is worse by more than one standard error" if simpler else ""
        )
        return f"{chosen.name} has the lowest loss out of fold ({best.log_loss:.4f}){worse}."
    return (
        f"{chosen.name} is the simplest candidate within one standard error of the best: {best.name} has the lowest loss out "
        f"of fold ({best.log_loss:.4f}), {chosen.name} is {chosen.difference:.4f} above it, with a standard error of "
        f"{chosen.standard_error:.4f} clustered by person."
    )


def described(estimator: Any) -> dict[str, Any]:
    """Return an estimator's name and settings as JSON values; its columns are the model's."""
    settings = estimator.get_params()
    settings.pop("feature_names", None)
    plain = {name: asdict(value) if isinstance(value, TreeSize) else value for name, value in settings.items()}
    return {"name": type(estimator).__name__, "settings": plain}


def _notes(lines: Sequence[ComparedCandidate]) -> tuple[str, ...]:
    areas = [(line.name, line.auroc) for line in lines if line.auroc is not None]
    leaks = [note for name, area in areas if (note := leakage_note(f"{name}, out of fold", area))]
    empty = [
        f"{line.name} says nothing about this outcome out of fold: it gives everybody the mean risk."
        for line in lines
        if line.recalibration_slope == 0
    ]
    return (*leaks, *empty)


def leakage_note(where: str, area: float) -> str:
    """Return a warning when discrimination is better than anything published, else an empty string."""
    if not area > PUBLISHED_CEILING:
        return ""
    return (
        f"SUSPECT LEAKAGE ({where}): AUROC {area:.3f} is above the published ceiling of {PUBLISHED_CEILING}. Check "
        "that no feature knows the future (known_from dates, persons already absent, outcome among the predictors)."
    )


def onset_note(y: np.ndarray, followed_days: np.ndarray) -> str:
    """Return a warning when events pile up on the index date: who was a case already counts as a new one.

    Parameters
    ----------
    y : float array, shape (n,)
        1 event, 0 no event, NaN unknown.
    followed_days : int array, shape (n,)
        Days from the index date to the event.
    """
    at_once = followed_days[y == 1] == 0
    if len(at_once) < FEWEST_ONSETS or at_once.mean() <= MOST_AT_ONCE:
        return ""
    return (
        f"SUSPECT LEAKAGE: {at_once.mean():.0%} of the {len(at_once)} events begin on the index date itself; of new cases "
        "about one in 365 would. Check whether the source enters running absence anew, so that the absent count as new cases."
    )
