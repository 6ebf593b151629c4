"""What is known of one record at one index date, and what a model in service always says: each made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import Source
from features.as_of import Known
from features.build import CONTEXT_COLUMNS, days_behind
from features.catalogue import POSITIONS, feature
from features.histories import Histories
from features.workplace_context import NAMES, WorkplaceContext, context_features
from models.abstention import Carrier
from models.outcomes import OUTCOMES
from models.outcomes.outcome import general_eligibility
from models.reference_groups import ReferenceGroup, groups_of, reference_groups
from models.risk_model import RiskModel
from serving.answer_json import always_said
from serving.notices import SafetyNotice
from serving.responses import ModelBody, Texts

_AGE, _IS_FEMALE = POSITIONS["age_years"], POSITIONS["is_female"]


class Seen(NamedTuple):
    """Values and days of observation of all features, each of shape (n_features,)."""

    values: np.ndarray
    observed_on: np.ndarray


@dataclass(frozen=True)
class Case:
    """One person at one index date, numbered once for all outcomes."""

    histories: Histories
    known: Known
    values: np.ndarray
    t: int
    safety_flags: tuple[SafetyNotice, ...]

    @cached_property
    def general_eligibility(self) -> np.ndarray:
        """What every outcome asks of a person, int (1,)."""
        return general_eligibility(self.histories, self.t, self.values[:, _AGE])

    @property
    def consented(self) -> np.ndarray:
        """Consent per source, in the order of ``consent.SOURCES``."""
        return self.histories.consented[0]

    def told(self, source: Source) -> bool:
        """Whether anything can be known of a source: with consent, and if its table was sent."""
        return bool(self.histories.told[0, SOURCES.index(source)])

    def seen_by(self, served: Served) -> Seen:
        """Return the numbers as a model sees them, with the others at the workplace as its snapshot tells of them."""
        context = served.context
        if context is None or context.day > self.t:
            return self._without_others
        if context not in self._seen:
            values, observed_on = (column.copy() for column in self._without_others)
            values[CONTEXT_COLUMNS] = context_features(self.known, self.histories, context)[0]
            observed_on[CONTEXT_COLUMNS][~np.isnan(values[CONTEXT_COLUMNS])] = context.day
            self._seen[context] = Seen(values, observed_on)
        return self._seen[context]

    def reference_groups(self, served: Served) -> tuple[ReferenceGroup, ...]:
        """Return the groups that a model can compare this person with."""
        return groups_of(served.groups, self.values[0, _IS_FEMALE], self.values[0, _AGE])

    @cached_property
    def _without_others(self) -> Seen:
        return Seen(self.values[0], days_behind(self.known)[0])

    @cached_property
    def _seen(self) -> dict[WorkplaceContext, Seen]:
        return {}


class Served:
    """A model with what its answers always say, built once."""

    def __init__(self, model: RiskModel) -> None:
        self.model = model
        self.outcome = OUTCOMES[model.outcome]
        # The model says what it was trained to predict: parameters such as min_days are part of it.
        declared = {"nb": self.outcome.label_nb, "en": self.outcome.label_en}
        self.label = Texts(**model.facts.get("label", declared))
        self.horizon_days = model.facts.get("horizon_days", self.outcome.horizon_days)
        self.has_washout = "washout" in self.outcome.own_reasons
        self.body = _model_body(model)
        self.always_said = always_said(label=self.label, horizon_days=self.horizon_days, model=self.body)
        self.carrier = Carrier.of(model)
        self.groups = reference_groups(model.feature_names, model.facts)
        own = [name for name in model.feature_names if name not in NAMES]
        self.answered = [POSITIONS[name] for name in own if feature(name).table == "survey_answers"]
        # A model that asks for nothing about others is spared the work.
        self.context = model.workplace_context if len(own) < len(model.feature_names) else None


def _model_body(model: RiskModel) -> ModelBody:
    return ModelBody(
        name=model.name,
        version=model.version,
        trained_on=model.facts.get("trained_on"),
        artifact_sha256=model.artifact_sha256,
        # A model that does not say where it comes from must not pass for one of real persons.
        synthetic=bool(model.facts.get("synthetic", True)),
    )
