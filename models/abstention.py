"""Where the inputs cannot carry a number: the rules by which a model keeps silent, with limits from its training rows.

A number is held back for three reasons, asked in this order; each is a comparison that can be told to the person:

1. *Too little known.* Of the importance of what is usually known (in at least half of the training rows), less than half is
   known of this person, and less than of 199 in 200 training rows: a model that has learnt from many persons without
   a survey may number the next one; nobody has ever been like one of whom nothing is known.
2. *Unlike the training data.* Values outside the training range in at least three domains, which weigh more of the
   importance than in 999 of 1000 training rows. One domain is never enough: who was absent more than anybody in training is
   outside on a dozen numbers that all tell the same, and is just whom the model is for.
3. *Too uncertain.* The interval of the refits reaches from the lowest band to the highest, so the number says nothing.

The weights and the limits of 1 and 2 are facts of the model (``importance``, ``typical_missing``); without them, as in older
artifacts, only 3 is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.errors import ArtifactError
from features.catalogue import feature
from models.risk_model import RiskModel
from models.wording import RISK_BANDS

CARRIED, TOO_LITTLE_KNOWN, UNLIKE_TRAINING, TOO_UNCERTAIN = range(4)
REASONS = ("", "too little known", "unlike the training data", "too uncertain")
"""Why no number is given, by code; the first is that there is one."""

USUALLY_KNOWN = 0.5
"""In so large a share of the training rows. What most persons lack (a lab panel, the days since guidance) is missed in none."""

HALF = 0.5
FEWEST_DOMAINS = 3
FEWEST_KNOWN, LITTLE_KNOWN, MOST_OUTSIDE = 0.005, 0.05, 0.999
"""Quantiles of the training rows: below the first too little is known, below the second it is worth a warning."""

_DECIMALS = 6
"""Of shares, so that rows that know the same are equal to the limit and not a last bit below it."""


@dataclass(frozen=True, eq=False)
class Carrier:
    """How much a model's inputs must tell before they carry a number.

    Parameters
    ----------
    model : RiskModel
    importance, usual : float64 arrays, shape (n_features,), optional
        Share of each feature in the importance, and in that of the usually known features; they add up to 1. None where
        the facts do not tell.
    fewest_known, little_known, most_outside : float
        Limits, shares of the importance.
    """

    model: RiskModel
    importance: np.ndarray | None
    usual: np.ndarray | None
    fewest_known: float
    little_known: float
    most_outside: float

    @classmethod
    def of(cls, model: RiskModel) -> Carrier:
        """Read the limits of a model's facts; raises ArtifactError if they are damaged."""
        try:
            importance, usual = _weights(model)
            limits = model.facts["typical_missing"] if importance is not None else {}
            numbers = [float(limits.get(name, 0.0)) for name in ("fewest_known", "little_known", "most_outside")]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ArtifactError("The model's importance or typical_missing is damaged. Train again.") from None
        return cls(model, importance, usual, *numbers)

    def reasons(self, X: np.ndarray, interval: np.ndarray) -> np.ndarray:
        """Return the position in ``REASONS`` of each row, int (n,).

        Parameters
        ----------
        X : float32 array, shape (n, n_features)
            The model's own columns.
        interval : float64 array, shape (n, 2)
            As :meth:`RiskModel.interval` gives it; NaN where there is none.
        """
        reasons = np.full(len(X), CARRIED)
        lowest, highest = RISK_BANDS[0].below, RISK_BANDS[-2].below
        reference = self.model.reference_risk
        reasons[(interval[:, 0] < lowest * reference) & (interval[:, 1] >= highest * reference)] = TOO_UNCERTAIN
        if self.importance is not None:
            outside = self.model.outside_training_range(X)
            reasons[self._is_unlike(outside)] = UNLIKE_TRAINING
            reasons[self.known_share(X) < min(HALF, self.fewest_known)] = TOO_LITTLE_KNOWN
        return reasons

    def known_share(self, X: np.ndarray) -> np.ndarray:
        """Return how much of what the model rests on and is usually known is known, (n,) from 0 to 1."""
        return _weighed(np.isfinite(X), self.usual)

    def is_thin(self, X: np.ndarray) -> np.ndarray:
        """True where little is known: less than half, or less than of 19 in 20 training rows; bool (n,)."""
        if self.usual is None:
            return np.zeros(len(X), dtype=bool)
        return self.known_share(X) < max(HALF, self.little_known)

    def most_important(self, chosen: np.ndarray) -> np.ndarray:
        """Return the positions of the chosen features (bool, (n_features,)), the most important first."""
        positions = np.flatnonzero(chosen)
        if self.importance is None:
            return positions
        return positions[np.argsort(-self.importance[positions], kind="stable")]

    def _is_unlike(self, outside: np.ndarray) -> np.ndarray:
        unlike = np.zeros(len(outside), dtype=bool)
        some = np.flatnonzero(outside.sum(axis=1) >= FEWEST_DOMAINS)
        domains = [len({feature(self.model.feature_names[one]).domain for one in np.flatnonzero(outside[row])})
                   for row in some]  # fmt: skip
        weight = _weighed(outside[some], self.importance)
        unlike[some] = (np.array(domains, dtype=int) >= FEWEST_DOMAINS) & (weight > self.most_outside)
        return unlike


def limits_of(model: RiskModel, X: np.ndarray) -> dict[str, float]:
    """Return the limits that training rows set; ``model.facts`` must already tell the importance and what is known.

    Parameters
    ----------
    model : RiskModel
    X : float32 array, shape (n, n_features)
        Training rows, the model's own columns.

    Returns
    -------
    ``fewest_known``, ``little_known``, ``most_outside`` and ``median_known``, shares from 0 to 1.
    """
    importance, usual = _weights(model)
    known = _weighed(np.isfinite(X), usual)
    outside = _weighed(model.outside_training_range(X), importance)
    fewest, little, median = np.quantile(known, [FEWEST_KNOWN, LITTLE_KNOWN, 0.5], method="lower").tolist()
    most = float(np.quantile(outside, MOST_OUTSIDE, method="higher"))
    return {"fewest_known": fewest, "little_known": little, "median_known": median, "most_outside": most}


def _weights(model: RiskModel) -> tuple[np.ndarray | None, np.ndarray | None]:
    found = model.facts.get("importance")
    if found is None:
        return None, None
    values = np.array([found["features"][name]["value"] for name in model.feature_names], dtype=np.float64)
    known = model.facts["typical_missing"]["known_share"]
    is_usual = np.array([known[name] >= USUALLY_KNOWN for name in model.feature_names])
    return _shares(values), _shares(values * is_usual)


def _shares(values: np.ndarray) -> np.ndarray | None:
    # A model of a constant rests on nothing, and nothing can be missing from it.
    return values / values.sum() if values.sum() > 0 else None


def _weighed(chosen: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None:
        return np.ones(len(chosen))
    shares: np.ndarray = np.add.reduce(np.ascontiguousarray(chosen * weights), axis=-1)
    return shares.round(_DECIMALS)
