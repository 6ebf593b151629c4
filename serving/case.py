"""What is known of records at one index date, and what a model in service always says: each made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import Source
from data_contracts.safety import safety_flags
from data_contracts.tables import Table
from data_contracts.time_windows import day_number
from features.as_of import Known, as_of
from features.build import CONTEXT_COLUMNS, days_behind, number
from features.catalogue import FEATURE_NAMES, POSITIONS, feature
from features.histories import Histories
from features.workplace_context import NAMES, WorkplaceContext, context_features
from models.abstention import Carrier
from models.outcomes import OUTCOMES
from models.outcomes.outcome import general_eligibility
from models.reference_groups import ReferenceGroup, groups_of, reference_groups
from models.risk_model import RiskModel
from serving import notices
from serving.answer_json import always_said
from serving.ended_consents import NOTHING, ended
from serving.notices import SafetyNotice
from serving.responses import ModelBody, Texts

_AGE, _IS_FEMALE = POSITIONS["age_years"], POSITIONS["is_female"]


class Seen(NamedTuple):
    """Values and days of observation of all features, each of shape (n_persons, n_features)."""

    values: np.ndarray
    observed_on: np.ndarray


@dataclass(frozen=True)
class Cases:
    """Some persons at one index date, numbered once for all outcomes: of a request one, of a night many at a time.

    Whatever is computed of a person has the same bits in any company.
    """

    histories: Histories
    known: Known
    values: np.ndarray
    t: int

    @cached_property
    def general_eligibility(self) -> np.ndarray:
        """What every outcome asks of a person, int (n, n_reasons)."""
        return general_eligibility(self.histories, self.t, self.values[:, _AGE])

    def seen_by(self, served: Served) -> Seen:
        """Return the numbers as a model sees them, with the others at the workplace as its snapshot tells of them."""
        context = served.context
        if context is None or context.day > self.t:
            return self._without_others
        if context not in self._seen:
            values, observed_on = (column.copy() for column in self._without_others)
            others = context_features(self.known, self.histories, context)
            values[:, CONTEXT_COLUMNS] = others
            observed_on[:, CONTEXT_COLUMNS] = np.where(np.isnan(others), observed_on[:, CONTEXT_COLUMNS], context.day)
            self._seen[context] = Seen(values, observed_on)
        return self._seen[context]

    def told_of(self, person: int, source: Source) -> bool:
        """Whether anything can be known of a person's source: with consent, and if its table was sent."""
        return bool(self.histories.told[person, SOURCES.index(source)])

    @cached_property
    def _without_others(self) -> Seen:
        return Seen(self.values, days_behind(self.known))

    @cached_property
    def _seen(self) -> dict[WorkplaceContext, Seen]:
        return {}


@dataclass(frozen=True)
class Case(Cases):
    """One person at one index date."""

    safety_flags: tuple[SafetyNotice, ...]

    @property
    def consented(self) -> np.ndarray:
        """Consent per source, in the order of ``consent.SOURCES``."""
        return self.histories.consented[0]

    def told(self, source: Source) -> bool:
        """Whether anything can be known of a source: with consent, and if its table was sent."""
        return self.told_of(0, source)

    def reference_groups(self, served: Served) -> tuple[ReferenceGroup, ...]:
        """Return the groups that a model can compare this person with."""
        return groups_of(served.groups, self.values[0, _IS_FEMALE], self.values[0, _AGE])


def case_of(
    tables: dict[str, Table], index_date: date, received_on: date, withdrawn: Mapping[Source, date] = NOTHING
) -> Case:
    """Return what the checked tables of one person tell at an index date.

    Consent must be in force on the index date, and still on the day of the request, whatever the record knows of it:
    ``withdrawn`` gives by source the day from which the person has withdrawn it through the service.
    """
    tables = ended(tables, withdrawn)
    answers = tables.get("survey_answers")
    # Whatever the index date and the consents: a human must look at it, and nobody asks a model about it.
    flags = () if answers is None else tuple(map(notices.safety_notice, safety_flags(answers)))
    return Case(*_numbered(tables, index_date, received_on, None), flags)


def cases_of(
    tables: dict[str, Table], person_ids: Sequence[str], index_date: date, received_on: date
) -> tuple[Cases, list[tuple[SafetyNotice, ...]]]:
    """Return what the checked tables of many persons tell, and the safety flags of each, as :func:`case_of` of one."""
    flags: dict[str, list[SafetyNotice]] = {person_id: [] for person_id in person_ids}
    for flag in safety_flags(tables["survey_answers"]) if "survey_answers" in tables else ():
        flags[str(flag.person_id)].append(notices.safety_notice(flag))
    return Cases(*_numbered(tables, index_date, received_on, person_ids)), [tuple(found) for found in flags.values()]


def _numbered(
    tables: dict[str, Table], index_date: date, received_on: date, person_ids: Sequence[str] | None
) -> tuple[Histories, Known, np.ndarray, int]:
    t, now = day_number(index_date), day_number(received_on)
    histories = Histories.from_tables(
        tables, purpose="risk_scoring", consent_on=t, still_on=now if now > t else None, person_ids=person_ids
    )
    known = as_of(histories, t)
    values = np.empty((len(histories), len(FEATURE_NAMES)), dtype=np.float32)
    number(known, values)
    return histories, known, values, t


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
