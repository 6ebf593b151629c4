"""A process that writes to the audit log and says, only after the commit, what was written.

``python -m tests.lib.audit_writer write URL HEADS NAME [COUNT]`` appends from four threads until it is killed, or COUNT
events: a line ``ok NUMBER REQUEST`` each, or ``no REQUEST SECONDS`` where the log was unavailable.

``python -m tests.lib.audit_writer kill URL HEADS ROUNDS`` forks such a writer per round and kills it with SIGKILL in the
midst of writing; prints what the writers said, and a line ``killed PENDING`` a round.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from serving.audit.errors import AuditUnavailable
from serving.audit.event import AuditEvent
from serving.audit.journal import Journal

KEY = bytes(range(32))
THREADS = 4
LONGEST_KILL_SECONDS = 0.03


def event(request_id: str, **changes: object) -> AuditEvent:
    fields: dict[str, object] = {
        "at": datetime.now(UTC),
        "caller": "dr-hansen",
        "role": "clinician",
        "organisations": ("c1", "c2"),
        "purpose": "healthcare",
        "action": "score",
        "person_id": "person-7",
        "decision": "allowed",
        "reason": "",
        "models": ("burnout:3:0123456789ab",),
        "data_version": "2026-11-22",
        "request_id": request_id,
    }
    return AuditEvent(**{**fields, **changes})  # type: ignore[arg-type]


def write(url: str, heads: Path, name: str, count: int | None, out: int) -> None:
    """Append until killed, or ``count`` events."""
    journal, numbers = Journal(url, KEY, heads), itertools.count()
    journal.start()
    threads = [threading.Thread(target=_append, args=(journal, name, numbers, count, out)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()


def _append(journal: Journal, name: str, numbers: itertools.count[int], count: int | None, out: int) -> None:
    while True:
        number = next(numbers)
        if count is not None and number >= count:
            return
        began = time.monotonic()
        try:
            line = f"ok {journal.append([event(f'{name}-{number}')]).result()} {name}-{number}"
        except AuditUnavailable:
            line = f"no {name}-{number} {time.monotonic() - began:.2f}"
            time.sleep(0.02)
        os.write(out, f"{line}\n".encode())  # one write of a short line is never torn


def kill(url: str, heads: Path, rounds: int) -> None:
    """Kill a writer in each round, at a moment when it is known to be writing."""
    chance = random.Random(7)
    for number in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            write(url, heads, f"r{number}", None, writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as lines:
            first = lines.readline()  # it writes now
            time.sleep(chance.uniform(0.0, LONGEST_KILL_SECONDS))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            sys.stdout.write((first + lines.read()).decode() + f"killed {number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    what, url, heads, *rest = sys.argv[1:]
    if what == "kill":
        kill(url, Path(heads), int(rest[0]))
    else:
        write(url, Path(heads), rest[0], int(rest[1]) if rest[1:] else None, 1)
