"""Long sick leave for mental health: ICPC-2 chapter P, ICD-10 codes converted as NAV does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from features.as_of import Chapters
from models.outcomes.long_sick_leave import LongSickLeave
from models.outcomes.outcome import Anticipated


@dataclass(frozen=True)
class LongSickLeaveMental(LongSickLeave):
    """A new long episode whose first stated diagnosis is of chapter P."""

    name: str = "long_sick_leave_mental"

    chapter: ClassVar[Chapters] = "mental"
    anticipated: ClassVar[Anticipated] = {
        "c_statistic": 0.70,
        "source": "0.700 in the external validation of van Hoffen et al. 2020 (0.713 where it was developed)",
    }
    usual_level: ClassVar[float] = 0.04
    about: ClassVar[dict[str, str]] = {"nb": " for psykisk helse", "en": " for mental health"}
