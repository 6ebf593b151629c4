"""The rows on which models are judged: other persons at later index dates, with what each model says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.risk_model import RiskModel
from models.row_files import rows_of
from models.splits import Split
from models.training_set import TrainingSet

FEWEST_COMPANIES = 40
"""From so many companies on they are what is resampled: persons of one workplace are alike. Below, intervals from so few
clusters are too narrow, and persons are resampled. Cameron AC, Miller DL. J Hum Resour 2015;50:317."""


def clusters(person: np.ndarray, company: np.ndarray) -> np.ndarray:
    """Return what is resampled, int (n,): companies where there are enough, else persons; nobody's company is one's own."""
    if len(np.unique(company[company >= 0])) < FEWEST_COMPANIES:
        return person
    return np.where(company >= 0, company, -1 - person)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Test rows with an observed label.

    Parameters
    ----------
    outcome, champion : str
        ``champion`` is a name in ``linear``.
    feature_names : tuple of str
        All features of the training set.
    X : float32 array, shape (n, n_features)
    y, weight : float64 arrays, shape (n,)
        1 event, 0 no event (or days, for an outcome that counts days), and how many rows each stands for.
    person, company : int arrays, shape (n,)
        Which rows belong together; company -1 where it is not known.
    t, followed_days : int32 arrays, shape (n,)
    linear : mapping of model name to float64 array, shape (n,)
        What each model says on its linear scale: calibrated log-odds (log days for an outcome that counts days).
    """

    outcome: str
    champion: str
    feature_names: tuple[str, ...]
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    person: np.ndarray
    company: np.ndarray
    t: np.ndarray
    followed_days: np.ndarray
    linear: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, training_set: TrainingSet, split: Split, models: Mapping[str, RiskModel], champion: str) -> HeldOut:
        """Take the test rows with an observed label and let every model number them."""
        rows = split.test[training_set.observed[split.test]]
        names = tuple(training_set.feature_names.tolist())
        position = {name: column for column, name in enumerate(names)}
        X = rows_of(training_set.X, rows)
        linear = {
            name: model.log_odds(X[:, [position[feature] for feature in model.feature_names]])
            for name, model in models.items()
        }
        columns = {name: getattr(training_set, name)[rows]
                   for name in ("y", "weight", "person", "company", "t", "followed_days")}  # fmt: skip
        return cls(training_set.outcome, champion, names, X, linear=linear, **columns)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def cluster(self) -> np.ndarray:
        """What is resampled, int (n,); see :func:`clusters`."""
        return clusters(self.person, self.company)

    def column(self, feature: str) -> np.ndarray:
        """Return a feature of the rows, float32 (n,), NaN where it is not known."""
        return self.X[:, self.feature_names.index(feature)]

    def take(self, rows: np.ndarray) -> HeldOut:
        """Return the chosen rows."""
        cut = {name: getattr(self, name)[rows] for name in
               ("X", "y", "weight", "person", "company", "t", "followed_days")}  # fmt: skip
        return replace(self, **cut, linear={name: values[rows] for name, values in self.linear.items()})
