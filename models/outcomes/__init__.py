"""The outcomes that can be trained and served: one file each, listed here by hand."""

from models.outcomes.absence_days import AbsenceDays
from models.outcomes.burnout import Burnout
from models.outcomes.long_sick_leave import LongSickLeave
from models.outcomes.long_sick_leave_mental import LongSickLeaveMental
from models.outcomes.long_sick_leave_musculoskeletal import LongSickLeaveMusculoskeletal
from models.outcomes.outcome import Outcome

OUTCOMES: dict[str, Outcome] = {
    outcome.name: outcome
    for outcome in (
        LongSickLeave(),
        LongSickLeaveMental(),
        LongSickLeaveMusculoskeletal(),
        Burnout(),
        AbsenceDays(),
    )
}
