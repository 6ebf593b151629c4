"""Long sick leave for mental health: ICPC-2 chapter P, ICD-10 codes converted as NAV does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.as_of import Chapters
from models.outcomes.long_sick_leave import LongSickLeave


@dataclass(frozen=True)
class LongSickLeaveMental(LongSickLeave):
    """A new long episode whose first stated diagnosis is of chapter P."""

    name: str = "long_sick_leave_mental"

    chapter: ClassVar[Chapters] = "mental"
    about: ClassVar[dict[str, str]] = {"nb": " for psykisk helse", "en": " for mental health"}
