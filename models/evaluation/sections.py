"""The parts of an evaluation in the order in which they are worked on: which there are for events, and which for days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.estimators import Candidate, refittable
from models.evaluation.ablation import ablation
from models.evaluation.capacity import capacity
from models.evaluation.competing_exits import competing_exits
from models.evaluation.differences import differences
from models.evaluation.explanation_quality import explanation_quality
from models.evaluation.held_back import held_back
from models.evaluation.held_out import HeldOut
from models.evaluation.horizons import horizons_report
from models.evaluation.internal_external import internal_external
from models.evaluation.learning_curve import learning_curve
from models.evaluation.net_benefit import WORKING_THRESHOLDS, decision_curve
from models.evaluation.permutation import domain_importance, permutation_test
from models.evaluation.subgroups import subgroups
from models.evaluation.thresholds import working_threshold
from models.mitigation import mitigation
from models.outcomes.outcome import Outcome
from models.risk_model import RiskModel
from models.splits import Split
from models.target import TARGETS, Target
from models.training_set import TrainingSet


@dataclass(frozen=True, eq=False)
class Case:
    """A champion, all models by name, which of them were trained on the same rows, and the rows they are judged on."""

    champion: RiskModel
    models: dict[str, RiskModel]
    candidates: frozenset[str]
    training_set: TrainingSet
    split: Split
    outcome: Outcome
    held_out: HeldOut
    repeats: int
    seed: int

    @property
    def drawn(self) -> dict[str, Any]:
        """How intervals are drawn."""
        return {"repeats": self.repeats, "seed": self.seed}

    @property
    def target(self) -> Target:
        """What the outcome counts."""
        return TARGETS[self.outcome.target]

    @property
    def threshold(self) -> float:
        """Risk from which something is offered: the share of events, where acting on all and on none are equally good."""
        return working_threshold(self.champion.reference_risk)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Where single numbers are given: the working threshold, and those that are the same for every outcome."""
        return tuple(sorted({self.threshold, *WORKING_THRESHOLDS}))

    def unfitted(self, model: RiskModel) -> Candidate | None:
        """Return a model to fit again, None if it was not fitted here but published."""
        return refittable(model) if "estimator" in model.facts else None

    @property
    def widest(self) -> RiskModel:
        """The champion, or the best of those that see more features: only they can tell what a source of data adds."""
        rivals = [model for name, model in self.models.items() if name in self.candidates]
        width = max(len(model.feature_names) for model in [self.champion, *rivals])
        if len(self.champion.feature_names) == width:
            return self.champion
        wide = [model for model in rivals if len(model.feature_names) == width]
        return min(wide, key=self._loss)

    def _loss(self, model: RiskModel) -> float:
        lines = self.champion.facts.get("comparison", {}).get("candidates", ())
        return next((line["log_loss"] for line in lines if line["name"] == model.name), float("inf"))


Section = Callable[[Case], dict[str, Any]]
PUBLISHED = {"reason": "The model is a published formula: it is not fitted here, so it cannot be fitted again."}


def _decisions(case: Case) -> dict[str, Any]:
    return {
        "decision_curve": decision_curve(case.held_out, threshold=case.threshold, **case.drawn),
        "capacity": capacity(case.held_out, thresholds=case.thresholds, **case.drawn),
    }


def _differences(case: Case) -> dict[str, Any]:
    thresholds = case.thresholds if case.outcome.target == "event" else ()
    return {"differences": differences(case.held_out, target=case.target, thresholds=thresholds, **case.drawn)}


def _fairness(case: Case) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "threshold": case.threshold,
        "target": case.target,
        "repeats": case.repeats,
        "seed": case.seed,
    }
    found = subgroups(case.held_out, **asked)
    return found | {"mitigation": mitigation(case.held_out, found["harm"], **asked)}


def _companies(case: Case) -> dict[str, Any]:
    candidate = case.unfitted(case.champion)
    if candidate is None:
        return {"internal_external": PUBLISHED}
    return {
        "internal_external": internal_external(case.training_set, case.split, candidate, case.outcome, seed=case.seed)
    }


def _learning(case: Case) -> dict[str, Any]:
    candidate = case.unfitted(case.champion)
    if candidate is None:
        return {"learning_curve": {"points": []} | PUBLISHED}
    return {"learning_curve": learning_curve(case.training_set, case.split, case.held_out, candidate, **case.drawn)}


def _ablation(case: Case) -> dict[str, Any]:
    candidate = case.unfitted(case.widest)
    if candidate is None:
        return {"ablation": {"sources": []} | PUBLISHED}
    asked = {"thresholds": (case.threshold,), **case.drawn}
    return {"ablation": ablation(case.training_set, case.split, case.held_out, candidate, **asked)}


def _permutation(case: Case) -> dict[str, Any]:
    domains = domain_importance(case.held_out, case.champion, target=case.target, **case.drawn)
    whole = permutation_test(case.held_out, seed=case.seed) if case.outcome.target == "event" else None
    return {"permutation": {"test": whole, "domains": domains}}


def _in_time(case: Case) -> dict[str, Any]:
    return {
        "horizons": horizons_report(case.held_out, case.champion.facts, **case.drawn),
        "competing_exits": competing_exits(case.training_set, case.split, **case.drawn),
    }


def _explanation(case: Case) -> dict[str, Any]:
    return {"explanation": explanation_quality(case.champion, case.held_out, seed=case.seed)}


def _held_back(case: Case) -> dict[str, Any]:
    return {"held_back": held_back(case.champion, case.held_out, **case.drawn)}


# What takes longest comes first: two parts at a time are worked on, and none should be left alone at the end.
SHARED: tuple[tuple[str, Section], ...] = (
    ("what each source adds", _ablation),
    ("learning curve", _learning),
    ("differences to the others", _differences),
    ("groups of persons", _fairness),
    ("importance of domains", _permutation),
    ("explanations", _explanation),
    ("who gets no number", _held_back),
)
SECTIONS: dict[str, tuple[tuple[str, Section], ...]] = {
    "event": (
        ("companies left out", _companies),
        *SHARED,
        ("decision curve and capacity", _decisions),
        ("earlier days and exits", _in_time),
    ),
    "days": SHARED,
}
"""Kind of target -> what is done, with words for who waits."""
