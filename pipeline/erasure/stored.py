"""A person in the store of scores and decisions, which another process changes, and in the audit log, which nobody may.

The audit log says who has looked at whom. Whoever was looked at has a right to know, and the controller a duty to keep it
(GDPR article 17, paragraph 3 b; the Norwegian act on patient records, section 22): so it keeps the pseudonym, and says so in
the certificate. It holds nothing about the person but that somebody looked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from data_contracts.errors import BalanceRiskError
from pipeline.erasure.wanted import Wanted
from pipeline.nightly import STORE_VARIABLE, store_url
from pipeline.serve import PROJECT
from pipeline.workspace import Workspace

ERASURE = "serving.store.erasure"
AUDIT_VARIABLE = "BALANCE_RISK_AUDIT"
AUDIT_IS_KEPT = "the audit log ({}): who has seen the person is kept, under the pseudonym, as the law demands"
_SQLITE = "sqlite:///"
_BESIDE = ("", "-wal", "-shm", "-journal")


class StoreNotErased(BalanceRiskError):
    """The store could not be changed, or a person could not be taken out of it."""


def audit_files(workspace: Workspace) -> frozenset[Path]:
    """Return the files of the audit log, which stay as they are."""
    url = os.environ.get(AUDIT_VARIABLE) or f"{_SQLITE}{workspace.root / 'store' / 'audit.db'}"
    if not url.startswith(_SQLITE):
        return frozenset()
    path = Path(url.removeprefix(_SQLITE)).resolve()
    return frozenset(path.with_name(path.name + suffix) for suffix in _BESIDE)


def store_file(workspace: Workspace) -> Path | None:
    """Return the file of the store, None where it is a server."""
    url = store_url(workspace)
    return Path(url.removeprefix(_SQLITE)).resolve() if url.startswith(_SQLITE) else None


def held(workspace: Workspace, wanted: Wanted) -> int:
    """Return how many rows of a person the store has."""
    return sum(_ask(workspace, wanted, only_count=True).values())


def forget(workspace: Workspace, wanted: Wanted) -> dict[str, int]:
    """Take a person out of the store and return how many rows went, by table; raises StoreNotErased."""
    return _ask(workspace, wanted, only_count=False)


def _ask(workspace: Workspace, wanted: Wanted, *, only_count: bool) -> dict[str, int]:
    path = store_file(workspace)
    if path is not None and not path.exists():
        return {}
    asked = {"store": store_url(workspace), "names": wanted.names, "in_texts": wanted.strong, "only_count": only_count}
    done = subprocess.run(
        [sys.executable, "-m", ERASURE],
        input=json.dumps(asked),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        # The last line is the process's own sentence, which names nobody; anything before it may not be shown.
        said = done.stderr.strip().splitlines()[-1:] if done.returncode < 10 else []
        raise StoreNotErased(
            f"The store ({STORE_VARIABLE} or store/store.db) could not be changed. {' '.join(said)}".strip()
        )
    found: dict[str, int] = json.loads(done.stdout)
    return found
