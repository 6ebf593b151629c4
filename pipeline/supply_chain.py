"""What the project is made of, and whether anybody knows a hole in it: ``make check`` and ``make audit`` ask.

``python -m pipeline.supply_chain sbom DIRECTORY`` writes a CycloneDX list of the locked packages, offline and alike each
time. ``audit`` asks the advisory service about each of them: a known hole with a mended version fails, unless
``.audit-allowed.json`` says why it may wait and until when. Where the service cannot be reached the audit says so and does
not fail: a build must not depend on somebody else's uptime. An answer for the same lock file is good for a day.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data_contracts.errors import BalanceRiskError
from pipeline.serving_lock import LOCK, ROOT, entries

ALLOWED = ROOT / ".audit-allowed.json"
BUILD = ROOT / "build"
GOOD_FOR_SECONDS = 86_400.0
LONGEST_SECONDS = 120.0
CANARY = "jinja2==3.1.3"
"""Has had known holes since 2024 and is not installed here. A service that does not know them knows nothing of others: a
package mirror may answer for every package that it has never heard of any hole."""
AT_ONCE = 6
"""The advisory service is asked package by package, mostly waiting."""


class KnownHole(BalanceRiskError):
    """A package has a known vulnerability, mended in another version."""


class NotAsked(BalanceRiskError):
    """The advisory service gave no answer."""


def write_sbom(directory: Path, lock: Path = LOCK) -> Path:
    """Write the software bill of materials of a lock file (CycloneDX 1.6, JSON); return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{lock.stem}.cdx.json"
    # The hashes stand in the list as hashes; as part of each description they would double its size.
    options = ["--output-reproducible", "--no-validate", "--short-PURLs", "--output-file", str(path)]
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", *options, str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BalanceRiskError(f"The list of packages could not be made: {_last_line(done.stderr)}")
    return path


def audit(lock: Path = LOCK, build: Path = BUILD) -> str:
    """Return one line about the known holes of the locked packages.

    Raises
    ------
    KnownHole
        If there is one that a newer version mends and that is not allowed for now.
    """
    answer = build / f"{lock.stem}.audit.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    try:
        found = _remembered(answer, wanted)
        if found is None:
            found = _ask(lock)
            build.mkdir(parents=True, exist_ok=True)
            answer.write_text(json.dumps({"lock": wanted, "found": found}))
    except NotAsked as error:
        return f"audit of packages: NOT DONE. {error}"
    return judge(found, _allowed(ALLOWED), date.today())


def judge(found: Sequence[dict[str, Any]], allowed: Sequence[dict[str, str]], today: date) -> str:
    """Return a line about what was found; raises KnownHole for what is neither allowed nor without a mended version."""
    waiting = {one["id"] for one in allowed if date.fromisoformat(one["until"]) >= today}
    mended = [one for one in found if one["fixed_in"] and not {one["id"], *one["aliases"]} & waiting]
    if mended:
        lines = [f"{one['package']} {one['version']}: {one['id']}, mended in {one['fixed_in'][-1]}" for one in mended]
        raise KnownHole(
            "Packages with a known hole:\n  "
            + "\n  ".join(lines)
            + "\nRun: make lock. If that cannot be done at once, add "
            'the id with a reason and a last day to .audit-allowed.json: [{"id": ..., "reason": ..., "until": "2026-12-31"}]'
        )
    others = (
        f"; {len(found)} allowed for now or not mended anywhere: {', '.join(one['id'] for one in found)}"
        if found
        else ""
    )
    return f"audit of packages: no known hole that a newer version mends{others}"


def _remembered(answer: Path, wanted: str) -> list[dict[str, Any]] | None:
    if not answer.exists() or time.time() - answer.stat().st_mtime > GOOD_FOR_SECONDS:
        return None
    stored = json.loads(answer.read_text())
    return stored["found"] if stored["lock"] == wanted else None


def _ask(lock: Path) -> list[dict[str, Any]]:
    if not _ask_about([CANARY]):
        raise NotAsked("No advisory service can be reached that knows of any hole; ask again with: make audit")
    parts = list(entries(lock.read_text()).values())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(_ask_about, (parts[i::AT_ONCE] for i in range(AT_ONCE)))
        return [one for answer in answers for one in answer]


def _ask_about(requirements: Iterable[str]) -> list[dict[str, Any]]:
    with TemporaryDirectory() as directory:
        part = Path(directory) / "requirements.txt"
        part.write_text("".join(requirements))
        # Without pip: nothing is downloaded or built to find out what a lock file says already.
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(part), "--disable-pip", "--no-deps"]
        options = ["--progress-spinner", "off", "--format", "json", "--timeout", "5"]
        try:
            done = subprocess.run(
                command + options, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
            )
            dependencies = json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            raise NotAsked("The advisory service cannot be reached; ask again with: make audit") from None
    return [
        {"package": one["name"], "version": one["version"], "id": hole["id"], "aliases": hole["aliases"],
         "fixed_in": hole["fix_versions"]}
        for one in dependencies
        for hole in one.get("vulns", ())
    ]  # fmt: skip


def _allowed(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    listed: list[dict[str, str]] = json.loads(path.read_text())
    for one in listed:
        if not one.get("id") or len(one.get("reason", "")) < 10 or not one.get("until"):
            raise BalanceRiskError(
                ".audit-allowed.json: each entry needs id, a reason (ten letters at least) and until."
            )
    return listed


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def main(arguments: Sequence[str]) -> int:
    """Do what is asked: ``sbom [directory]`` or ``audit``."""
    if list(arguments[:1]) == ["sbom"]:
        sys.stdout.write(f"{write_sbom(Path(arguments[1]) if len(arguments) > 1 else BUILD)}\n")
    elif list(arguments) == ["audit"]:
        sys.stdout.write(f"{audit()}\n")
    else:
        raise BalanceRiskError("Say: python -m pipeline.supply_chain sbom [DIRECTORY], or audit")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BalanceRiskError as error:
        sys.exit(str(error))
