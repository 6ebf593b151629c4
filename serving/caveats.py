"""What an answer must warn of, and why a number is held back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import TABLES
from data_contracts.time_windows import NO_DAY
from features.catalogue import feature
from features.workplace_context import is_current
from models.abstention import CARRIED, TOO_LITTLE_KNOWN, TOO_UNCERTAIN, UNLIKE_TRAINING
from models.outcomes.outcome import ELIGIBLE
from serving import notices
from serving.case import Cases, Served
from serving.notices import NOT_ELIGIBLE, STALE_SURVEY_DAYS, Notice

_MOST_NAMED = 3


def not_eligible(served: Served, cases: Cases) -> list[Notice | None]:
    """Say of each person why the model is not about her at the index date; None if it is."""
    reasons = served.outcome.eligibility_given(cases.general_eligibility, cases.histories, cases.t)
    names = served.outcome.reasons
    return [None if reason == ELIGIBLE else NOT_ELIGIBLE[names[reason]] for reason in reasons.tolist()]


def not_carried(served: Served, X: np.ndarray, interval: np.ndarray) -> list[Notice | None]:
    """Say of each row why what is known cannot carry a number (see :mod:`models.abstention`); None if it can."""
    told = {CARRIED: None, UNLIKE_TRAINING: notices.UNLIKE_TRAINING, TOO_UNCERTAIN: notices.TOO_UNCERTAIN}
    return [
        notices.too_little_known(*_most_important(served, np.isnan(X[row])))
        if reason == TOO_LITTLE_KNOWN
        else told[reason]
        for row, reason in enumerate(served.carrier.reasons(X, interval).tolist())
    ]


def caveats(
    served: Served, cases: Cases, persons: Sequence[int], observed_on: np.ndarray, X: np.ndarray
) -> list[tuple[Notice, ...]]:
    """Return what the reader of each number must know.

    Parameters
    ----------
    served : Served
    cases : Cases
    persons : sequence of int, length n
        Whose numbers.
    observed_on : int32 array, shape (n, n_catalogue_features)
    X : float32 array, shape (n, n_features)
        The model's own columns.
    """
    outside, is_thin = served.model.outside_training_range(X), served.carrier.is_thin(X)
    told = zip(persons, observed_on, X, outside, is_thin.tolist(), strict=True)
    return [
        (
            *_source_warnings(cases, person),
            *not_sent(served, cases, person),
            *_survey_warnings(served, cases, person, days),
            *_workplace_warnings(served, cases, person),
            *_range_warnings(served, is_outside),
            *(_little_known_warnings(served, row) if thin else ()),
        )
        for person, days, row, is_outside, thin in told
    ]


def _source_warnings(cases: Cases, person: int) -> list[Notice]:
    return [notices.source_without_consent(SOURCES[i]) for i in np.flatnonzero(~cases.histories.consented[person])]


def not_sent(served: Served, cases: Cases, person: int) -> list[Notice]:
    """Name what the record left out, but for sources without consent, of which nothing had to be sent."""
    absent = [table for table in notices.SENT if table not in cases.histories.delivered]
    if not absent:
        return []
    holds = cases.histories.consented[person].tolist()
    consented = {source for source, it_holds in zip(SOURCES, holds, strict=True) if it_holds}
    return [notices.not_sent(one, served.has_washout) for one in absent if TABLES[one].consent_source in consented]


def _survey_warnings(served: Served, cases: Cases, person: int, observed_on: np.ndarray) -> list[Notice]:
    if not served.answered or not cases.told_of(person, "survey"):
        return []
    days = observed_on[served.answered]
    days = days[days != NO_DAY]
    if not len(days):
        return [notices.NO_SURVEY]
    return [notices.STALE_SURVEY] if cases.t - days.max() > STALE_SURVEY_DAYS else []


def _workplace_warnings(served: Served, cases: Cases, person: int) -> list[Notice]:
    if served.context is None or not cases.told_of(person, "employment") or is_current(served.context, cases.t):
        return []
    return [notices.LATER_WORKPLACE if served.context.day > cases.t else notices.STALE_WORKPLACE]


def _range_warnings(served: Served, is_outside: np.ndarray) -> list[Notice]:
    return [notices.outside_training_range(*_most_important(served, is_outside))] if is_outside.any() else []


def _little_known_warnings(served: Served, row: np.ndarray) -> list[Notice]:
    share = float(served.carrier.known_share(row[np.newaxis])[0])
    return [notices.little_known(share, *_most_important(served, np.isnan(row)))]


def _most_important(served: Served, chosen: np.ndarray) -> tuple[list[str], list[str]]:
    """Return the Norwegian and English labels of the most important of the chosen features."""
    positions = served.carrier.most_important(chosen)[:_MOST_NAMED]
    named = [feature(served.model.feature_names[position]) for position in positions]
    return [one.label_nb for one in named], [one.label_en for one in named]
