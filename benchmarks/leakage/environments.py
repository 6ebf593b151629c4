"""One virtual environment per rival, made on first use under ``.bench/`` from a pinned list."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".bench" / "leakage"
RIVALS = ("featuretools", "timeseriesflattener", "feast")


class MissingRivalError(Exception):
    """A rival that could not be installed or did not run, in one line."""


def python_of(rival: str) -> Path:
    """Return the interpreter of a rival, its packages installed as pinned; raises MissingRivalError."""
    pinned = HERE / "rivals" / f"requirements-{rival}.txt"
    folder = CACHE / rival
    interpreter, ready = folder / "bin" / "python", folder / "ready.txt"
    if ready.exists() and ready.read_text(encoding="utf-8") == pinned.read_text(encoding="utf-8"):
        return interpreter
    print(f"Installing {rival} into {folder.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
    venv.create(folder, clear=True, with_pip=True)
    _run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pinned], rival)
    ready.write_text(pinned.read_text(encoding="utf-8"), encoding="utf-8")
    return interpreter


def ask(rival: str, script: str, request: Any, *arguments: str) -> Any:
    """Run a script of ``rivals/`` in a rival's environment: JSON in, the last line of its output as JSON back."""
    run = _run([python_of(rival), HERE / "rivals" / script, *arguments], rival, json.dumps(request))
    return json.loads(run.splitlines()[-1])


def _run(command: list[Any], rival: str, request: str | None = None) -> str:
    done = subprocess.run([str(part) for part in command], input=request, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise MissingRivalError(f"{rival} left out: {last[0]}")
    return done.stdout
