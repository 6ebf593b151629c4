"""Verb score: the promoted champions over everybody in the tables, or one person explained, or a past night again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.safety import SafetyFlag, in_order
from data_contracts.time_windows import latest_index_date, today
from models.abstention import REASONS
from models.bundle import current_bundle
from models.outcomes import OUTCOMES
from pipeline.console import progress
from pipeline.engine import EngineName, refuse_scheduler
from pipeline.erasure.models import retrain_due
from pipeline.everyone import Everyone, latest_flags, partition_of
from pipeline.explained import explained
from pipeline.nightly import asked_of, bundles_of, night
from pipeline.nightly_cluster import scored_elsewhere
from pipeline.person_record import only, person_records
from pipeline.score_list import ScoreList
from pipeline.stored_flags import FILE, stored_flags
from pipeline.workspace import Workspace, require

NOT_KNOWN = "not known before the index date"


def run(
    workspace: Workspace, chosen: date | None, outcomes: list[str], person: str | None, workers: int | None = None,
    engine: EngineName = "local", scheduler: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Score everybody into the store and a CSV file, or return one person's explained risks."""
    _refuse_engine(engine, scheduler, person, workers)
    index_date = chosen or today()
    if index_date > latest_index_date():
        raise SettingsError(
            f"--index-date {index_date}: what is known today counts until {latest_index_date()}, not later."
        )
    tables = _tables(workspace)
    _require_champions(workspace, outcomes)
    if person is not None:
        return _one(workspace, tables, index_date, outcomes, person)
    everyone = Everyone(workspace, tables, index_date)
    path = workspace.scores / f"{index_date}.csv"
    on_cluster = engine == "dask"
    asked = asked_of("score", tables, index_date, outcomes, 0 if on_cluster else workers)
    shown = progress("score with the promoted champions", everyone.count())
    scoring = scored_elsewhere(workspace, everyone, scheduler) if on_cluster else nullcontext(everyone.records())
    with (
        shown as advance, scoring as records, night(workspace, asked, records) as told,
        ScoreList(path, outcomes) as file,
    ):  # fmt: skip
        for answer in told:
            if "person_id" in answer:
                file.write(answer, everyone.flagged.get(answer["person_id"], ""))
                advance(1)
            else:
                file.hear(answer)
        for person_id in everyone.not_known:
            file.refuse(person_id, NOT_KNOWN, everyone.flagged.get(person_id, ""))
    return _report(workspace, index_date, path, file, everyone)


def _refuse_engine(engine: EngineName, scheduler: str | None, person: str | None, workers: int | None) -> None:
    if engine == "local":
        refuse_scheduler(scheduler)
    elif person is not None or workers is not None:
        raise SettingsError(
            "--engine dask scores everybody, with the workers that the cluster has: leave out --person and --workers."
        )


def _tables(workspace: Workspace) -> Path:
    return require(workspace.tables / "persons.parquet", "ingest").parent


def promoted(bundles: Path) -> list[str]:
    """Return the outcomes with a champion among some bundles; all of them where there is none, so that the error names one."""
    return [name for name in OUTCOMES if current_bundle(bundles, name)] or [*OUTCOMES]


def _require_champions(workspace: Workspace, outcomes: Iterable[str]) -> None:
    bundles = bundles_of(workspace)
    for outcome in outcomes:
        if current_bundle(bundles, outcome) is None:
            raise MissingInputError(f"No champion of {outcome} is promoted in {bundles}. Run: balance-risk promote")


def _report(workspace: Workspace, index_date: date, path: Path, file: ScoreList, everyone: Everyone) -> dict[str, Any]:
    held_back = {name: {reason: found[reason] for reason in REASONS[1:]} for name, found in file.held_back.items()}
    lines = [
        f"  {name}: {count} of {everyone.n_persons} persons scored{_in_words(held_back[name])}"
        for name, count in file.scored.items()
    ]
    lines += [f"  {count} person(s) not scored: {why}" for why, count in file.refused.items()]
    lines += [f"  {note}" for note in retrain_due(workspace, file.outcomes)]
    if everyone.flagged:
        lines.insert(
            0,
            f"  {len(everyone.flagged)} person(s) with a safety flag: a clinician must look today; column safety_flag",
        )
    lines = _others(in_order(everyone.flags), everyone.flagged, workspace) + lines
    again = "" if file.summary["is_new"] else ", the same as it was"
    lines.append(
        f"  stored as run {file.summary['run_id']}{again}; {file.summary['persons_per_second']} persons per second"
    )
    return {
        "index_date": index_date.isoformat(),
        "safety_flags": len(everyone.flagged),
        "scored": file.scored,
        "held_back": held_back,
        "refused": dict(file.refused),
        "night": file.summary,
        "path": str(path),
        "summary": "\n".join([f"score at {index_date}: {path}", *lines]),
    }


def _others(flags: list[SafetyFlag], flagged: dict[str, str], workspace: Workspace) -> list[str]:
    """Say that there are flags of persons who are not scored, whose row or record was refused."""
    n = sum(flag.person_id not in flagged for flag in flags)
    where = workspace.tables / FILE
    return (
        [f"  {n} more safety flag(s) of persons who are not scored: a clinician must look today; {where}"] if n else []
    )


def _in_words(held_back: dict[str, int]) -> str:
    told = [f"{count} {reason}" for reason, count in held_back.items() if count]
    return f"; held back: {', '.join(told)}" if told else ""


def _one(workspace: Workspace, tables: Path, index_date: date, outcomes: list[str], person: str) -> dict[str, Any]:
    """Return one person's explained risks, from the predictor that also makes the list."""
    mine = partition_of(tables, person)
    if mine is None:
        raise MissingInputError("There is no such person in the tables. Identifiers are those of persons.csv.")
    records = person_records(only(mine, person), np.datetime64(index_date, "D"))
    record = next((found for _, found in records if found is not None), None)
    if record is None:
        raise MissingInputError(f"Nothing was known of this person before {index_date}. Choose a later --index-date.")
    flags = [flag for flag in stored_flags(workspace, mine) if flag.person_id == person]
    asked = asked_of("explain", tables, index_date, outcomes, 1)
    with progress("explain with the promoted champions"), night(workspace, asked, [(person, record)]) as told:
        (answer,) = [one for one in told if "person_id" in one]
    return explained(answer, index_date, [*latest_flags(flags).values()])
