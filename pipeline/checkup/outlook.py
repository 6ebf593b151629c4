"""What each outcome can hope for: persons with a label now, which models they can carry, and what train will do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from data_contracts.errors import NotEnoughDataError
from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.tables import Table
from data_contracts.time_windows import day_number
from features import life_situation
from features.as_of import as_of, index_dates
from features.catalogue import FEATURE_NAMES, POSITIONS
from features.histories import Histories
from models.estimators import TreeSize, candidates
from models.outcomes.outcome import ELIGIBLE, Outcome, Status
from models.sample_size import ANTICIPATED, Verdict, verdict
from models.training import LEARNS_NOTHING
from models.validation_size import validation_persons
from pipeline.build_training_set import configured_outcome
from pipeline.checkup.finding import Finding
from pipeline.console import progress
from pipeline.settings import Settings
from pipeline.training_dates import Span, data_as_of_for, dates_between, known_spans


@dataclass
class Outlook:
    """One outcome over all its index dates; without dates there is ``why_not``.

    Parameters
    ----------
    outcome : Outcome
    why_not : str
        Why no label can be known yet; empty where one can.
    data_as_of : date, optional
    dates : list of date
    n_persons, n_rows : int
        Persons with an observed label at one date or more, and their (person, index date) pairs.
    total : float
        Sum of the labels over the rows.
    flow : Counter
        Of the newest date: reason -> persons who have no row.
    """

    outcome: Outcome
    why_not: str = ""
    data_as_of: date | None = None
    dates: list[date] = field(default_factory=list)
    n_persons: int = 0
    n_rows: int = 0
    total: float = 0.0
    flow: Counter[str] = field(default_factory=Counter)

    @property
    def mean(self) -> float:
        """Share of rows with the event, or days on average."""
        return self.total / self.n_rows if self.n_rows else 0.0


def outlooks(home: Path, settings: Settings, names: list[str]) -> list[Outlook]:
    """Label everybody at every index date of every outcome, without features; nothing is written."""
    spans = known_spans(home)
    found = [_planned(configured_outcome(name, settings), settings, spans) for name in names]
    partitions = n_partitions(home)
    with progress("who has a label, and of what", partitions * len(found)) as advance:
        for partition in range(partitions):
            tables = read_partition(home, partition)
            for one in found:
                if one.data_as_of is not None:
                    _add(one, tables, one.data_as_of)
                advance(1)
    return found


def _planned(outcome: Outcome, settings: Settings, spans: dict[str, Span]) -> Outlook:
    try:
        data_as_of = data_as_of_for(settings.training, spans, outcome)
        return Outlook(outcome, "", data_as_of, dates_between(settings.training, spans, outcome, data_as_of))
    except NotEnoughDataError as error:
        return Outlook(outcome, str(error).removeprefix(f"{outcome.name}: "))


def _add(found: Outlook, tables: dict[str, Table], data_as_of: date) -> None:
    """Add the rows of a partition's persons, as build-training-set would make them."""
    outcome, until = found.outcome, day_number(data_as_of)
    histories = Histories.from_tables(tables, purpose="model_training", consent_on=data_as_of, data_as_of=data_as_of)
    has_row, consented = np.zeros(len(histories), dtype=bool), outcome.label_is_consented(histories)
    for t in map(day_number, found.dates):
        age = life_situation.compute(as_of(histories, index_dates(histories, t)))[:, POSITIONS["age_years"]]
        reason = outcome.eligibility(histories, t, age)
        labels = outcome.labels(histories, t, until)
        rows = (reason == ELIGIBLE) & consented & (labels.status == Status.OBSERVED)
        has_row |= rows
        found.n_rows += int(rows.sum())
        found.total += float(labels.y[rows].sum())
        if t == day_number(found.dates[-1]):
            found.flow.update(outcome.reasons[number] for number in reason[reason != ELIGIBLE])
            found.flow["no consent to the label, or it is not known"] += int(((reason == ELIGIBLE) & ~rows).sum())
    found.n_persons += int(has_row.sum())


def verdicts(found: Outlook, test_share: float) -> dict[str, Verdict]:
    """Judge each candidate on the persons that are left for training, as train will.

    A little too kind: train also leaves out the test dates, and columns that do not vary are no parameters.
    """
    persons = int(found.n_persons * (1 - test_share))
    every = candidates(found.outcome, FEATURE_NAMES, TreeSize(), 0)
    return {one.name: verdict(found.outcome.name, one.n_parameters, persons, found.mean) for one in every}


def findings(found: Outlook, settings: Settings) -> Iterator[Finding]:
    """Tell what train, evaluate and promote will say of an outcome."""
    name, share = found.outcome.name, settings.training.test_share
    if found.why_not or not found.n_rows:
        why = found.why_not or f"nobody has a known label. On {found.dates[-1]}: {_most_frequent(found.flow)}"
        yield Finding("problem", name, why, "No model can be made; train says so in the model card.")
        return
    rate = (
        f"{found.mean:.1%} with the event" if found.outcome.target == "event" else f"{found.mean:.1f} days on average"
    )
    dates = f"{len(found.dates)} index dates from {found.dates[0]} to {found.dates[-1]}"
    said = f"{found.n_persons} persons with a known label at {dates}, {rate}"
    judged = verdicts(found, share)
    enough = [one for one, what in judged.items() if what.enough and one not in LEARNS_NOTHING]
    if enough:
        yield Finding("good", name, f"{said}. Enough for {', '.join(enough)}.")
    elif any(one in judged for one in LEARNS_NOTHING):
        yield Finding("note", name, f"{said}. Too few for a model of their own.", _what_then(judged))
    else:
        yield Finding("problem", name, f"{said}. Too few for a model of their own.", _lacking(judged))
    if found.outcome.target == "event":
        yield _of_judging(name, found, share)


def _what_then(judged: dict[str, Verdict]) -> str:
    return f"train updates a published formula instead. {_lacking(judged)}"


def _lacking(judged: dict[str, Verdict]) -> str:
    fitted = [one for name, one in judged.items() if name not in LEARNS_NOTHING]
    least = min(fitted, key=lambda one: one.required_persons)
    return f"The smallest model lacks {least.missing_persons} persons to learn from ({least.required_persons} needed)."


def _of_judging(name: str, found: Outlook, test_share: float) -> Finding:
    """Say whether those who are held out can judge a model."""
    persons = int(found.n_persons * test_share)
    share = min(max(found.mean, 0.001), 0.999)
    needed = validation_persons(share, ANTICIPATED[name]["c_statistic"]).persons
    said = f"about {persons} persons are held out, {needed} are needed for narrow intervals"
    if persons >= needed:
        return Finding("good", f"{name}, judging it", said)
    return Finding("note", f"{name}, judging it", said, "Read the intervals in the model card before you promote.")


def _most_frequent(flow: Counter[str]) -> str:
    ((reason, count),) = flow.most_common(1)
    return f"{count} of {flow.total()} because of: {reason}"
