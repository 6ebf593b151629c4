"""Long sick leave for muscles and joints: ICPC-2 chapter L, ICD-10 codes converted as NAV does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.as_of import Chapters
from models.outcomes.long_sick_leave import LongSickLeave


@dataclass(frozen=True)
class LongSickLeaveMusculoskeletal(LongSickLeave):
    """A new long episode whose first stated diagnosis is of chapter L."""

    name: str = "long_sick_leave_musculoskeletal"

    chapter: ClassVar[Chapters] = "musculoskeletal"
    about: ClassVar[dict[str, str]] = {"nb": " for muskel og skjelett", "en": " for muscles and joints"}
