"""The CSV file of scores: a row per person and outcome, with the number or the reason why there is none."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.console import for_owner

COLUMNS = (
    "person_id", "outcome", "risk", "expected_days", "low", "high", "band", "not_scored_because", "safety_flag",
    "model_version",
)  # fmt: skip
"""``low`` and ``high`` are of the risk or of the expected days, whichever the outcome has."""


class ScoreList:
    """The list of everybody: put in place of the one before only when the night is written."""

    def __init__(self, path: Path, outcomes: list[str]) -> None:
        self.path = path
        self.outcomes = outcomes
        self.scored = dict.fromkeys(outcomes, 0)
        self.held_back = {name: Counter[str]() for name in outcomes}
        self.refused = Counter[str]()
        self.summary: dict[str, Any] = {}
        self._versions: dict[str, str] = {}
        self._partial = path.with_suffix(".csv.partial")

    def __enter__(self) -> ScoreList:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self._partial, "w", newline="", encoding="utf-8", opener=for_owner)
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)

    def hear(self, told: dict[str, Any]) -> None:
        """Take in what is not about a person."""
        self.summary = told.get("summary", self.summary)
        self._versions |= {name: model["version"] for name, model in told.get("models", {}).items()}

    def write(self, told: dict[str, Any], flag: str) -> None:
        """Write the rows of one person."""
        if "refused" in told:
            self.refuse(told["person_id"], told["refused"], flag)
            return
        for one in told["outcomes"]:
            name, why_not = one["outcome"], told["why_not"].get(one["outcome"], "")
            self.scored[name] += not why_not
            self.held_back[name][why_not] += 1
            pair = (one["number"], "") if one["target"] == "event" else ("", one["number"])
            interval = ("", "") if one["low"] is None else (one["low"], one["high"])
            numbers = ("",) * 4 if why_not else (*pair, *interval)
            band = one["band"] or ""
            self._writer.writerow((told["person_id"], name, *numbers, band, why_not, flag, self._versions[name]))

    def refuse(self, person_id: str, why: str, flag: str) -> None:
        """Write the rows of a person who was not scored at all."""
        self.refused[why] += 1
        for name in self.outcomes:
            self._writer.writerow((person_id, name, *("",) * 5, why, flag, self._versions.get(name, "")))
