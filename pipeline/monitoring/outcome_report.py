"""Everything that is looked at for one outcome, and which of it is an alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.domains import DOMAIN_LABELS
from data_contracts.errors import ArtifactError, NotEnoughDataError
from data_contracts.time_windows import day_number
from models.bundle import current_bundle
from models.bundle_papers import read_evaluation
from models.evaluation.subgroups import PERSONAL
from models.monitoring.calibration_drift import CalibrationState
from models.monitoring.comparison import FEWEST_PERSONS, TOO_FEW, Shift
from models.monitoring.estimated_performance import estimated_performance
from models.monitoring.false_discovery import Alarm, alarms, groups_tested
from models.monitoring.proposal import Findings, Proposal, propose
from models.outcomes.outcome import Outcome, Status
from models.risk_model import RiskModel, risk_of
from pipeline.monitoring import matured
from pipeline.monitoring.contacts import HARM, NO_STORE, NOBODY, Contacts, after_contact, contacted_rows
from pipeline.monitoring.inputs import SCORE, input_shifts, score_shifts, watched
from pipeline.monitoring.responding import RESPONSE, response, response_tests, told
from pipeline.monitoring.score_groups import SCORE_BY, subgroup_score_shifts
from pipeline.monitoring.windows import Window, linear_scores, past_dates, reference_dates, window_of, window_start
from pipeline.settings import Settings
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Look:
    """What is the same for every outcome of one run.

    Parameters
    ----------
    workspace : Workspace
    settings : Settings
    index_date : date
        Everything is as it was known on this morning.
    months : int
    begun : date
        First day from which anything was known.
    contacts : Contacts or None
    late_tables : sequence of str
    """

    workspace: Workspace
    settings: Settings
    index_date: date
    months: int
    begun: date
    contacts: Contacts | None
    late_tables: Sequence[str]

    @property
    def smallest(self) -> dict[str, float]:
        """Least differences that matter, as :func:`models.monitoring.false_discovery.alarms` takes them."""
        chosen = self.settings.monitoring
        return {"level": chosen.smallest_level, "missing": chosen.smallest_missing}

    def references(self, first: date, last: date) -> list[date]:
        """Return the index dates to compare with, of a training period."""
        begun = window_start(self.begun, -self.months)
        return reference_dates(self.index_date, first, last, begun)


def trained_on(model: RiskModel) -> tuple[date, date]:
    """Return the first and the last index date of the rows that a model was fitted to."""
    period = model.facts["trained_on"]
    return date.fromisoformat(period["first_index_date"]), date.fromisoformat(period["last_index_date"])


@dataclass(frozen=True, eq=False)
class Windows:
    """The rows of one outcome: the same season of the training, now, and after the training."""

    reference: Window
    current: Window
    past: Window


def windows_for(
    look: Look, tables: Path, model: RiskModel, outcome: Outcome, advance: Callable[[int], None] = lambda steps: None
) -> Windows:
    """Cut everybody at all index dates that are needed, reading the tables once; raises NotEnoughDataError."""
    first, last = trained_on(model)
    references = look.references(first, last)
    after = date.fromordinal(last.toordinal() + outcome.embargo_days)
    past = past_dates(after, look.index_date, look.settings.training.months_between)
    dates = sorted({*references, *past, look.index_date})
    rows = window_of(tables, outcome, dates, look.index_date, context=model.workplace_context, advance=advance)
    reference, current, later = (
        rows.take(np.isin(rows.t, [day_number(on) for on in chosen]))
        for chosen in (references, [look.index_date], past)
    )
    if min(reference.n_persons, current.n_persons) < FEWEST_PERSONS:
        raise NotEnoughDataError(
            f"{outcome.name}: fewer than {FEWEST_PERSONS} eligible persons at {look.index_date} or in the training period. "
            "Choose another --index-date, or bring data."
        )
    return Windows(reference, current, later)


def report_of(look: Look, tables: Path, model: RiskModel, outcome: Outcome, rows: Windows) -> dict[str, Any]:
    """Look at everything and return JSON values; ``alarm`` says whether somebody must look."""
    settings = look.settings
    drawn = {"repeats": settings.evaluate.bootstrap, "seed": settings.evaluate.seed}
    scores = linear_scores(model, rows.reference), linear_scores(model, rows.current)
    inputs = input_shifts(rows.reference, rows.current, look.months, watched(model.feature_names))
    by_group = subgroup_score_shifts(rows.reference, rows.current, scores)
    answers = response(rows.reference, rows.current, look.months)
    harm, harm_shifts = after_contact(tables, model, outcome, look.contacts, look.index_date)
    tested = [
        *inputs,
        *score_shifts(rows.reference, rows.current, scores),
        *by_group,
        *response_tests(answers),
        *harm_shifts,
    ]
    found = alarms(tested, settings.monitoring.false_discovery_rate, look.smallest)
    held_out = matured.held_out(rows.past, model, outcome)
    performance = matured.performance(held_out, outcome.target, **drawn)
    calibration = _calibration(look, held_out, outcome)
    proposal = _proposal(look, inputs, found, calibration, performance, model)
    return {
        "model": {"name": model.name, "version": model.version, "synthetic": bool(model.facts.get("synthetic"))},
        "persons": {"reference": rows.reference.n_persons, "current": rows.current.n_persons},
        "reference_dates": [str(one) for one in np.unique(rows.reference.t).astype("datetime64[D]")],
        "inputs": _by_domain(inputs, found),
        "shifts": [_told(one) for one in tested],
        "alarms": [_alarm(one) for one in found],
        "maturity": matured.maturity(rows.past, outcome, look.index_date),
        "performance": performance | {"sealed_auroc": _sealed_auroc(look.workspace, model)},
        "acted_upon": _acted_upon(rows.past, held_out, look.contacts, outcome, drawn),
        "calibration": _told_calibration(calibration, held_out, outcome),
        "estimated": _estimated(rows.current, scores[1], outcome),
        "subgroups": matured.by_subgroup(held_out, outcome.target, **drawn),
        "response": told(answers),
        "after_contact": harm,
        "series": matured.series(rows.past, linear_scores(model, rows.past), model),
        "proposal": {"step": proposal.step, "evidence": [list(one) for one in proposal.evidence]},
        "sections": _sections(tested, found, calibration, performance, proposal, outcome),
        "alarm": bool(found) or proposal.step != "nothing",
    }


def _calibration(look: Look, held_out: Any, outcome: Outcome) -> CalibrationState | None:
    if outcome.target != "event":
        return None
    chosen = look.settings.monitoring
    return matured.calibration(
        held_out, outcome, look.settings.training.months_between, chosen.calibration_alpha, chosen.calibration_tolerance
    )


def _told_calibration(state: CalibrationState | None, held_out: Any, outcome: Outcome) -> dict[str, Any]:
    if outcome.target != "event":
        return {"why_not": "the test is of events; see the calibration slope of days under performance"}
    had = np.unique(held_out.person[held_out.y > 0])
    return matured.told_state(state, len(had), len(np.setdiff1d(held_out.person, had)))


def _estimated(current: Window, linear: np.ndarray, outcome: Outcome) -> dict[str, Any]:
    if outcome.target != "event":
        return {"why_not": "estimated for events only"}
    _, person = np.unique(current.person, return_inverse=True)
    return estimated_performance(risk_of(linear), person)


def _acted_upon(
    past: Window, held_out: Any, contacts: Contacts | None, outcome: Outcome, drawn: dict[str, int]
) -> dict[str, Any]:
    if outcome.target != "event":
        return {"why_not": "told for events only"}
    if contacts is None or not len(contacts):
        return {"why_not": NO_STORE if contacts is None else NOBODY}
    known = past.take(past.status == Status.OBSERVED)
    return matured.acted_upon_performance(held_out, contacted_rows(known, contacts), **drawn)


def _proposal(
    look: Look, inputs: Sequence[Shift], found: Sequence[Alarm], calibration: CalibrationState | None,
    performance: Mapping[str, Any], model: RiskModel,
) -> Proposal:  # fmt: skip
    domains = set(groups_tested(inputs))
    return propose(Findings(
        input_alarms=[one for one in found if one.group in domains],
        groups_tested=len(domains),
        late_tables=look.late_tables,
        calibration=calibration,
        auroc=performance.get("metrics", {}).get("auroc"),
        reference_auroc=_sealed_auroc(look.workspace, model),
    ))  # fmt: skip


def _sealed_auroc(workspace: Workspace, model: RiskModel) -> float | None:
    """Return the AUROC that the champion was promoted on; None where no evaluation was sealed."""
    bundle = current_bundle(workspace.bundles, model.outcome)
    try:
        sealed = read_evaluation(bundle, model.artifact_sha256) if bundle else None
    except ArtifactError:
        return None
    judged = (sealed or {}).get("models", {}).get((sealed or {}).get("champion"), {})
    value: float | None = judged.get("auroc", {}).get("value")
    return value


def _by_domain(inputs: Sequence[Shift], found: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Say of each domain how many features were compared and which lead an alarm."""
    leading = {one.group: one for one in found}
    domains = []
    for domain, label in DOMAIN_LABELS.items():
        mine = [one for one in inputs if one.group == domain and one.p is not None]
        alarm = leading.get(domain)
        domains.append({
            "domain": domain, "label": label["en"], "tested": len(mine), "word": _word(bool(mine), alarm is not None),
            "leading": [_told(one) for one in alarm.leading] if alarm else [],
        })  # fmt: skip
    return domains


