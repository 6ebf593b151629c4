"""Long sick leave for muscles and joints: ICPC-2 chapter L, ICD-10 codes converted as NAV does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.as_of import Chapters
from models.outcomes.long_sick_leave import LongSickLeave
from models.outcomes.outcome import Anticipated


@dataclass(frozen=True)
class LongSickLeaveMusculoskeletal(LongSickLeave):
    """A new long episode whose first stated diagnosis is of chapter L."""

    name: str = "long_sick_leave_musculoskeletal"

    chapter: ClassVar[Chapters] = "musculoskeletal"
    anticipated: ClassVar[Anticipated] = {
        "c_statistic": 0.72,
        "source": "below the 0.74-0.76 of Bosman et al. 2019, which are not externally validated",
    }
    usual_level: ClassVar[float] = 0.06
    about: ClassVar[dict[str, str]] = {"nb": " for muskel og skjelett", "en": " for muscles and joints"}
