"""One traffic word for each thing that is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.evaluation.subgroups import PERSONAL
from models.monitoring.comparison import Shift
from models.monitoring.false_discovery import Alarm, groups_tested
from models.monitoring.proposal import Proposal, Step
from models.outcomes.outcome import Outcome
from pipeline.monitoring.contacts import HARM
from pipeline.monitoring.inputs import SCORE
from pipeline.monitoring.responding import RESPONSE
from pipeline.monitoring.score_groups import SCORE_BY

TOO_FEW = "too few"
"""Word of what could not be tested."""

NOT_COMPARED = "not compared"
"""Word of performance where no sealed evaluation says what it was."""

CONTACTS = "contacts may explain it"
"""Word of what would be an alarm, were it not what contacts that work do."""


def word_of(is_tested: bool, is_alarm: bool) -> str:
    """Return the word of something that is tested or not."""
    return "alarm" if is_alarm else "nothing found" if is_tested else TOO_FEW


def section_words(
    tested: Sequence[Shift],
    found: Sequence[Alarm],
    has_calibration: bool,
    performance: Mapping[str, Any],
    proposal: Proposal,
    outcome: Outcome,
) -> dict[str, str]:
    """Return the words by section; ``performance`` is as told, with ``sealed_auroc``."""
    groups, alarmed = set(groups_tested(tested)), {one.group for one in found}
    by = {f"{SCORE_BY}{name}" for name in PERSONAL}
    not_a_domain = {SCORE, RESPONSE, HARM} | by
    judged = {
        "inputs": (groups - not_a_domain, alarmed - not_a_domain), "scores": (groups & {SCORE}, alarmed & {SCORE}),
        "scores by subgroup": (groups & by, alarmed & by), "response": (groups & {RESPONSE}, alarmed & {RESPONSE}),
        HARM: (groups & {HARM}, alarmed & {HARM}),
    }  # fmt: skip
    words = {name: word_of(bool(of), bool(calling)) for name, (of, calling) in judged.items()}
    words["performance"] = _of_performance(performance, proposal.performance)
    if outcome.target == "event":
        words["calibration"] = _of_finding(proposal.calibration) or word_of(has_calibration, False)
    return words


def _of_performance(performance: Mapping[str, Any], finding: Step | None) -> str:
    if "metrics" not in performance:
        return TOO_FEW
    auroc = performance["metrics"].get("auroc")
    if performance["sealed_auroc"] is None or auroc is None or auroc["high"] is None:
        return NOT_COMPARED
    return _of_finding(finding) or "nothing found"


def _of_finding(finding: Step | None) -> str | None:
    return None if finding is None else CONTACTS if finding == "nothing" else "alarm"
