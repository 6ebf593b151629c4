"""One record of the night: withdrawals that came through the service first, then the same predictor that answers requests."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from data_contracts.errors import ArtifactError
from data_contracts.industries import section_of
from data_contracts.records import Source
from data_contracts.time_windows import is_visible
from features.record import RecordViolation, tables_of_record
from models.abstention import REASONS
from models.bundle import open_bundle
from models.explanation import Explanation
from models.risk_model import inverse_link
from serving.case import Case
from serving.notices import NOT_ELIGIBLE, TOO_UNCERTAIN, UNLIKE_TRAINING, SafetyNotice
from serving.predictor import Predictor, case_of
from serving.responses import ExplanationResponse, OutcomeRisk, RiskResponse
from serving.store.consents import as_seen, with_withdrawals
from serving.store.measured import measured
from serving.store.nights import OutcomeScore, ScoredPerson
from serving.store.records import kept_record, packed_record

_WORDS = {
    **{notice.code: reason for reason, notice in NOT_ELIGIBLE.items()},
    **dict(zip(("too_little_known", UNLIKE_TRAINING.code, TOO_UNCERTAIN.code), REASONS[1:], strict=True)),
}
"""Of the warning that stands first where there is no number."""

Mode = Literal["score", "rebuild", "explain"]


@dataclass(frozen=True)
class Task:
    """What a night asks of whoever scores; it travels to other processes as JSON.

    Parameters
    ----------
    mode : {"score", "rebuild", "explain"}
    index_date, received_on : date
    bundles : mapping
        Outcome -> directory of the bundle: named, so that no promotion changes the models of a night under way.
    key : str
        File of the verification key.
    withdrawals : mapping
        Person -> source -> day of withdrawal.
    """

    mode: Mode
    index_date: date
    received_on: date
    bundles: Mapping[str, str]
    key: str
    withdrawals: Mapping[str, Mapping[Source, date]]

    def to_json(self) -> bytes:
        """Return it as one line."""
        return orjson.dumps(vars(self))

    @classmethod
    def from_json(cls, line: bytes) -> Task:
        """Read what :meth:`to_json` wrote."""
        fields = orjson.loads(line)
        for name in ("index_date", "received_on"):
            fields[name] = date.fromisoformat(fields[name])
        fields["withdrawals"] = {
            person: {source: date.fromisoformat(day) for source, day in days.items()}
            for person, days in fields["withdrawals"].items()
        }
        return cls(**fields)


class Scorer:
    """Models opened once, applied to line after line."""

    def __init__(self, task: Task) -> None:
        models = {outcome: open_bundle(Path(path), Path(task.key)) for outcome, path in task.bundles.items()}
        if not models:
            raise ArtifactError("No model is promoted, so nobody can be scored. Run: balance-risk promote")
        self.task = task
        self.predictor = Predictor(models)

    @property
    def models(self) -> dict[str, dict[str, str]]:
        """By outcome, what a night must name to be computed again."""
        return {
            outcome: {
                "directory": Path(self.task.bundles[outcome]).name,
                "version": model.version,
                "artifact_sha256": model.artifact_sha256,
            }
            for outcome, model in self.predictor.models.items()
        }

    def lines(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the result of each line, one line each."""
        return [self.line(line) for line in lines]

    def line(self, line: bytes) -> bytes:
        """Return the result of ``{"person_id": ..., "record": ...}``; a record that is refused says why."""
        asked = orjson.loads(line)
        person_id = asked["person_id"]
        record = with_withdrawals(asked["record"], self.task.withdrawals.get(person_id, {}))
        received_on = self._received_on(person_id)
        try:
            case = case_of(tables_of_record(record, received_on), self.task.index_date, received_on)
        except RecordViolation as violation:
            return orjson.dumps({"person_id": person_id, "refused": _why(violation)})
        told = self._explained(case) if self.task.mode == "explain" else self._scored(case, record)
        return orjson.dumps({"person_id": person_id} | told)

    def _explained(self, case: Case) -> dict[str, Any]:
        answer = self.predictor.explain_case(case, self.task.index_date, list(self.task.bundles))
        return _answer(answer)

    def _scored(self, case: Case, record: dict[str, Any]) -> dict[str, Any]:
        """Return the answer and all that a night keeps beside it."""
        day = self.task.index_date
        answer, explained = self.predictor.predict_explained(case, day, list(self.task.bundles))
        return _answer(answer) | {
            "is_flagged": bool(answer.safety_flags),
            "flags_digest": flags_digest(answer.safety_flags),
            "outcomes": [outcome_score(name, found, explained[name]) for name, found in answer.outcomes.items()],
            "companies": companies_on(record, day),
            "places": places_on(record, day),
            "consents": as_seen(record),
            "measures": measured(case),
            "record": b64encode(packed_record(kept_record(record, case))).decode(),
        }

    def _received_on(self, person_id: str) -> date:
        """A withdrawal may have come after the tables did."""
        return max(self.task.received_on, *self.task.withdrawals.get(person_id, {}).values(), date.min)


