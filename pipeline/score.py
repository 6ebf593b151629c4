"""Verb score: the promoted champions over everybody in the tables, or one person explained."""

from __future__ import annotations

import csv
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.readers.parquet_files import read_tables
from data_contracts.safety import SafetyFlag
from data_contracts.time_windows import day_number, latest_index_date, today
from features.build import FeatureMatrix, build_features, observation_days
from features.histories import Histories
from features.workplace_context import workplace_context
from models.abstention import REASONS, Carrier
from models.bundle import current_bundle, open_bundle
from models.explanation import explain
from models.outcomes import OUTCOMES
from models.outcomes.outcome import ELIGIBLE
from models.risk_model import RiskModel
from models.wording import risk_band
from pipeline.console import progress
from pipeline.erasure.models import retrain_due
from pipeline.stored_flags import FILE, stored_flags
from pipeline.workspace import Workspace, require

COLUMNS = (
    "person_id", "outcome", "risk", "expected_days", "low", "high", "band", "not_scored_because", "safety_flag",
    "model_version",
)  # fmt: skip
"""``low`` and ``high`` are of the risk or of the expected days, whichever the outcome has."""


def run(workspace: Workspace, chosen: date | None, outcomes: list[str], person: str | None) -> dict[str, Any]:
    """Score everybody into a CSV file, or return one person's explained risks."""
    index_date = chosen or today()
    if index_date > latest_index_date():
        raise SettingsError(
            f"--index-date {index_date}: what is known today counts until {latest_index_date()}, not later."
        )
    tables = read_tables(require(workspace.tables / "persons.parquet", "ingest").parent)
    models = {name: open_champion(workspace, name) for name in outcomes}
    t = day_number(index_date)
    with progress("score with the promoted champions"):
        everyone = Histories.from_tables(tables, purpose="risk_scoring", consent_on=t)
        # Of everyone, also for one person, whose number must be the one that stands in the list; published, as training
        # and the service see it.
        context = workplace_context(everyone, t).published()
        histories = everyone if person is None else _only(everyone, person)
        matrix = build_features(histories, t, context)
        scored = {name: _scores(model, histories, matrix, t) for name, model in models.items()}
    flags = stored_flags(workspace, tables)
    flagged = _flagged(flags, histories)
    if person is not None:
        observed_on = observation_days(histories, t, context)[0]
        return _explained(models, scored, histories, matrix, index_date, observed_on, flagged)
    path = workspace.scores / f"{index_date}.csv"
    _write(path, histories, models, scored, flagged)
    counts = {name: int(np.isfinite(found["number"]).sum()) for name, found in scored.items()}
    held_back = {name: _held_back(found["why_not"]) for name, found in scored.items()}
    lines = [
        f"  {name}: {count} of {len(histories)} persons scored{_in_words(held_back[name])}"
        for name, count in counts.items()
    ]
    lines += [f"  {note}" for note in retrain_due(workspace, outcomes)]
    if flagged:
        lines.insert(
            0, f"  {len(flagged)} person(s) with a safety flag: a clinician must look today; column safety_flag"
        )
    lines = _others(flags, flagged, workspace) + lines
    summary = "\n".join([f"score at {index_date}: {path}", *lines])
    return {
        "index_date": index_date.isoformat(),
        "safety_flags": len(flagged),
        "scored": counts,
        "held_back": held_back,
        "path": str(path),
        "summary": summary,
    }


def _only(everyone: Histories, person: str) -> Histories:
    """Return one of everyone; raises MissingInputError where nothing is known of that person."""
    position = everyone.person_ids.index(person) if person in everyone.person_ids else None
    if position is None or not everyone.persons.counts()[position]:
        raise MissingInputError("There is no such person in the tables. Identifiers are those of persons.csv.")
    return everyone.take(np.array([position]))


def _flagged(flags: list[SafetyFlag], histories: Histories) -> dict[str, str]:
    """Latest day on which each of the persons gave an answer that a human must look at."""
    asked = set(histories.person_ids)
    days = ((flag.person_id, flag.answered_on) for flag in reversed(flags))
    return {person: day.isoformat() if day else "day unknown" for person, day in days if person in asked}


def _others(flags: list[SafetyFlag], flagged: dict[str, str], workspace: Workspace) -> list[str]:
    """Say that there are flags of persons who are not scored, whose row or record was refused."""
    n = sum(flag.person_id not in flagged for flag in flags)
    where = workspace.tables / FILE
    return (
        [f"  {n} more safety flag(s) of persons who are not scored: a clinician must look today; {where}"] if n else []
    )


