"""An environment of its own for each rival, made on first use under ``.bench/`` (which git ignores) from a pinned list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from benchmarks.meta import ROOT

CACHE = ROOT / ".bench"
WORK = Path(os.environ.get("BENCH_WORK", CACHE))
"""For workspaces. A trial has a place of its own: it once took away what a measurement beside it was serving from."""


class MissingRivalError(Exception):
    """A rival that could not be installed or did not run, in one line."""


def python_of(rival: str, pinned: Path, cache: Path = CACHE) -> Path:
    """Return the interpreter of a rival, its packages installed as pinned; raises MissingRivalError."""
    folder = cache / rival
    interpreter, ready = folder / "bin" / "python", folder / "ready.txt"
    if ready.exists() and ready.read_text(encoding="utf-8") == pinned.read_text(encoding="utf-8"):
        return interpreter
    print(f"Installing {rival} into {folder} ...", file=sys.stderr, flush=True)
    venv.create(folder, clear=True, with_pip=True)
    run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pinned], rival)
    ready.write_text(pinned.read_text(encoding="utf-8"), encoding="utf-8")
    return interpreter


def pinned(path: Path, *names: str) -> dict[str, str]:
    """Return the pinned versions in a list of packages; only of some, if they are named (extras left away)."""
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    found = dict(line.split("==", 1) for line in lines if "==" in line)
    found = {name.partition("[")[0]: number for name, number in found.items()}
    return {name: number for name, number in found.items() if not names or name in names}


def ask(rival: str, interpreter: Path, script: Path, request: Any, *arguments: str) -> Any:
    """Run a script with an interpreter: JSON in, the last line of its output as JSON back; raises MissingRivalError."""
    output = run([interpreter, script, *arguments], rival, json.dumps(request))
    return json.loads(output.splitlines()[-1])


def run(command: list[Any], rival: str, request: str | None = None) -> str:
    """Run a command and return what it prints; raises MissingRivalError with its last line of complaint."""
    done = subprocess.run([str(part) for part in command], input=request, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise MissingRivalError(f"{rival} left out: {last[0]}")
    return done.stdout
