"""A service that works while a backup of it is taken, and the commands that take and restore one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.lib.deployment import COMPANY, PROJECT, REQUEST, Deployment
from tests.lib.stores import OUTCOME, opened, scored, write

HER, ERASED, WITHDREW = "SYNTHETIC-her", "SYNTHETIC-erased", "SYNTHETIC-withdrew"
BUSY = tuple(f"SYNTHETIC-busy-{number}" for number in range(3))
LEAVERS = tuple(f"SYNTHETIC-leaver-{number}" for number in range(300))
BREATH_SECONDS = 0.05
"""Between the rounds of one thread: more would only make the machine busy."""


def command(service: Deployment, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a verb with the settings of a service; verbs of the service as the command line runs them, but a second sooner."""
    erasures = [f"--erasures={service.root / 'erasures'}"]
    verbs = {"backup": ["serving.backup", "take"], "restore": ["serving.backup", "restore"], "audit": ["serving.audit"]}
    verb = str(words[0])
    run = [*verbs[verb], *map(str, words[1:]), *(erasures if verb != "audit" else [])] if verb in verbs else [
        "pipeline.cli", *map(str, words), f"--workspace={service.root}"
    ]  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", *run],
        cwd=PROJECT, env=service.environment | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def done(service: Deployment, *words: str | Path, **variables: str) -> dict[str, Any]:
    """Run a verb that must work and has JSON to say."""
    ended = command(service, *words, "--json", **variables)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def fill(service: Deployment) -> None:
    """A night of some persons, also of one who will be erased and of one who will withdraw."""
    with opened(service.environment["BALANCE_RISK_STORE"]) as store:
        write(store, *(scored(one, companies=(COMPANY,)) for one in (HER, ERASED, WITHDREW, *BUSY, *LEAVERS)))


def take_care_of(service: Deployment, person: str) -> httpx.Response:
    path = f"/v1/persons/{person}/care-relation"
    return service.post(path, {"reason": "follows her"}, **service.headers("clinician"))


def stored_risk(service: Deployment, person: str = HER) -> httpx.Response:
    """What a clinician is shown of a person."""
    return service.get(f"/v1/persons/{person}/risk", "clinician")


class Working:
    """Scores, decisions, withdrawals from several threads until the end of the block; ``answered``: request -> when."""

    def __init__(self, service: Deployment) -> None:
        self.service = service
        self.answered: dict[str, float] = {}
        self._stop = threading.Event()
        self._leavers = [*LEAVERS]
        self._threads = [threading.Thread(target=self._work, args=(person,)) for person in BUSY]

    def __enter__(self) -> Working:
        for person in BUSY:
            assert take_care_of(self.service, person).status_code == 200
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, person: str) -> None:
        score = stored_risk(self.service, person).json()["score_id"]
        body = {"score_id": score, "outcome": OUTCOME, "verdict": "agree", "reason": "as she told", "next_step": "wait"}
        clinician = self.service.headers("clinician")
        while not self._stop.wait(BREATH_SECONDS):
            self._note(self.service.post("/v1/risk", REQUEST))
            self._note(self.service.post(f"/v1/persons/{person}/decisions", body, **clinician))
            with suppress(IndexError):
                self._note(self.service.post(f"/v1/persons/{self._leavers.pop()}/withdrawals", {"source": "lab"}))

    def _note(self, response: httpx.Response) -> None:
        if response.status_code == 200:
            self.answered[response.headers["x-request-id"]] = time.time()
