"""What a model's performance should be on rows whose labels have not matured, from its risks alone.

If the risks are calibrated, each says how likely the row has the event, and AUROC, Brier score and events follow. It
assumes that calibration holds: a change in what leads to the event (concept shift) is not seen here, and a fall of the
estimated AUROC says that the persons have become more alike, not that the model has become worse.
Reference: Białek J, Kivimäki J, Kuberski W, Perrakis N. Estimating model performance under covariate shift without labels
(confidence-based performance estimation). arXiv:2401.08348.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from models.evaluation.discrimination import Ranking, auroc

ASSUMES = (
    "The risks are taken as calibrated for these persons; a change in what leads to the event is not seen, and the interval "
    "is the chance of labels alone, not how uncertain the risks are."
)

_CELLS_AT_ONCE = 2_000_000


def estimated_performance(
    risks: np.ndarray, person: np.ndarray, *, repeats: int = 1000, seed: int = 17
) -> dict[str, Any]:
    """Estimate events, AUROC and Brier score before labels.

    Parameters
    ----------
    risks : float64 array, shape (n,)
        Calibrated.
    person : int array, shape (n,)
        Rows of one person have the event together, as far as their risks allow: intervals are rather too wide.
    repeats, seed : int
        Outcomes drawn behind the intervals.

    Returns
    -------
    dict with ``rows``, ``persons``, ``assumes`` and ``events``, ``auroc``, ``brier``: value, low, high: the interval in which
    what is observed lies 95 times in 100 if the risks are exactly right. It holds the chance of labels, not the error of the
    model, and is too narrow by that. None where there is no such number.
    """
    drawn = [_performance(risks, y) for y in _outcomes(risks, person, repeats, seed)]
    found = {
        name: _with_interval(value, np.concatenate([block[name] for block in drawn]))
        for name, value in _expected(risks).items()
    }
    return {"rows": len(risks), "persons": len(np.unique(person)), "assumes": ASSUMES, **found}


def _expected(risks: np.ndarray) -> dict[str, float]:
    one = np.ones((1, len(risks)))
    spread, pairs = float((risks * (1 - risks)).sum()), float(risks.sum() * (1 - risks).sum())
    if pairs <= spread:  # one row or none: no pair to rank
        return {"events": float(risks.sum()), "auroc": np.nan, "brier": spread / len(risks) if len(risks) else np.nan}
    # A row is never compared with itself.
    ranked = float(auroc(Ranking.of(risks), risks, one)[0]) * pairs - spread / 2
    return {"events": float(risks.sum()), "auroc": ranked / (pairs - spread), "brier": spread / len(risks)}


def _outcomes(risks: np.ndarray, person: np.ndarray, repeats: int, seed: int) -> Iterator[np.ndarray]:
    """Draw outcomes in blocks, shape (n_in_block, n); a person's rows share one draw."""
    persons, position = np.unique(person, return_inverse=True)
    random = np.random.default_rng(seed)
    in_block = max(1, _CELLS_AT_ONCE // max(len(risks), 1))
    for done in range(0, repeats, in_block):
        draw = random.random((min(in_block, repeats - done), len(persons)))
        yield (draw[:, position] < risks).astype(float)


def _performance(risks: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "events": y.sum(axis=1),
        "auroc": auroc(Ranking.of(risks), y, np.ones_like(y)),
        "brier": ((risks - y) ** 2).mean(axis=1) if len(risks) else np.full(len(y), np.nan),
    }


def _with_interval(value: float, drawn: np.ndarray) -> dict[str, float | None]:
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(known):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(known, [2.5, 97.5])
    return {"value": float(value), "low": float(low), "high": float(high)}