def _word(is_tested: bool, is_alarm: bool) -> str:
    return "alarm" if is_alarm else "nothing found" if is_tested else "too few"


def _told(shift: Shift) -> dict[str, Any]:
    """Return a shift as JSON; of few persons nothing but that they are few."""
    if shift.p is None:
        return {"name": shift.name, "kind": shift.kind, "group": shift.group, "why_not": TOO_FEW}
    return asdict(shift)


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {"group": alarm.group, "p": alarm.p, "leading": [_told(one) for one in alarm.leading]}


def _sections(
    tested: Sequence[Shift], found: Sequence[Alarm], calibration: CalibrationState | None,
    performance: Mapping[str, Any], proposal: Proposal, outcome: Outcome,
) -> dict[str, str]:  # fmt: skip
    """Return one traffic word for each thing that is looked at."""
    groups, alarmed = set(groups_tested(tested)), {one.group for one in found}
    by = {f"{SCORE_BY}{name}" for name in PERSONAL}
    ranking_fell = any(step == "retrain" and "AUROC" in said for step, said in proposal.evidence)
    not_a_domain = {SCORE, RESPONSE, HARM} | by
    judged = {
        "inputs": (groups - not_a_domain, alarmed - not_a_domain), "scores": (groups & {SCORE}, alarmed & {SCORE}),
        "scores by subgroup": (groups & by, alarmed & by), "response": (groups & {RESPONSE}, alarmed & {RESPONSE}),
        HARM: (groups & {HARM}, alarmed & {HARM}),
    }  # fmt: skip
    words = {name: _word(bool(of), bool(calling)) for name, (of, calling) in judged.items()}
    words["performance"] = _word("metrics" in performance, ranking_fell)
    if outcome.target == "event":
        words["calibration"] = _word(calibration is not None, calibration is not None and calibration.is_alarm)
    return words
