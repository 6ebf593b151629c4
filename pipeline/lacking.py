"""Outcomes that lack data: the others go on, each is told by name, and the exit code says that not all is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from data_contracts.errors import NotEnoughDataError
from models.sample_size import SMALLEST_MODEL, USUAL_PREVALENCE, verdict
from pipeline.console import read_json, write_json

T = TypeVar("T")

FILE = "not_enough_data.json"
"""In the place of a training set, a champion or an evaluation: what is missing, for the next stage and the model card."""


def with_data(outcomes: Sequence[str], work: Callable[[str], T]) -> tuple[dict[str, T], dict[str, NotEnoughDataError]]:
    """Do the work for each outcome that has data for it.

    Returns
    -------
    done : dict
        Outcome to what ``work`` returned.
    lacking : dict
        Outcome to the error that says what is missing.

    Raises
    ------
    NotEnoughDataError
        No outcome has data; what each of them lacks.
    """
    done: dict[str, T] = {}
    lacking: dict[str, NotEnoughDataError] = {}
    for name in outcomes:
        try:
            done[name] = work(name)
        except NotEnoughDataError as error:
            lacking[name] = error
    if lacking and not done:
        verdicts = [error.verdict for error in lacking.values()]
        raise NotEnoughDataError("\n".join(map(str, lacking.values())), verdicts[0] if len(verdicts) == 1 else None)
    return done, lacking


def told(lacking: dict[str, NotEnoughDataError]) -> dict[str, dict[str, Any]]:
    """Return what outcomes lack, for a stage's report."""
    return {name: {"message": str(error), "verdict": error.verdict} for name, error in lacking.items()}


def lines(lacking: dict[str, NotEnoughDataError]) -> list[str]:
    """Return what outcomes lack, for a stage's summary."""
    return [f"  {error}" for error in lacking.values()]


def with_outlook(error: NotEnoughDataError, outcome: str, n_persons: int) -> NotEnoughDataError:
    """Name the outcome, and add how many persons a model will take once there are labels, if there are not so many."""
    said = str(error) if str(error).startswith(outcome) else f"{outcome}: {error}"
    expected = verdict(outcome, SMALLEST_MODEL, n_persons, USUAL_PREVALENCE[outcome])
    if expected.enough:
        return NotEnoughDataError(said)
    return NotEnoughDataError(f"{said} Even then: {expected.sentence()}.", expected.to_json())


def remember(home: Path, error: NotEnoughDataError) -> None:
    """Leave word in the directory where a training set, a champion or an evaluation would be."""
    write_json(home / FILE, {"outcome": home.name, "message": str(error), "verdict": error.verdict})


def forget(home: Path) -> None:
    """Take the word away: now there is what was lacking."""
    (home / FILE).unlink(missing_ok=True)


def refuse_if_lacking(home: Path) -> None:
    """Raise the NotEnoughDataError that left word in a directory, if one did."""
    if (home / FILE).exists():
        found = read_json(home / FILE)
        raise NotEnoughDataError(found["message"], found["verdict"])
