"""An environment of its own for each rival, made on first use in a folder that git ignores."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".bench"
SCRIPTS = {"ours": "ours.py", "duckdb": "duckdb_sql.py", "polars": "polars_frames.py", "pandas": "pandas_frames.py"}
"""Tools by name, ours first."""


class Environment(NamedTuple):
    """Interpreter and script of a tool, and its version as pinned."""

    python: Path
    script: Path
    version: str


def environment(tool: str) -> Environment | None:
    """Return the environment of a tool; None, with one line that says what to do, if it cannot be installed."""
    script = HERE / SCRIPTS[tool]
    if tool == "ours":
        return Environment(Path(sys.executable), script, "this repository")
    requirements = HERE / f"requirements-{tool}.txt"
    folder = CACHE / f"env-{tool}"
    stamp, wanted = folder / "installed_from.txt", hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"Installing {requirements.name} into {folder} ...", flush=True)
        if not _installed(folder, requirements):
            print(f"{tool} is left out: it could not be installed. Try: {_pip(folder)} install -r {requirements}")
            return None
        stamp.write_text(wanted, encoding="utf-8")
    return Environment(_python(folder), script, _version(tool, requirements))


def _installed(folder: Path, requirements: Path) -> bool:
    commands = [
        [sys.executable, "-m", "venv", folder],
        [_python(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
    ]
    return all(subprocess.run(command, check=False).returncode == 0 for command in commands)


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _pip(folder: Path) -> str:
    return f"{sys.executable} -m venv {folder} && {_python(folder)} -m pip"


def _version(tool: str, requirements: Path) -> str:
    pins = dict(line.split("==", 1) for line in requirements.read_text(encoding="utf-8").splitlines() if "==" in line)
    return pins[tool].split()[0]
