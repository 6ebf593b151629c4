"""Promotes version 2 again and again and kills it with SIGKILL: ``python -m tests.lib.killed_promotions WORKSPACE``.

Version 1 serves. Each promotion runs in a process of its own, forked from this one before the registry is opened, and dies
either just before its n-th change of a file in ``bundles`` (for every n there is) or after some time. What is then left is
looked at from outside; where it is not like what was left before, the promotion runs again to its end. One JSON line per kill
goes to standard output.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import models.bundle
from models import promotion_log, registry
from models.bundle import current_bundle, open_bundle
from models.promotion_policy import Policy
from pipeline import promote
from pipeline.approval import Approval
from pipeline.workspace import Workspace
from tests.lib.promotions import OUTCOME

CHANGES = {"os.rename", "os.symlink", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "os.truncate"}
TIMED_KILLS = 4
HEALED: dict[str, dict[str, Any]] = {}
"""What was left -> what the next promotion makes of it."""

MOST_CHANGES = 200


def main(root: Path) -> None:
    """Kill before every change, then at times spread over the duration of a promotion."""
    # Without its trial process a promotion takes a fifth of the time; what moves the pointer is all there.
    models.bundle.trial_parse = lambda files: None
    _open_registry(root)
    saved = root.with_name("saved")
    for name in ("bundles", "mlflow.db"):
        _copy(root / name, saved / name)
    for change in range(1, MOST_CHANGES):
        if not _one(root, saved, kill_before=change)["killed"]:
            break
    began = time.monotonic()
    _in_child(root, 0, None)
    seconds, chance = time.monotonic() - began, random.Random(17)
    for _ in range(TIMED_KILLS):
        _one(root, saved, kill_after=chance.uniform(0.5, 1.1) * seconds)


def _open_registry(root: Path) -> None:
    """Import and use it once for all, then close the database: a connection must not be shared with a forked process."""
    uri = Workspace(root).tracking_uri
    registry.fetch(OUTCOME, "2", root / "warm", tracking_uri=uri)
    with registry._connected(uri) as mlflow:
        client = mlflow.MlflowClient()
        for store in (client._tracking_client.store, client._get_registry_client().store):
            store.engine.dispose()


def _one(root: Path, saved: Path, kill_before: int = 0, kill_after: float | None = None) -> dict[str, Any]:
    for name in ("bundles", "mlflow.db"):
        _copy(saved / name, root / name)
    killed = _in_child(root, kill_before, kill_after) == -signal.SIGKILL
    result: dict[str, Any] = {"killed": killed, "left": _look(root)}
    kind = json.dumps(result["left"])
    if kind not in HEALED:
        assert _in_child(root, 0, None) == 0, "the next promotion fails"
        HEALED[kind] = _look(root)
    result["healed"] = HEALED[kind]
    _tell(json.dumps(result))
    return result


def _in_child(root: Path, kill_before: int, kill_after: float | None) -> int:
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            if kill_before:
                _die_before(kill_before, str(root / "bundles"))
            approval = Approval("kari", "killed on the way")
            report = promote.run(Workspace(root), [OUTCOME], "2", Policy(), approval)
            os._exit(0 if report["outcomes"][OUTCOME]["promoted"] else 3)
        except BaseException as error:
            _tell(f"{type(error).__name__}: {error}")
            os._exit(4)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _die_before(number: int, bundles: str) -> None:
    left = number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (writes or event in CHANGES) or not str(arguments[0]).startswith(bundles):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _look(root: Path) -> dict[str, Any]:
    """What a reader from outside sees: which version serves and opens, what alias and record say, what lies about."""
    workspace, home = Workspace(root), root / "bundles" / OUTCOME
    serving = current_bundle(workspace.bundles, OUTCOME)
    assert serving is not None, "nothing serves"
    model = open_bundle(serving, workspace.keys / "verify.key")
    with sqlite3.connect(root / "mlflow.db") as database:
        aliases = database.execute("SELECT version FROM registered_model_aliases").fetchall()
    records = promotion_log.read(home)
    scratch = sorted(path.name[:5] for path in home.iterdir() if path.name.startswith("."))
    files = sorted(path.name for path in home.glob("[!.]*/*"))
    return {
        "serves": model.version,
        "aliases": [str(version) for (version,) in aliases],
        "recorded": records[-1]["to"] == serving.name,
        "told": [record["what"] for record in records],
        "scratch": scratch,
        "files": files,
    }


def _copy(source: Path, target: Path) -> None:
    if target.is_dir():
        for path in [target, *target.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(target)
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        for left in target.parent.glob(f"{target.name}-*"):
            left.unlink()
        shutil.copy2(source, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
