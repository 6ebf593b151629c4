"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["good", "note", "problem"]
SIGNS: dict[Level, str] = {"good": "✓", "note": "!", "problem": "✗"}


@dataclass(frozen=True)
class Finding:
    """What was found, and what to do about it.

    Parameters
    ----------
    level : {"good", "note", "problem"}
        A problem stops a verb; a note makes its result worse or thinner.
    about : str
        What was looked at.
    found : str
        A sentence or two, with numbers; never a person.
    remedy : str
        What to do; empty where there is nothing to do.
    """

    level: Level
    about: str
    found: str
    remedy: str = ""

    def line(self) -> str:
        """Return the finding as it is printed."""
        return f"  {SIGNS[self.level]} {self.about}: {self.found}" + (f"\n      {self.remedy}" if self.remedy else "")

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)
