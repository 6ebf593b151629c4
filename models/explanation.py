"""Why a person got this risk: contributions as ranked statements a clinician can read, in Norwegian and English.

Contributions are terms of the calibrated log-odds and add up to it; they describe the model. The words keep to that:
what goes together in the model, never what caused what; nothing is a diagnosis and nothing an alarm. What lowers the
risk is told as fully as what raises it, and what can be changed is said to be so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.domains import DOMAIN_LABELS, Domain
from data_contracts.records import TABLES
from data_contracts.time_windows import NO_DAY, calendar_date
from features.catalogue import POSITIONS, feature
from features.feature import Feature
from features.workplace_context import NAMES as ABOUT_OTHERS
from models.reference_groups import ReferenceGroup
from models.risk_model import RiskModel
from models.wording import compared_text, reason_text, shown_value

Direction = Literal["raises", "lowers", "none"]

_NOT_SHOWN = {
    "nb": "ikke vist: bygger på minst ti andres opplysninger",
    "en": "not shown: rests on what at least ten others told",
}
"""In place of what is known of others: a reader who knows most of them could work out the rest."""


@dataclass(frozen=True)
class Reason:
    """What one feature adds to the log-odds.

    ``value`` is None where it is ``missing``; ``without_consent`` says that this is because the person has not consented to
    the use of its source. Of what is told of others at the workplace it is None as well, though it is not missing: other
    people's answers are not handed out. ``shown`` is the value as text, with its unit. ``observed_on`` is the day of the
    answer or the sample behind the value, where there is one.
    """

    group: Domain
    feature: str
    label: dict[str, str]
    text: dict[str, str]
    value: float | None
    unit: str
    shown: dict[str, str]
    observed_on: str | None
    contribution: float
    direction: Direction
    modifiable: bool
    missing: bool
    without_consent: bool


@dataclass(frozen=True)
class DomainSum:
    """Sum of the contributions of one domain."""

    group: Domain
    label: dict[str, str]
    contribution: float
    direction: Direction


@dataclass(frozen=True)
class Workable:
    """What is known and can be worked with: the sum of its contributions that raise, and the domain with most of it.

    Where nothing of the kind raises the number, ``group`` is the domain that raises it most, or None where none does.
    """

    contribution: float
    group: Domain | None


@dataclass(frozen=True)
class Comparison:
    """A person beside the mean of a group: the differences of the domains add up to that of the log-odds.

    ``contributions`` has the difference of every feature that makes one, the largest first.
    """

    group: str
    label: dict[str, str]
    persons: int
    log_odds: float
    difference: float
    text: dict[str, str]
    domains: tuple[DomainSum, ...]
    contributions: dict[str, float]


@dataclass(frozen=True, eq=False)
class Explanation:
    """The log-odds of one person as base plus contributions.

    Parameters
    ----------
    log_odds, base : float
        ``base + contributions.sum() == log_odds`` to 1e-9.
    contributions : float64 array, shape (n_features,)
        In the model's order.
    values : float32 array, shape (n_features,)
        The model's columns.
    observed_on : int32 array, shape (n_features,)
        Day of the answer or sample behind each, ``NO_DAY`` where there is none.
    consented : bool array, shape (4,)
        Consent per source, in the order of ``consent.SOURCES``.
    """

    feature_names: tuple[str, ...]
    log_odds: float
    base: float
    contributions: np.ndarray
    values: np.ndarray
    observed_on: np.ndarray
    consented: np.ndarray

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """All reasons, the largest contribution first, but for what is not known and plays no part either.

        That would be every scale that was never asked in training, and a reader would go and ask for it.
        """
        is_told = (self.contributions != 0) | ~np.isnan(self.values)
        return tuple(self._reason(position) for position in self._ranked[is_told[self._ranked]].tolist())

    def strongest(self, raising: int, lowering: int) -> tuple[Reason, ...]:
        """Return at most so many reasons that raise and that lower the risk, the largest contribution first."""
        ranked = self.contributions[self._ranked]
        kept = sorted([*(ranked > 0).nonzero()[0][:raising].tolist(), *(ranked < 0).nonzero()[0][:lowering].tolist()])
        return tuple(self._reason(position) for position in self._ranked[kept].tolist())

    @property
    def domains(self) -> tuple[DomainSum, ...]:
        """The sum of each domain that the model uses, the largest first; with the base they add up to the log-odds."""
        return self._domain_sums(self.contributions)

    @property
    def workable(self) -> Workable:
        """What the number rests on that can be worked with: an association in the model, not an effect."""
        is_workable = _modifiable(self.feature_names) & ~np.isnan(self.values)
        parts = np.where(is_workable, self.contributions, 0.0)
        ranked = [*self._largest(parts), *self._largest(self.contributions)]
        return Workable(float(parts[parts > 0].sum()), ranked[0] if ranked else None)

    def _largest(self, parts: np.ndarray) -> list[Domain]:
        """Return the domain with the largest sum of some parts, none if no sum raises."""
        domains, place = _domains(self.feature_names)
        sums = np.bincount(place, parts, len(domains))
        return [domains[int(sums.argmax())]] if sums.max() > 0 else []

    def beside(self, group: ReferenceGroup) -> Comparison:
        """Return what tells the person apart from the mean of a group (see :mod:`models.reference_groups`)."""
        parts = self.contributions - group.contributions
        ranked = [place for place in np.argsort(-np.abs(parts), kind="stable").tolist() if parts[place] != 0]
        domains = self._domain_sums(parts)
        difference = self.log_odds - group.log_odds
        return Comparison(
            group=group.name,
            label=group.label,
            persons=group.persons,
            log_odds=group.log_odds,
            difference=difference,
            text=compared_text(group.label, difference, [(one.group, one.contribution) for one in domains]),
            domains=domains,
            contributions={self.feature_names[place]: float(parts[place]) for place in ranked},
        )

    def _domain_sums(self, parts: np.ndarray) -> tuple[DomainSum, ...]:
        domains, place = _domains(self.feature_names)
        sums = np.bincount(place, parts, len(domains)).tolist()
        ranked = sorted(zip(domains, sums, strict=True), key=lambda item: -abs(item[1]))
        return tuple(DomainSum(domain, DOMAIN_LABELS[domain], total, _direction(total)) for domain, total in ranked)

    @cached_property
    def _ranked(self) -> np.ndarray:
        # Stable, so that equal contributions keep the order of the catalogue and the answer is the same every time.
        return np.argsort(-np.abs(self.contributions), kind="stable")

    def _reason(self, position: int) -> Reason:
        one, label, source, is_about_others = _facts_of(self.feature_names[position])
        number = self.values[position]
        is_known = not math.isnan(number)
        is_shown = is_known and not is_about_others
        # The shortest text of a float32 reads back to the same float32, and shows 61.3 rather than 61.29999923706055.
        value = float(str(number)) if is_shown else None
        contribution = float(self.contributions[position])
        direction = _direction(contribution)
        without_consent = not is_known and source is not None and not self.consented[source]
        shown = shown_value(one, value, without_consent) if is_shown or not is_known else _NOT_SHOWN
        return Reason(
            group=one.domain,
            feature=one.name,
            label=label,
            text=reason_text(one, shown, direction, is_known=is_known),
            value=value,
            unit=one.unit,
            shown=shown,
            observed_on=self._day(position) if is_known else None,
            contribution=contribution,
            direction=direction,
            modifiable=one.modifiable,
            missing=not is_known,
            without_consent=without_consent,
        )

    def _day(self, position: int) -> str | None:
        day = int(self.observed_on[position])
        return None if day == NO_DAY else calendar_date(day).isoformat()


def explain(model: RiskModel, values: np.ndarray, observed_on: np.ndarray, consented: np.ndarray) -> Explanation:
    """Explain the log-odds of one person.

    Parameters
    ----------
    model : RiskModel
    values : float32 array, shape (n_catalogue_features,)
        One row of the feature matrix, all features of the catalogue.
    observed_on : int32 array, shape (n_catalogue_features,)
        The same row of :func:`~features.build.observation_days`.
    consented : bool array, shape (4,)
        Consent per source in force at t.

    Returns
    -------
    Explanation
    """
    return explain_all(model, values[np.newaxis], observed_on[np.newaxis], consented[np.newaxis])[0]


def explain_all(
    model: RiskModel, values: np.ndarray, observed_on: np.ndarray, consented: np.ndarray
) -> list[Explanation]:
    """Explain the log-odds of some persons, each as :func:`explain` does, to the bit; one row of each array per person."""
    own = _columns(model.feature_names)
    X, days = values[:, own], observed_on[:, own]
    log_odds, terms = model.log_odds(X).tolist(), model.contributions(X)
    return [
        Explanation(
            feature_names=model.feature_names,
            log_odds=log_odds[row],
            base=float(terms[row, -1]),
            contributions=terms[row, :-1],
            values=X[row],
            observed_on=days[row],
            consented=consented[row],
        )
        for row in range(len(X))
    ]


def _direction(contribution: float) -> Direction:
    return "raises" if contribution > 0 else "lowers" if contribution < 0 else "none"


@cache
def _facts_of(name: str) -> tuple[Feature, dict[str, str], int | None, bool]:
    """A feature, its label, the position of the source that needs consent, if any, and whether it tells of others."""
    one = feature(name)
    source = TABLES[one.table].consent_source
    place = None if source is None else SOURCES.index(source)
    return one, {"nb": one.label_nb, "en": one.label_en}, place, name in ABOUT_OTHERS


@cache
def _domains(feature_names: tuple[str, ...]) -> tuple[tuple[Domain, ...], np.ndarray]:
    """Domains in the order of their first feature, and the place among them of each feature."""
    of_features = [feature(name).domain for name in feature_names]
    domains = tuple(dict.fromkeys(of_features))
    return domains, np.array([domains.index(domain) for domain in of_features])


@cache
def _modifiable(feature_names: tuple[str, ...]) -> np.ndarray:
    """True for the features that can be worked with."""
    return np.array([feature(name).modifiable for name in feature_names])


@cache
def _columns(feature_names: tuple[str, ...]) -> np.ndarray:
    """Columns of the features in the catalogue."""
    return np.array([POSITIONS[name] for name in feature_names])
