"""From a training set to the champion: judge the sample size, compare, refit on all training rows, calibrate, resample."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from data_contracts.errors import NotEnoughDataError
from data_contracts.time_windows import calendar_date
from models.candidate_fits import fitted_model, resampled_models, varying
from models.comparison import Comparison, compare
from models.comparison_persons import MOST_ROWS, compared_on, drawn, recalibrated, recalibrated_on, with_lines_note
from models.estimators import Candidate, TreeSize, candidates
from models.horizons import fit_horizons
from models.out_of_fold import OutOfFold, TrainingRows, all_out_of_fold
from models.outcomes.outcome import Outcome
from models.risk_model import RiskModel
from models.row_files import rows_of
from models.sample_size import Verdict, verdict
from models.self_description import describe
from models.side_by_side import memory_of_this_machine, side_by_side, workers
from models.small_data import fallback
from models.splits import Split, person_folds
from models.target import EVENT, TARGETS, Target
from models.training_set import TrainingSet

FEWEST_ROWS = 200
FEWEST_EVENTS = 20

ROWS_IN_TWO_FITS = 8
"""So many times the bytes of the rows are held, at most, while two fits of all of them run side by side (7.4 measured, of a
million persons). Where the machine has less, fits come one by one: their bits are the same."""

LEARNS_NOTHING = ("roelen",)
"""Candidates that are not fitted to data alone: where only they are left, there is a better way with so few persons."""


@dataclass(frozen=True)
class TrainingPlan:
    """How candidates are fitted and compared.

    Parameters
    ----------
    folds : int
        Persons are divided into this many folds for out-of-fold predictions.
    refits : int
        Refits of the champion on resampled persons, for the interval of each risk.
    trees : TreeSize
    tuning_minutes : float
        Time for all searches of tree sizes together; 0: none.
    comparison_persons : int
        Candidates are compared on at most so many persons; the fits that are kept learn from all.
    comparison_rows : int
        Where these persons have more rows, candidates are compared on some of the index dates.
    insufficient : {"leave out", "report"}
        What happens to a candidate that takes more persons than there are.
    seed : int
    """

    folds: int = 5
    refits: int = 20
    trees: TreeSize = field(default_factory=TreeSize)
    tuning_minutes: float = 0.0
    comparison_persons: int = 20_000
    comparison_rows: int = MOST_ROWS
    insufficient: str = "leave out"
    seed: int = 17


@dataclass(frozen=True)
class Trained:
    """The champion, every candidate refitted on the same rows (for the evaluation), and why the champion was chosen."""

    champion: RiskModel
    candidates: dict[str, RiskModel]
    comparison: Comparison


def train(
    training_set: TrainingSet,
    split: Split,
    outcome: Outcome,
    plan: TrainingPlan | None = None,
    *,
    on_step: Callable[[str], None] = lambda step: None,
) -> Trained:
    """Train one outcome.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
        Only its training rows with an observed label are used.
    outcome : Outcome
    plan : TrainingPlan, optional
    on_step : callable
        Called with what is being done, for progress.

    Returns
    -------
    Trained

    Raises
    ------
    NotEnoughDataError
        Too few persons or events to learn from, and no published formula to fall back on.
    """
    plan = plan or TrainingPlan()
    rows = training_rows(training_set, split.train, plan.folds, TARGETS[outcome.target])
    if len(rows.y) == 0:
        raise NotEnoughDataError(
            f"{outcome.name}: no training row has a label. Read the flow counts of the training set."
        )
    # Matrices this small are faster on one thread, and the last bits do not depend on the number of cores.
    with threadpool_limits(1):
        return _train(training_set, split, rows, outcome, plan, on_step)


def _train(
    training_set: TrainingSet,
    split: Split,
    rows: TrainingRows,
    outcome: Outcome,
    plan: TrainingPlan,
    on_step: Callable[[str], None],
) -> Trained:
    t = training_set.t[_labelled(training_set, split.train)]
    compared = drawn(rows, t, training_set.person_ids, plan.comparison_persons, plan.comparison_rows)
    # One search per fold and one on all rows; where only some rows are compared, the winner is searched twice over.
    passes = 2 if len(compared.y) < len(rows.y) else 1
    seconds = 60 * plan.tuning_minutes / (passes * plan.folds + 1)
    possible = candidates(outcome, varying(rows), plan.trees, plan.seed, seconds)
    verdicts = sample_size_verdicts(possible, rows, outcome.name)
    allowed = [one for one in possible if verdicts[one.name].enough or plan.insufficient == "report"]

    def facts(comparison: Comparison) -> dict[str, Any]:
        about = {name: one.to_json() for name, one in verdicts.items()}
        return _facts(training_set, split, rows, comparison, outcome) | {"sample_size": about}

    if all(one.name in LEARNS_NOTHING for one in allowed):
        on_step("too few persons for a model of their own: updating a published formula")
        smallest = min(
            (v for name, v in verdicts.items() if name not in LEARNS_NOTHING), key=lambda v: v.required_persons
        )
        champion, models, comparison = fallback(rows, outcome.name, smallest, facts, refits=plan.refits, seed=plan.seed)
        return Trained(_described(champion, rows, plan.seed), models, comparison)
    _refuse_too_few(rows, outcome.name)
    fits = list(all_out_of_fold(allowed, compared, lambda name: on_step(f"comparing {name}")))
    comparison = replace(
        compare(fits, compared),
        left_out=_left_out(possible, verdicts, outcome, plan),
        compared_on=compared_on(rows, compared, plan.comparison_persons),
    )
    comparison = with_lines_note(comparison)
    with nullcontext() if ROWS_IN_TWO_FITS * rows.X.nbytes < memory_of_this_machine() else workers(1):
        return _kept(fits, comparison, rows, outcome, facts(comparison), plan, on_step)


def _kept(
    fits: list[OutOfFold],
    comparison: Comparison,
    rows: TrainingRows,
    outcome: Outcome,
    facts: dict[str, Any],
    plan: TrainingPlan,
    on_step: Callable[[str], None],
) -> Trained:
    """Fit every candidate on all rows, and resample the chosen one."""
    fits = recalibrated(fits, comparison, rows, on_step)

    def fitted(fit: OutOfFold) -> RiskModel:
        about = facts | {"recalibrated_on": recalibrated_on(fit.candidate.name, comparison)}
        return fitted_model(fit, rows, outcome.name, about, plan.seed)

    on_step("fitting every candidate on all rows")
    # The last of the comparison take longest: begun first, they do not leave one processor alone with them at the end.
    models = {model.name: model for model in reversed([*side_by_side(fitted, fits[::-1])])}
    on_step(f"refitting {comparison.chosen.name} on resampled persons")
    (winner,) = [fit for fit in fits if fit.candidate.name == comparison.chosen.name]
    champion = models[winner.candidate.name]
    refits = tuple(resampled_models(champion, winner, rows, rows, plan.refits, plan.seed))
    if outcome.is_dated:
        when = fit_horizons(winner.log_odds, rows.y, rows.followed_days, rows.weight, rows.person)
        champion = replace(champion, facts={**champion.facts, "horizons": when})
    return Trained(_described(replace(champion, refits=refits), rows, plan.seed), models, comparison)


def _described(champion: RiskModel, rows: TrainingRows, seed: int) -> RiskModel:
    return replace(champion, facts={**champion.facts, **describe(champion, rows, seed)})


def sample_size_verdicts(possible: tuple[Candidate, ...], rows: TrainingRows, outcome: str) -> dict[str, Verdict]:
    """Judge for each candidate whether there are persons enough, before anything is fitted.

    Parameters
    ----------
    possible : tuple of Candidate
    rows : TrainingRows
        All training rows with a label; persons are counted, not rows.
    outcome : str
    """
    persons, mean = len(np.unique(rows.person)), float(np.average(rows.y, weights=rows.weight))
    spread = float(np.sqrt(np.average((rows.y - mean) ** 2, weights=rows.weight)))
    return {one.name: verdict(outcome, one.n_parameters, persons, mean, spread=spread) for one in possible}


def _left_out(
    possible: tuple[Candidate, ...], verdicts: dict[str, Verdict], outcome: Outcome, plan: TrainingPlan
) -> tuple[dict[str, Any], ...]:
    missing = [verdicts[one.name] for one in possible if not verdicts[one.name].enough]
    names = [one.name for one in possible if not verdicts[one.name].enough]
    said = [
        {"name": name, "reason": f"needs {one.missing_persons} more persons", "verdict": one.to_json()}
        for name, one in zip(names, missing, strict=True)
        if plan.insufficient == "leave out"
    ]
    if "roelen" not in verdicts:
        said.insert(0, {"name": "roelen", "reason": f"a formula of absence events, not of {outcome.name}"})
    if outcome.target != EVENT.name:
        said += [{"name": name, "reason": "for events only"} for name in ("logistic", "explainable_boosting")]
    return tuple(said)


def training_rows(training_set: TrainingSet, positions: np.ndarray, folds: int, target: Target = EVENT) -> TrainingRows:
    """Return the chosen rows whose label was observed, with the fold of their person."""
    chosen = _labelled(training_set, positions)
    person = training_set.person[chosen]
    return TrainingRows(
        feature_names=tuple(training_set.feature_names.tolist()),
        X=rows_of(training_set.X, chosen),
        y=training_set.y[chosen],
        weight=training_set.weight[chosen],
        person=person,
        fold=person_folds(training_set.person_ids.tolist(), folds)[person],
        company=training_set.company[chosen],
        followed_days=training_set.followed_days[chosen],
        target=target,
    )


def _labelled(training_set: TrainingSet, positions: np.ndarray) -> np.ndarray:
    return np.asarray(positions[training_set.observed[positions]])


def _refuse_too_few(rows: TrainingRows, outcome: str) -> None:
    events, others = int((rows.y > 0).sum()), int((rows.y == 0).sum())
    if len(rows.y) >= FEWEST_ROWS and min(events, others) >= FEWEST_EVENTS and len(np.unique(rows.fold)) > 1:
        return
    raise NotEnoughDataError(
        f"{outcome}: {len(rows.y)} training rows with {events} events and {others} non-events; at least {FEWEST_ROWS} "
        f"rows and {FEWEST_EVENTS} of each are needed. Bring more persons or earlier index dates "
        "(training.first_index_date), and read the flow counts of the training set: they say why pairs were left out."
    )


def _facts(
    training_set: TrainingSet, split: Split, rows: TrainingRows, comparison: Comparison, outcome: Outcome
) -> dict[str, Any]:
    first, last = (
        calendar_date(day).isoformat() for day in (training_set.t[split.train].min(), training_set.t[split.train].max())
    )
    return {
        **{name: training_set.facts[name] for name in ("data_as_of", "synthetic", "fingerprint", "weights")},
        "trained_on": {"first_index_date": first, "last_index_date": last},
        "n": len(rows.y),
        "persons": len(np.unique(rows.person)),
        "events": int((rows.y > 0).sum()),
        "left_out_of_split": split.left_out,
        "flow": training_set.flow,
        "comparison": comparison.to_json(),
        "label": {"nb": outcome.label_nb, "en": outcome.label_en},
        "target": outcome.target,
        "horizon_days": outcome.horizon_days,
    }
