"""Scores everybody and writes one night: ``python -m serving.nightly``, started by ``balance-risk score``.

Standard input: a line with what is asked (:class:`Asked`), a line per person, ``{"person_id": ..., "record": ...}``, and
``{"end": true}``, without which the input was broken off and nothing is written.
With ``workers`` 0 the lines are results already: what ``serving.store.workers`` answered elsewhere, given the same task.
Standard output: ``{"models": ..., "task": ...}``, a line per person in the same order (what stands in the CSV file),
``{"summary": ...}``.
Bundles, key and store are those of the service, from the same environment variables. Nothing is written before everybody
is scored; then one transaction writes the night, so one that is broken off anywhere leaves what was there before.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

import orjson

from data_contracts.errors import ArtifactError, BalanceRiskError, EngineError, MissingInputError
from models.bundle import current_bundle
from models.outcomes import OUTCOMES
from serving.alerts.evidence import rules_of
from serving.alerts.teams import Team, read_teams
from serving.settings import Settings
from serving.store import Store, open_store
from serving.store.nights import Digest, Night, ScoredPerson
from serving.store.scoring import Mode, Task, scored_person
from serving.store.workers import in_order, scorers

END = b'{"end":true}\n'
BY_DIAGNOSIS = tuple(name for name, outcome in OUTCOMES.items() if getattr(outcome, "chapter", None))


@dataclass(frozen=True)
class Asked:
    """The first line: which morning, of which tables, for what.

    Parameters
    ----------
    mode : {"score", "rebuild", "explain"}
        Write a night; compute a past one again and compare; answer one person in full and write nothing.
    index_date : date
    received_on : date
        When the tables came in; their rows were checked against that day.
    data_version : str
        SHA-256 of the tables.
    outcomes : tuple of str
        Of a rebuild: none, the night names them.
    workers : int
        Processes that score; 0: none here.
    """

    mode: Mode
    index_date: date
    received_on: date
    data_version: str
    outcomes: tuple[str, ...]
    workers: int

    @classmethod
    def from_json(cls, line: bytes) -> Asked:
        """Read the line."""
        fields = orjson.loads(line)
        for name in ("index_date", "received_on"):
            fields[name] = date.fromisoformat(fields[name])
        return cls(**fields | {"outcomes": tuple(fields["outcomes"])})


def run(settings: Settings, source: IO[bytes], sink: IO[bytes]) -> None:
    """Do what the first line asks; raises BalanceRiskError, and has then written nothing to the store."""
    asked = Asked.from_json(source.readline())
    teams = read_teams(settings.teams)  # what is wrong in there is said before anybody is scored
    store = open_store(settings.store, patient=True)
    then = _night(store, asked) if asked.mode == "rebuild" else None
    task, last_withdrawal = _task(settings, store, asked, then)
    began = time.perf_counter()
    with scorers(task, asked.workers) as found, tempfile.TemporaryFile() as spool:
        models = found[0].models
        _refuse_other_models(models, then)
        _say(sink, {"models": models, "task": task.to_json().decode()})
        tally = _Tally()
        lines = _until_end(source)
        for line in in_order(lines, found) if asked.workers else lines:
            told = orjson.loads(line)
            tally.add(told)
            spool.write(line.rstrip(b"\n") + b"\n")
            _say(sink, _of_interest(told))
        seconds = time.perf_counter() - began
        spool.seek(0)
        night = Night(
            asked.index_date, task.received_on, asked.data_version, models, tally.digest.hexdigest(), tally.n_persons,
            tally.n_refused, last_withdrawal,
        )  # fmt: skip
        summary = _finished(store, asked.mode, night, then, spool)
        if asked.mode == "score":
            summary |= _alerted(settings, store, night, teams)
    speed = {"seconds": round(seconds, 3), "persons_per_second": round(tally.n_all / max(seconds, 1e-9), 1)}
    _say(sink, {"summary": summary | speed})


def _say(sink: IO[bytes], document: dict[str, Any]) -> None:
    sink.write(orjson.dumps(document) + b"\n")
    sink.flush()


def _until_end(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the records; raises EngineError where whoever sends them has died before the last."""
    for line in source:
        if line == END:
            return
        yield line
    raise EngineError("The records were broken off, so nothing of this night was written. Run it again.")


def _night(store: Store, asked: Asked) -> Night:
    found = store.night(asked.index_date)
    if found is None:
        raise MissingInputError(f"No scores of {asked.index_date} are stored, so there is nothing to compare with.")
    return found


