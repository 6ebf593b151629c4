"""What each source adds: the model refitted as if nobody had it, against the model refitted with everything.

The literature has no evidence that blood tests predict absence. The answer expected beforehand is a difference of about 0;
it is reported either way.

A model that uses less than half of what a source tells cannot say what the source adds: a reason stands for the number. The
intervals resample the test rows only: there is one refit per source, so what is due to the training rows drawn is not in
them. There are several sources, and nothing is adjusted for asking that often.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from features.catalogue import GROUPS
from models.candidate_fits import varying
from models.estimators import Candidate
from models.evaluation.differences import differences
from models.evaluation.held_out import HeldOut
from models.evaluation.refits import MOST_ROWS, at_most, learning_rows, predict_anew, shares_of, too_few
from models.splits import Split
from models.training_set import TrainingSet

SOURCES: dict[str, tuple[str, ...]] = {
    "life_situation": ("life_situation",),
    "absence_history": ("absence_history",),
    "survey": ("survey_scores", "survey_response"),
    "labs": ("labs",),
    "workplace": ("workplace",),
    "workplace_context": ("workplace_context",),
}
"""What can be done without, as groups of the feature catalogue; ``workplace_context`` is what others at the place say."""

FEWEST_USED = 0.5
"""Share of a source's features (of those that vary) that a model must use to speak for the source."""

CAUTION = (
    "Intervals resample test rows only; each source is left out of one refit, so the chance of the training rows is not in "
    "them. {sources} sources, not adjusted for asking that often. What a source adds is what it adds to all the others. "
    "Refits learn from {persons} of {of_persons} training persons: more persons may show more."
)

_FULL = "everything"
_NAMED = 5


def features_of(source: str) -> frozenset[str]:
    """Return the names of a source's features."""
    return frozenset(one.name for group in GROUPS if group.name in SOURCES[source] for one in group.features)


def ablation(
    training_set: TrainingSet,
    split: Split,
    held_out: HeldOut,
    candidate: Candidate,
    *,
    thresholds: tuple[float, ...] = (0.20,),
    most_rows: int = MOST_ROWS,
    repeats: int = 200,
    seed: int = 17,
) -> dict[str, Any]:
    """Refit without each source and compare on the held-out rows.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
    held_out : HeldOut
    candidate : Candidate
        Unfitted, with one estimator. A champion that uses hardly a laboratory value cannot say what laboratory values add:
        give the best candidate on all features.
    thresholds : tuple of float
        Where net benefit is compared.
    most_rows : int
        Training rows at most, of the same persons for every refit.
    repeats, seed : int
        Resamples of clusters behind each interval, the same for both models of a difference.

    Returns
    -------
    dict: ``model``, ``rows``, ``caution``, and ``sources``: each with ``features`` (how many of it the model uses),
    ``available`` (how many vary among the training rows), and ``gain``: what the source adds to AUROC and net benefit (above
    0 is better) and to the loss (below 0 is better), or None and a ``reason``. Or, for all, a ``reason``.
    """
    rows = learning_rows(training_set, split)
    if reason := too_few(rows, held_out):
        return {"model": candidate.name, "sources": {}, "reason": reason}
    of_persons = len(np.unique(rows.person))
    rows = at_most(rows, shares_of(training_set, rows), most_rows)
    persons = len(np.unique(rows.person))
    there = frozenset(varying(rows))
    used = {name: features_of(name) & set(candidate.feature_names) for name in SOURCES}
    why = {name: _too_little(used[name], features_of(name) & there) for name in SOURCES}
    linear = {_FULL: predict_anew(candidate, rows, held_out)}
    for name in SOURCES:
        if not why[name]:
            linear[name] = predict_anew(candidate, rows, held_out, without=used[name])
    judged = replace(held_out, linear=linear, champion=_FULL)
    gains = differences(judged, target=rows.target, thresholds=thresholds, repeats=repeats, seed=seed)
    return {
        "model": candidate.name,
        "rows": len(rows.y),
        "persons": persons,
        "caution": CAUTION.format(sources=len(SOURCES), persons=persons, of_persons=of_persons),
        "sources": {
            name: {"features": len(gone), "available": len(features_of(name) & there), "gain": gains.get(name)}
            | ({"reason": why[name]} if why[name] else {})
            for name, gone in used.items()
        },
    }


def _too_little(used: frozenset[str], available: frozenset[str]) -> str:
    """Say why a model cannot speak for a source, or return an empty string."""
    if not available:
        return "None of its features varies among the training rows."
    seen = used & available
    if seen and len(seen) >= FEWEST_USED * len(available):
        return ""
    which = f" ({', '.join(sorted(seen))})" if 0 < len(seen) <= _NAMED else ""
    return (
        f"The model uses {len(seen)} of the {len(available)} features that vary{which}: too few to say what the source "
        "adds. A model of all features takes more persons; see sample_size."
    )
