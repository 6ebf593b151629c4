"""How well the truth and simple models tell who will have a long sick leave: the ladder that cohorts have published.

Each model is a penalised logistic regression on features of the real pipeline, fitted to earlier index dates of half the
persons and judged on later dates of the others. Published cohorts are people who answered a questionnaire: so are these,
except in ``_all_persons``. ``mental_only`` is leave for a mental diagnosis, from the questionnaire; the pipeline has no
such outcome, so that model is fitted to the true risks, and its AUROC is the expected one under them.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np

from data_contracts.errors import NotEnoughDataError
from data_contracts.tables import Table, take
from features.catalogue import FEATURES, POSITIONS
from models.estimators import LinearEstimator
from models.evaluation.discrimination import Ranking, auroc
from models.outcomes import OUTCOMES
from models.splits import Split, temporal_split
from models.training_set import TrainingSet, build_training_set
from pipeline.settings import IngestSettings
from pipeline.simulation.truth.known_risks import ABSENT, KnownRisks
from pipeline.simulation.truth.visible import Period
from pipeline.source_check import check_source

OUTCOME = "long_sick_leave"
MONTHS_BEFORE_FIRST = 6
"""Half a year of data comes before the first index date, as in the stage build-training-set."""

FEWEST_EVENTS = 20
"""Fewer in training or test, and no AUROC is given."""

LATEST_ANSWER = 400
"""Days before the index date within which the members of a survey cohort answered."""

INVERSE_PENALTY = 0.001
TABLES = {
    "survey_and_history": {"persons", "survey_answers", "absence_spells"},
    "history": {"persons", "absence_spells"},
    "survey": {"persons", "survey_answers"},
}
"""The tables whose features each model has; age, sex and education belong to all, as in the published models."""


def discrimination(directory: Path, most_persons: int = 20_000, test_months: int = 12) -> dict[str, float]:
    """Return the AUROC of the truth and of each model on the same test rows, by target id; nothing where data are too few.

    ``directory`` holds the source files of a simulated cohort; only its first ``most_persons`` persons are used. Each half
    of the persons tests once; the two AUROCs are averaged.
    """
    try:
        rows = visible_rows(directory, most_persons)
        split = temporal_split(
            rows.t, rows.person, rows.person_ids.tolist(),
            embargo_days=rows.facts["embargo_days"], test_months=test_months, test_share=0.5,
        )  # fmt: skip
    except NotEnoughDataError:
        return {}
    truth = KnownRisks.read(directory / "truth" / "truth.csv")
    risk, mental = (_joined(rows, truth, name) for name in (OUTCOME, f"{OUTCOME}_mental"))
    attainable = directory / "truth" / "attainable.csv"
    best = _joined(rows, KnownRisks.read(attainable), OUTCOME) if attainable.exists() else None
    usable = rows.observed & np.isfinite(risk)
    answered = usable & (_days_since_survey(rows) <= LATEST_ANSWER)
    halves = (split, _other_way_round(rows, split))
    if min(rows.y[part[answered[part]]].sum() for half in halves for part in (half.train, half.test)) < FEWEST_EVENTS:
        return {}
    found = [_ladder(rows, _in(half, usable), _in(half, answered), risk, mental, best) for half in halves]
    return {f"auroc.{name}": float(np.mean([half[name] for half in found])) for name in found[0]}


def _ladder(
    rows: TrainingSet, everyone: Split, answered: Split, risk: np.ndarray, mental: np.ndarray, best: np.ndarray | None
) -> dict[str, float]:
    """AUROCs on one half of the persons; leave for a mental diagnosis has events that only the truth knows."""
    found = {name: _fitted(rows, answered, _columns(tables), rows.y, rows.weight) for name, tables in TABLES.items()}
    both, survey = _columns(TABLES["survey_and_history"]), _columns(TABLES["survey"])
    found["survey_and_history_all_persons"] = _fitted(rows, everyone, both, rows.y, rows.weight)
    found["mental_only"] = _fitted(rows, answered, survey, mental, np.ones(len(rows)))
    found["truth_on_test"] = _auroc(risk, rows.y, rows.weight, answered.test)
    if best is not None:
        known = answered.test[np.isfinite(best[answered.test])]
        found["attainable"] = _auroc(best, rows.y, rows.weight, known)
    return found


def _other_way_round(rows: TrainingSet, split: Split) -> Split:
    """Return the split in which those who trained test and those who tested train, at the same dates."""
    tests = np.zeros(len(rows.person_ids), dtype=bool)
    tests[rows.person[split.test]] = True
    trains = np.zeros_like(tests)
    trains[rows.person[split.train]] = True
    late, early = rows.t >= split.first_test_day, rows.t + rows.facts["embargo_days"] <= split.first_test_day
    train = np.flatnonzero((tests & ~trains)[rows.person] & early)
    return Split(train, np.flatnonzero((trains & ~tests)[rows.person] & late), split.first_test_day, split.left_out)


def visible_rows(directory: Path, most_persons: int) -> TrainingSet:
    """Return the training set that the pipeline makes of a simulated cohort's source files."""
    period, outcome = Period.of(directory), OUTCOMES[OUTCOME]
    tables = check_source(str(directory), None, IngestSettings(received_on=period.end)).tables
    dates = period.index_dates(MONTHS_BEFORE_FIRST, last=period.end - timedelta(days=outcome.mature_after_days))
    return build_training_set(first_persons(tables, most_persons), outcome, dates, period.end, synthetic=True)