def _task(settings: Settings, store: Store, asked: Asked, then: Night | None) -> tuple[Task, int]:
    """Return the task, and the number of the last withdrawal that it knows."""
    last, withdrawals = store.withdrawals(None if then is None else then.last_withdrawal)
    bundles = _promoted(settings, asked.outcomes) if then is None else _named(settings, then)
    received_on = asked.received_on if then is None else then.received_on
    paths = {outcome: str(path.absolute()) for outcome, path in bundles.items()}
    return Task(
        asked.mode, asked.index_date, received_on, paths, str(settings.verify_key.absolute()), withdrawals
    ), last


def _promoted(settings: Settings, outcomes: Iterable[str]) -> dict[str, Path]:
    found = {name: current_bundle(settings.bundles, name) for name in outcomes}
    absent = [name for name, path in found.items() if path is None]
    if absent:
        raise MissingInputError(f"No champion of {', '.join(absent)} is promoted. Run: balance-risk promote")
    return {name: path for name, path in found.items() if path is not None}


def _named(settings: Settings, then: Night) -> dict[str, Path]:
    return {name: settings.bundles / name / model["directory"] for name, model in then.models.items()}


def _refuse_other_models(models: dict[str, dict[str, str]], then: Night | None) -> None:
    if then is not None and models != then.models:
        raise ArtifactError("The bundles that the night names hold other models now. Restore them from a backup.")


class _Tally:
    """Counts and hashes results as they come."""

    def __init__(self) -> None:
        self.n_persons = self.n_refused = 0
        self.digest = Digest()

    @property
    def n_all(self) -> int:
        return self.n_persons + self.n_refused

    def add(self, told: dict[str, Any]) -> None:
        if "refused" in told:
            self.n_refused += 1
            return
        self.n_persons += 1
        self.digest.add(told["person_id"], told["answer"].encode())


def _of_interest(told: dict[str, Any]) -> dict[str, Any]:
    """Return what the pipeline gets of a result: numbers and reasons, and the whole answer only where it is explained."""
    return {name: told[name] for name in ("person_id", "outcomes", "why_not")} if "outcomes" in told else told


def _finished(store: Store, mode: Mode, night: Night, then: Night | None, spool: IO[bytes]) -> dict[str, Any]:
    if mode == "explain":
        return {"models": night.models}
    about = {
        "run_id": night.run_id, "digest": night.digest, "models": night.models, "data_version": night.data_version,
        "persons": night.n_persons, "refused": night.n_refused,
    }  # fmt: skip
    if then is not None:
        return about | _compared(store, night, then, _scored(spool))
    return about | {"is_new": store.write_night(night, _scored(spool), BY_DIAGNOSIS)}


def _alerted(settings: Settings, store: Store, night: Night, teams: Sequence[Team]) -> dict[str, Any]:
    """Raise alerts, each time the night is run: where it died between the two, running it again makes good for it."""
    if not teams:
        return {}
    return {"alerts": store.raise_alerts(night.night, rules_of(teams, night.models, settings.bundles))}


def _scored(spool: IO[bytes]) -> Iterator[ScoredPerson]:
    results = map(orjson.loads, spool)
    return (scored_person(told) for told in results if "refused" not in told)


def _compared(store: Store, now: Night, then: Night, persons: Iterable[ScoredPerson]) -> dict[str, Any]:
    """Hold what was computed again against what was stored, byte by byte."""
    stored = store.answers(then.night)
    counts = {"same": 0, "different": 0, "only_now": 0}
    for one in persons:
        before = stored.pop(one.person_id, None)
        counts["only_now" if before is None else "same" if before == one.answer else "different"] += 1
    return {
        **counts,
        "only_then": len(stored),
        "is_same": now.digest == then.digest,
        "data_version_then": then.data_version,
        "digest_then": then.digest,
    }


def main() -> int:
    """Run as a process; an error is one line on standard error, without values, and a code."""
    try:
        run(Settings.from_environment(), sys.stdin.buffer, sys.stdout.buffer)
    except BalanceRiskError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except BrokenPipeError:  # who started us is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("BALANCE_RISK_TRACEBACK") == "1":
            raise
        sys.stderr.write(f"unexpected {type(error).__name__}; a fault of ours\n")
        return 70
    return 0


if __name__ == "__main__":
    sys.exit(main())
