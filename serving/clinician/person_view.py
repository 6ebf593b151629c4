"""One person as last night's scoring left her: the stored answer, the record behind it, and both explained in full.

The number on the page is the stored one, always. What is computed here (all contributions, the profile, the timeline) comes
from the same record by the same functions; contributions are shown only where they belong to that very number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain
from typing import Any

from data_contracts.tables import Table
from features.record import tables_of_record
from serving import problems
from serving.call import Call
from serving.case import Case
from serving.clinician.diagnosis_groups import without_groups
from serving.handlers.profile_bodies import ProfileValue
from serving.handlers.profile_measurements import measurements
from serving.handlers.profile_scales import scales
from serving.handlers.stored import latest, named
from serving.predictor import Predictor, case_of
from serving.problems import Refused
from serving.responses import OutcomeExplanation, OutcomeRisk, RiskResponse
from serving.store.records import StoredRecord
from serving.store.scores import StoredScore

SAME = 1e-9


@dataclass(frozen=True, eq=False)
class PersonView:
    """What the pages of a person show, each part computed when it is first asked for.

    Parameters
    ----------
    score : StoredScore
        Of the newest night.
    stored : StoredRecord or None
        The record that was scored, as it came in; None where the night was written before records were kept.
    predictor : Predictor or None
        The models in service now; they may be newer than the score.
    """

    call: Call
    score: StoredScore
    stored: StoredRecord | None
    predictor: Predictor | None

    @property
    def person_id(self) -> str:
        """The pseudonym."""
        return self.score.person_id

    @property
    def night(self) -> date:
        """The morning of the prediction."""
        return self.score.night

    @cached_property
    def answer(self) -> RiskResponse:
        """The stored answer, but for what no page tells."""
        found = RiskResponse.model_validate_json(self.score.answer)
        return found.model_copy(
            update={"outcomes": {name: without_groups(one) for name, one in found.outcomes.items()}}
        )

    @property
    def is_synthetic(self) -> bool:
        """True if a model behind the answer was trained on simulated persons."""
        return any(one.model.synthetic for one in self.answer.outcomes.values())

    @property
    def record(self) -> dict[str, Any] | None:
        """The record as it came in."""
        return None if self.stored is None else self.stored.record

    @cached_property
    def tables(self) -> dict[str, Table] | None:
        """The record's tables, checked."""
        return None if self.record is None else tables_of_record(self.record, self.call.today)

    @cached_property
    def case(self) -> Case | None:
        """What was known on the morning of the prediction; what consent is withdrawn for since then is not in it."""
        if self.tables is None:
            return None
        withdrawn = self.call.parts.withdrawals.of(self.person_id)
        return case_of(self.tables, self.night, self.call.today, withdrawn)

    @cached_property
    def values(self) -> dict[str, ProfileValue]:
        """Latest score of each scale and level of each measurement, by the name of the feature."""
        if self.case is None or self.tables is None:
            return {}
        return {one.name: one for one in chain(scales(self.case), measurements(self.case, self.tables))}

    def risk(self, outcome: str) -> OutcomeRisk:
        """Return the stored answer of an outcome; raises Refused where there is none."""
        if outcome not in self.answer.outcomes:
            raise Refused(problems.NO_SCORE)
        return self.answer.outcomes[outcome]

    def explained(self, outcome: str) -> OutcomeExplanation | None:
        """Return all contributions to the stored number, None where they cannot be had any more.

        That is so when another model is in service than the one that gave the number, or the model gave none.
        """
        if self.predictor is None or self.case is None or outcome not in self.predictor.models:
            return None
        stored = self.risk(outcome)
        if self.predictor.models[outcome].artifact_sha256 != stored.model.artifact_sha256:
            return None
        found = self.predictor.explain_case(self.case, self.night, [outcome]).outcomes[outcome]
        return without_groups(found) if _is_same(found, stored) else None


def _is_same(found: OutcomeRisk, stored: OutcomeRisk) -> bool:
    pairs = ((found.risk, stored.risk), (found.expected_days, stored.expected_days))
    shown = [(now, then) for now, then in pairs if now is not None and then is not None]
    return bool(shown) and all(abs(now - then) <= SAME for now, then in shown)


def person_view(call: Call) -> PersonView:
    """Return the person of the address, read once a request; raises Refused where there is no score to show."""
    if "person_view" not in call.kept:
        score = latest(call)
        if score is None:
            raise Refused(problems.NO_SCORE)
        stored = call.parts.store.record(named(call, "person_id"), call.today)
        call.kept["person_view"] = PersonView(call, score, stored, call.predictor)
    found: PersonView = call.kept["person_view"]
    return found
