"""What one person's answers say of the workplace, as a night counts them for the employer's report."""

from __future__ import annotations

from data_contracts.instruments import VALID_DAYS
from data_contracts.workplace_factors import WORKPLACE_FACTORS, is_unfavourable
from features.sheet_layouts import SCALES
from serving.case import Case

_FACTORS = {position: scale for position, scale in enumerate(SCALES) if scale.name in WORKPLACE_FACTORS}


def workplace_answers(case: Case) -> dict[str, bool]:
    """Return by workplace factor whether the newest score is unfavourable; a score that is not current counts for nothing."""
    rows = case.known.scores
    answers = zip(rows["day"].tolist(), rows["scale"].tolist(), rows["score"].tolist(), strict=True)
    newest = {position: score for day, position, score in sorted(answers) if case.t - day <= VALID_DAYS}
    return {
        scale.name: is_unfavourable(scale, newest[position])
        for position, scale in _FACTORS.items()
        if position in newest
    }
