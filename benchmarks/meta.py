"""Under what a result was measured: every file in ``benchmarks/results`` says it in the same words, and every table repeats it.

``python -m benchmarks.run`` sets variables for those it starts: ``BENCH_NOTE``, what else ran on the machine; for a trial with
tiny sizes ``BENCH_RESULTS`` and ``BENCH_WORK``, folders for results and workspaces that are not kept.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "benchmarks" / "results"
RESULTS = Path(os.environ.get("BENCH_RESULTS", KEPT))
NOT_RECORDED = "not recorded"
_PACKAGES = ("numpy", "pyarrow", "scikit-learn", "lightgbm")
_LOAD_AT_START = os.getloadavg()[0]


def is_kept() -> bool:
    """Say whether results go to where the docs are made from; a trial leaves results and docs alone."""
    return RESULTS == KEPT


def about(
    packages: Sequence[str] = _PACKAGES, rivals: Mapping[str, str] | None = None, note: str = ""
) -> dict[str, Any]:
    """Return command, date, machine, versions, commit and what else ran, as they are now."""
    return {
        "command": command(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "python": platform.python_version(),
        "version": version("balance-risk"),
        "commit": commit(),
        "packages": {name: version(name) for name in packages},
        "rivals": dict(rivals or {}),
        "load": [round(_LOAD_AT_START, 1), round(os.getloadavg()[0], 1)],
        "note": note or os.environ.get("BENCH_NOTE", ""),
    }


def save(path: Path, document: Mapping[str, Any], **what: Any) -> None:
    """Write results with what ``about`` says of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps({"meta": about(**what), **document}, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
    print(f"{path.name} written", file=sys.stderr)


def machine() -> dict[str, Any]:
    """Return what times depend on besides the code; no name of the machine."""
    models = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory_gb": round(memory[0] * 1024 / 1e9, 1) if memory else None,
        "system": f"{platform.system()} {platform.machine()}",
    }


def command() -> str:
    """Return what was called, as anybody can call it: no folder of this machine."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    program = f"-m {spec.name}" if spec else Path(sys.argv[0]).resolve().relative_to(ROOT).as_posix()
    arguments = [Path(one).name if one.startswith("/") else one for one in sys.argv[1:]]
    return " ".join(["python", program, *(f'"{one}"' if " " in one else one for one in arguments)])


def commit() -> str:
    """Return the commit, with a plus if files of the code are other than there; empty outside of a clone."""
    try:
        found = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs", ":!benchmarks/results")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found + ("+" if changed else "")


def told(meta: Mapping[str, Any], what: str) -> str:
    """Return one paragraph for above a table; what an older result does not say is said to be not recorded."""
    ran = f"`{meta['command']}`" if meta.get("command") else f"command {NOT_RECORDED}"
    parts = [
        ran,
        meta.get("date") or f"date {NOT_RECORDED}",
        _machine_told(meta.get("machine") or {}),
        f"Python {meta.get('python') or NOT_RECORDED}",
        f"balance-risk {meta.get('version') or ''}".strip() + f", commit {meta.get('commit') or NOT_RECORDED}",
        _versions_told("packages", meta.get("packages")),
    ]
    if meta.get("rivals"):
        parts.append(_versions_told("rivals", meta["rivals"]))
    return f"*{what}* Measured: {'; '.join(parts)}. What else ran: {_beside(meta)}."


def _machine_told(found: Mapping[str, Any]) -> str:
    cores = f"{found['cores']} cores" if found.get("cores") else f"cores {NOT_RECORDED}"
    memory = f"{found['memory_gb']:g} GB" if found.get("memory_gb") else f"memory {NOT_RECORDED}"
    processor = found.get("processor") or f"processor {NOT_RECORDED}"
    return ", ".join([cores, processor, memory, *([found["system"]] if found.get("system") else [])])


def _versions_told(kind: str, found: Mapping[str, str] | None) -> str:
    return f"{kind} " + (", ".join(f"{name} {one}" for name, one in found.items()) if found else NOT_RECORDED)


def _beside(meta: Mapping[str, Any]) -> str:
    load = meta.get("load")
    cores = (meta.get("machine") or {}).get("cores")
    measured = f"load {load[0]:g} at the start, {load[-1]:g} at the end" if load else ""
    measured += f" on {cores} cores" if load and cores else ""
    return "; ".join(part for part in (meta.get("note"), measured) if part) or NOT_RECORDED


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
