"""Records of the night: withdrawals that came through the service first, then the same predictor that answers requests."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import orjson

from data_contracts.errors import ArtifactError
from data_contracts.industries import section_of
from data_contracts.many_records import check_records
from data_contracts.records import Source
from data_contracts.time_windows import is_visible
from features.record import RecordViolation, tables_of_record
from models.abstention import REASONS
from models.bundle import open_bundle
from models.explanation import Explanation
from models.risk_model import inverse_link
from serving.case import Cases, case_of, cases_of
from serving.notices import NOT_ELIGIBLE, TOO_UNCERTAIN, UNLIKE_TRAINING, SafetyNotice
from serving.predictor import Predictor
from serving.responses import ExplanationResponse
from serving.store.consents import as_seen, with_withdrawals
from serving.store.measured import measured_all
from serving.store.nights import OutcomeScore, ScoredPerson
from serving.store.records import kept_of, packed_record

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
        """Return the result of each line, ``{"person_id": ..., "record": ...}``; a record that is refused says why.

        What is plainly sound goes through checks, features and models together, all else alone; the results are the same.
        """
        asked = [self._asked(line) for line in lines]
        received_on = self.task.received_on
        usual = [place for place, one in enumerate(asked) if one.received_on == received_on]
        checked = check_records([asked[place].record for place in usual], received_on)
        together = [usual[position] for position in checked.sound]
        found: dict[int, bytes] = {}
        if together and self.task.mode != "explain":
            ids = [asked[place].record["person"]["person_id"] for place in together]
            cases, flags = cases_of(checked.tables, ids, self.task.index_date, received_on)
            told = self._scored(cases, flags, [asked[place].record for place in together])
            found = {place: _line(asked[place], one) for place, one in zip(together, told, strict=True)}
        return [found.get(place) or self._alone(one) for place, one in enumerate(asked)]

    def _asked(self, line: bytes) -> _Asked:
        asked = orjson.loads(line)
        withdrawn = self.task.withdrawals.get(asked["person_id"], {})
        # A withdrawal may have come after the tables did.
        received_on = max(self.task.received_on, *withdrawn.values(), date.min)
        return _Asked(asked["person_id"], with_withdrawals(asked["record"], withdrawn), received_on)

    def _alone(self, asked: _Asked) -> bytes:
        day = self.task.index_date
        try:
            case = case_of(tables_of_record(asked.record, asked.received_on), day, asked.received_on)
        except RecordViolation as violation:
            return _line(asked, {"refused": _why(violation)})
        if self.task.mode == "explain":
            return _line(asked, _answer(self.predictor.explain_case(case, day, list(self.task.bundles))))
        return _line(asked, self._scored(case, [case.safety_flags], [asked.record])[0])

    def _scored(
        self, cases: Cases, flags: Sequence[tuple[SafetyNotice, ...]], records: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return of each person the answer and all that a night keeps beside it."""
        day = self.task.index_date
        answers = self.predictor.answers(cases, flags, day, list(self.task.bundles))
        told = zip(answers, flags, records, cases.histories.consented, measured_all(cases), strict=True)
        return [
            {
                "answer": answer.json.decode(),
                "why_not": _why_not(answer.outcomes),
                "is_flagged": bool(flagged),
                "flags_digest": flags_digest(flagged),
                "outcomes": [outcome_score(name, one, answer.explained[name]) for name, one in answer.outcomes.items()],
                "companies": companies_on(record, day),
                "places": places_on(record, day),
                "consents": as_seen(record),
                "measures": measures,
                "record": b64encode(packed_record(kept_of(record, holds, flagged))).decode(),
            }
            for answer, flagged, record, holds, measures in told
        ]


class _Asked(NamedTuple):
    """One line: a record with the withdrawals that came through the service, and the day against which it is checked."""

    person_id: str
    record: dict[str, Any]
    received_on: date


def _line(asked: _Asked, told: dict[str, Any]) -> bytes:
    return orjson.dumps({"person_id": asked.person_id} | told)


def _answer(answer: ExplanationResponse) -> dict[str, Any]:
    return {
        "answer": answer.model_dump_json(),
        "why_not": _why_not({name: vars(one) for name, one in answer.outcomes.items()}),
    }


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


def outcome_score(name: str, found: Mapping[str, Any], explained: Explanation | None) -> OutcomeScore:
    """Return the number of an outcome, whichever its target is, and how much of it can be worked with.

    ``found`` are the fields of :class:`~serving.responses.OutcomeRisk`.
    """
    is_event = found["target"] == "event"
    interval = found["interval"] if is_event else found["expected_days_interval"]
    low, high = interval or (None, None)
    number = found["risk"] if is_event else found["expected_days"]
    band = found["band"].name if found["band"] else None
    if explained is None or number is None:
        return OutcomeScore(name, found["target"], number, low, high, band)
    workable = explained.workable
    without = inverse_link("logit" if is_event else "log", np.array([explained.log_odds - workable.contribution]))
    return OutcomeScore(name, found["target"], number, low, high, band, number - float(without[0]), workable.group)


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


def _why_not(outcomes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Say, by outcome without a number, why there is none, in the words of flow counts and model cards."""
    return {
        name: _WORDS[found["warnings"][0].code]
        for name, found in outcomes.items()
        if found["risk"] is None and found["expected_days"] is None
    }


def _why(violation: RecordViolation) -> str:
    """Name the first fault by table, column and rule, none of which is the person's."""
    first = violation.violations[0]
    more = len(violation.violations) - 1
    place = first.origin.removeprefix("record.") + (f".{first.column}" if first.column else "")
    return f"record refused: {place}: {first.rule}" + (f" (and {more} more)" if more else "")