def _answer(answer: RiskResponse | ExplanationResponse) -> dict[str, Any]:
    return {"answer": answer.model_dump_json(), "why_not": _why_not(answer)}


def scored_person(told: Mapping[str, Any]) -> ScoredPerson:
    """Read a result that is not refused."""
    return ScoredPerson(
        person_id=told["person_id"],
        answer=told["answer"].encode(),
        is_flagged=told["is_flagged"],
        outcomes=tuple(OutcomeScore(**outcome) for outcome in told["outcomes"]),
        companies=tuple(told["companies"]),
        consents=tuple((*consent,) for consent in told["consents"]),
        measures=tuple(told["measures"].items()),
        places=tuple((*place,) for place in told["places"]),
        record=b64decode(told["record"]),
        flags_digest=told["flags_digest"],
    )


def flags_digest(flags: Sequence[SafetyNotice]) -> str | None:
    """Return SHA-256 over which answers are flagged, None where none is."""
    said = sorted(f"{one.instrument} {one.item} {one.answered_on}" for one in flags)
    return hashlib.sha256("\n".join(said).encode()).hexdigest() if said else None


def outcome_score(name: str, found: OutcomeRisk, explained: Explanation | None) -> OutcomeScore:
    """Return the number of an outcome, whichever its target is, and how much of it can be worked with."""
    is_event = found.target == "event"
    interval = found.interval if is_event else found.expected_days_interval
    low, high = interval or (None, None)
    number = found.risk if is_event else found.expected_days
    band = found.band.name if found.band else None
    if explained is None or number is None:
        return OutcomeScore(name, found.target, number, low, high, band)
    workable = explained.workable
    without = inverse_link("logit" if is_event else "log", np.array([explained.log_odds - workable.contribution]))
    return OutcomeScore(name, found.target, number, low, high, band, number - float(without[0]), workable.group)


def companies_on(record: Mapping[str, Any], day: date) -> list[str]:
    """Return the companies that employ a person on the morning of a day, as far as was known then.

    Asked whether or not the source employment may be used for scoring: it says who may see the person, not how she is.
    """
    return sorted({company for company, _, _ in places_on(record, day)})


def places_on(record: Mapping[str, Any], day: date) -> list[tuple[str, str | None, str | None]]:
    """Return company, unit and section of the industry of each employment on the morning of a day, as far as known then.

    A company is named once: of two employments in it the one that began last counts.
    """
    known: dict[tuple[str, str], Mapping[str, Any]] = {}
    rows = [row for row in record.get("employments") or () if is_visible(row["known_from"], day.isoformat())]
    for row in sorted(rows, key=lambda one: str(one["known_from"])):
        known[(row["company_id"], row["start_date"])] = row
    there = sorted((row for row in known.values() if _employs(row, day.isoformat())), key=lambda one: one["start_date"])
    places = {row["company_id"]: (row.get("unit_id"), row.get("industry_code")) for row in there}
    return [(one, unit or None, section_of(code) if code else None) for one, (unit, code) in sorted(places.items())]


def _employs(row: Mapping[str, Any], day: str) -> bool:
    ended = row.get("end_date")
    return not row.get("is_deleted") and bool(row["start_date"] <= day) and (not ended or bool(ended >= day))


def _why_not(answer: RiskResponse | ExplanationResponse) -> dict[str, str]:
    """Say, by outcome without a number, why there is none, in the words of flow counts and model cards."""
    return {
        name: _WORDS[found.warnings[0].code]
        for name, found in answer.outcomes.items()
        if found.risk is None and found.expected_days is None
    }


def _why(violation: RecordViolation) -> str:
    """Name the first fault by table, column and rule, none of which is the person's."""
    first = violation.violations[0]
    more = len(violation.violations) - 1
    place = first.origin.removeprefix("record.") + (f".{first.column}" if first.column else "")
    return f"record refused: {place}: {first.rule}" + (f" (and {more} more)" if more else "")