def promoted(workspace: Workspace) -> list[str]:
    """Return the outcomes that have a champion in service; all of them where none has, so that the error names one."""
    return [name for name in OUTCOMES if current_bundle(workspace.bundles, name)] or [*OUTCOMES]


def open_champion(workspace: Workspace, outcome: str) -> RiskModel:
    """Open the promoted bundle of an outcome; raises MissingInputError if there is none, ArtifactError if it is damaged."""
    bundle = current_bundle(workspace.bundles, outcome)
    if bundle is None:
        raise MissingInputError(
            f"No champion of {outcome} is promoted in {workspace.bundles}. Run: balance-risk promote"
        )
    return open_bundle(bundle, workspace.keys / "verify.key")


def _scores(model: RiskModel, histories: Histories, matrix: FeatureMatrix, t: int) -> dict[str, Any]:
    """Return number, interval and why there is no number ("" where there is one) per person, by the rules of the service."""
    outcome = OUTCOMES[model.outcome]
    age = matrix.values[:, matrix.names.index("age_years")]
    eligibility = outcome.eligibility(histories, t, age)
    X = model.select(matrix)
    interval = model.interval(X)
    held_back = Carrier.of(model).reasons(X, interval)
    why_not = np.where(eligibility == ELIGIBLE, np.array(REASONS)[held_back], np.array(outcome.reasons)[eligibility])
    number = np.where(why_not == "", model.risks(X), np.nan)
    return {"number": number, "interval": interval, "why_not": why_not}


def _held_back(why_not: np.ndarray) -> dict[str, int]:
    """Eligible persons whose inputs carry no number, by reason."""
    return {reason: int((why_not == reason).sum()) for reason in REASONS[1:]}


def _in_words(held_back: dict[str, int]) -> str:
    told = [f"{count} {reason}" for reason, count in held_back.items() if count]
    return f"; held back: {', '.join(told)}" if told else ""


def _write(
    path: Any, histories: Histories, models: dict[str, RiskModel], scored: dict[str, Any], flagged: dict[str, str]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name, model in models.items():
            found = scored[name]
            for person_id, number, (low, high), why_not in zip(
                histories.person_ids,
                found["number"].tolist(),
                found["interval"].tolist(),
                found["why_not"].tolist(),
                strict=True,
            ):
                band = "" if why_not else risk_band(number, model.reference_risk).name
                pair = (number, "") if model.link == "logit" else ("", number)
                interval = ("", "") if np.isnan(low) else (low, high)  # a published formula has no refits
                numbers = ("",) * 4 if why_not else (*pair, *interval)
                writer.writerow((person_id, name, *numbers, band, why_not, flagged.get(person_id, ""), model.version))


def _explained(
    models: dict[str, RiskModel], scored: dict[str, Any], histories: Histories, matrix: FeatureMatrix, index_date: date,
    observed_on: np.ndarray, flagged: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    lines, outcomes = [f"score at {index_date}"], dict[str, Any]()
    lines += [f"  SAFETY: an answer of {day} must be looked at by a clinician today" for day in flagged.values()]
    for name, model in models.items():
        why_not = str(scored[name]["why_not"][0])
        if why_not:
            outcomes[name] = {"risk": None, "expected_days": None, "not_scored_because": why_not}
            lines.append(f"  {name}: no number, because: {why_not}")
            continue
        found = explain(model, matrix.values[0], observed_on, histories.consented[0])
        number, (low, high) = float(scored[name]["number"][0]), scored[name]["interval"][0].tolist()
        is_risk = model.link == "logit"
        outcomes[name] = {
            "risk": number if is_risk else None,
            "expected_days": None if is_risk else number,
            "interval": [low, high],
            "reference_risk" if is_risk else "reference_days": model.reference_risk,
            "band": risk_band(number, model.reference_risk).name,
            "log_odds": found.log_odds,
            "base": found.base,
            "reasons": [asdict(reason) for reason in found.reasons],
        }
        shown = [
            f"{value:.1%}" if is_risk else f"{value:.1f} days" for value in (number, low, high, model.reference_risk)
        ]
        lines.append(f"  {name}: {shown[0]} (interval {shown[1]} to {shown[2]}; reference group {shown[3]})")
        lines += [f"    {reason.contribution:+.3f}  {reason.text['en']}" for reason in found.strongest(5, 3)]
    return {
        "index_date": index_date.isoformat(),
        "safety_flags": [*flagged.values()],
        "outcomes": outcomes,
        "summary": "\n".join(lines),
    }