def first_persons(tables: dict[str, Table], most: int) -> dict[str, Table]:
    """Return the tables with the rows of the first persons only, in the order of their pseudonyms."""
    chosen = set(sorted(tables["persons"]["person_id"].vocabulary)[:most])

    def kept(table: Table) -> Table:
        if "person_id" not in table:
            return table
        is_chosen = np.array([name in chosen for name in table["person_id"].vocabulary], dtype=bool)
        return take(table, is_chosen[table["person_id"].codes])

    return {name: kept(table) for name, table in tables.items()}


def _in(split: Split, wanted: np.ndarray) -> Split:
    train, test = split.train[wanted[split.train]], split.test[wanted[split.test]]
    return Split(train, test, split.first_test_day, split.left_out)


def _columns(tables: set[str]) -> np.ndarray:
    return np.array([position for position, one in enumerate(FEATURES) if one.table in tables])


def _days_since_survey(rows: TrainingSet) -> np.ndarray:
    """Days since the latest answer to any questionnaire, infinite without one."""
    days = rows.X[:, POSITIONS["days_since_survey"]]
    return np.where(np.isnan(days), np.inf, days)


def _fitted(rows: TrainingSet, split: Split, columns: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """Return the AUROC on the test rows of a model fitted to the training rows; ``y`` may be probabilities."""
    features, train = rows.X[np.ix_(split.train, columns)], split.train
    model = LinearEstimator(INVERSE_PENALTY)
    if set(np.unique(y[train])) <= {0.0, 1.0}:
        model.fit(features, y[train], weight[train])
    else:  # a probability is an event and a non-event that share the row's weight
        halves = np.concatenate([weight[train] * y[train], weight[train] * (1 - y[train])])
        model.fit(np.concatenate([features, features]), np.repeat([1.0, 0.0], len(train)), halves)
    scores = np.full(len(rows), np.nan)
    scores[split.test] = model.decision_function(rows.X[np.ix_(split.test, columns)])
    return _auroc(scores, y, weight, split.test)


def _auroc(scores: np.ndarray, y: np.ndarray, weight: np.ndarray, test: np.ndarray) -> float:
    return float(auroc(Ranking.of(scores[test]), y[test], weight[test][None])[0])


def _joined(rows: TrainingSet, risks: KnownRisks, name: str) -> np.ndarray:
    found = risks.rows(rows.person_ids, rows.person, rows.t)
    return np.where(found == ABSENT, np.nan, risks.columns[name][found])
