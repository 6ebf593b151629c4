"""What an answer must warn of, and why a number is held back."""

from __future__ import annotations

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import TABLES
from data_contracts.time_windows import NO_DAY
from features.catalogue import feature
from features.workplace_context import is_current
from models.abstention import CARRIED, TOO_LITTLE_KNOWN, TOO_UNCERTAIN, UNLIKE_TRAINING
from models.outcomes.outcome import ELIGIBLE
from serving import notices
from serving.case import Case, Served
from serving.notices import NOT_ELIGIBLE, STALE_SURVEY_DAYS, Notice

_MOST_NAMED = 3


def not_eligible(served: Served, case: Case) -> Notice | None:
    """Say why the model is not about this person at the index date; None if it is."""
    reason = int(served.outcome.eligibility_given(case.general_eligibility, case.histories, case.t)[0])
    return None if reason == ELIGIBLE else NOT_ELIGIBLE[served.outcome.reasons[reason]]


def not_carried(served: Served, X: np.ndarray, interval: np.ndarray) -> Notice | None:
    """Say why what is known cannot carry a number (see :mod:`models.abstention`); None if it can."""
    reason = int(served.carrier.reasons(X, interval)[0])
    if reason == TOO_LITTLE_KNOWN:
        return notices.too_little_known(*_most_important(served, np.isnan(X[0])))
    return {CARRIED: None, UNLIKE_TRAINING: notices.UNLIKE_TRAINING, TOO_UNCERTAIN: notices.TOO_UNCERTAIN}[reason]


def caveats(served: Served, case: Case, observed_on: np.ndarray, X: np.ndarray) -> tuple[Notice, ...]:
    """Return what the reader of a number must know.

    Parameters
    ----------
    served : Served
    case : Case
    observed_on : int32 array, shape (n_catalogue_features,)
    X : float32 array, shape (1, n_features)
        The model's own columns.
    """
    return (
        *_source_warnings(case),
        *not_sent(served, case),
        *_survey_warnings(served, case, observed_on),
        *_workplace_warnings(served, case),
        *_range_warnings(served, X),
        *_little_known_warnings(served, X),
    )


def _source_warnings(case: Case) -> list[Notice]:
    return [notices.source_without_consent(SOURCES[i]) for i in np.flatnonzero(~case.consented)]


def not_sent(served: Served, case: Case) -> list[Notice]:
    """Name what the record left out, but for sources without consent, of which nothing had to be sent."""
    consented = {source for source, holds in zip(SOURCES, case.consented.tolist(), strict=True) if holds}
    return [
        notices.not_sent(table, served.has_washout)
        for table in notices.SENT
        if table not in case.histories.delivered and TABLES[table].consent_source in consented
    ]


def _survey_warnings(served: Served, case: Case, observed_on: np.ndarray) -> list[Notice]:
    if not served.answered or not case.told("survey"):
        return []
    days = observed_on[served.answered]
    days = days[days != NO_DAY]
    if not len(days):
        return [notices.NO_SURVEY]
    return [notices.STALE_SURVEY] if case.t - days.max() > STALE_SURVEY_DAYS else []


def _workplace_warnings(served: Served, case: Case) -> list[Notice]:
    if served.context is None or not case.told("employment") or is_current(served.context, case.t):
        return []
    return [notices.LATER_WORKPLACE if served.context.day > case.t else notices.STALE_WORKPLACE]


def _range_warnings(served: Served, X: np.ndarray) -> list[Notice]:
    outside = served.model.outside_training_range(X)[0]
    return [notices.outside_training_range(*_most_important(served, outside))] if outside.any() else []


def _little_known_warnings(served: Served, X: np.ndarray) -> list[Notice]:
    if not served.carrier.is_thin(X)[0]:
        return []
    share = float(served.carrier.known_share(X)[0])
    return [notices.little_known(share, *_most_important(served, np.isnan(X[0])))]


def _most_important(served: Served, chosen: np.ndarray) -> tuple[list[str], list[str]]:
    """Return the Norwegian and English labels of the most important of the chosen features."""
    positions = served.carrier.most_important(chosen)[:_MOST_NAMED]
    named = [feature(served.model.feature_names[position]) for position in positions]
    return [one.label_nb for one in named], [one.label_en for one in named]
