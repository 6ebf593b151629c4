"""The environments of the feature tools that meet the leakage cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.environments import ROOT, MissingRivalError

__all__ = ["CACHE", "HERE", "RIVALS", "ROOT", "MissingRivalError", "ask", "python_of"]

HERE = Path(__file__).parent
CACHE = environments.CACHE / "leakage"
RIVALS = ("featuretools", "timeseriesflattener", "feast")


def python_of(rival: str) -> Path:
    """Return the interpreter of a rival; raises MissingRivalError."""
    return environments.python_of(rival, HERE / "rivals" / f"requirements-{rival}.txt", CACHE)


def ask(rival: str, script: str, request: Any, *arguments: str) -> Any:
    """Run a script of ``rivals/`` in a rival's environment: JSON in, the last line of its output as JSON back."""
    return environments.ask(rival, python_of(rival), HERE / "rivals" / script, request, *arguments)
