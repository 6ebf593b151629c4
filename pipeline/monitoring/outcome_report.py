"""Everything that is looked at for one outcome, and which of it is an alarm."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.domains import DOMAIN_LABELS
from data_contracts.errors import ArtifactError, NotEnoughDataError
from data_contracts.time_windows import calendar_date, day_number
from models.bundle import current_bundle
from models.bundle_papers import read_evaluation
from models.monitoring.calibration_drift import CalibrationState
from models.monitoring.comparison import FEWEST_PERSONS, TOO_FEW, Shift
from models.monitoring.estimated_performance import estimated_performance
from models.monitoring.false_discovery import Alarm, alarms, groups_tested
from models.monitoring.proposal import Findings, Proposal, propose
from models.outcomes.outcome import Outcome, Status
from models.risk_model import RiskModel, risk_of
from pipeline.monitoring import matured
from pipeline.monitoring.contacts import NO_STORE, NOBODY, Contacts, after_contact
from pipeline.monitoring.inputs import input_shifts, score_shifts, watched
from pipeline.monitoring.responding import HIDDEN, RESPONSE, hidden_tests, response, response_tests, rounded, told
from pipeline.monitoring.score_groups import subgroup_score_shifts
from pipeline.monitoring.section_words import section_words, word_of
from pipeline.monitoring.windows import (
    Window,
    is_same_season,
    linear_scores,
    past_dates,
    reference_dates,
    window_of,
    window_start,
)
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
    references = [calendar_date(int(t)) for t in np.unique(rows.reference.t)]
    inputs = input_shifts(rows.reference, rows.current, look.months, watched(model.feature_names))
    answers = response(rows.reference, rows.current, look.months)
    harm, harm_shifts = after_contact(tables, model, outcome, look.contacts, look.index_date)
    tested = [*inputs, *_of_scores(rows, scores), *response_tests(answers), *harm_shifts]
    found = alarms(tested, settings.monitoring.false_discovery_rate, look.smallest)
    held_out = matured.held_out(rows.past, model, outcome)
    sealed = _sealed_auroc(look.workspace, model)
    performance = matured.performance(held_out, outcome.target, **drawn) | {"sealed_auroc": sealed}
    leaving = matured.leaving_share(rows.past)
    calibration = _calibration(look, held_out, outcome, leaving)
    acted = _acted_upon(rows.past, held_out, look.contacts, outcome, drawn)
    proposal = _proposal(look, inputs, found, calibration, performance, acted)
    return {
        "model": {"name": model.name, "version": model.version, "synthetic": bool(model.facts.get("synthetic"))},
        "persons": {"reference": rows.reference.n_persons, "current": rows.current.n_persons},
        "reference_dates": [str(one) for one in references],
        "same_season": is_same_season(look.index_date, references),
        "inputs": _by_domain(inputs, found),
        **_told_shifts(tested, found, hidden_tests(answers)),
        "maturity": matured.maturity(rows.past, outcome, look.index_date),
        "performance": performance,
        "acted_upon": acted,
        "calibration": _told_calibration(look, calibration, held_out, outcome, leaving),
        "estimated": _estimated(rows.current, scores[1], outcome),
        "subgroups": matured.by_subgroup(held_out, outcome.target, **drawn),
        "response": told(answers),
        "after_contact": harm,
        "series": matured.series(rows.past, linear_scores(model, rows.past), model),
        "proposal": {"step": proposal.step, "evidence": [list(one) for one in proposal.evidence]},
        "sections": section_words(tested, found, calibration is not None, performance, proposal, outcome),
        "alarm": bool(found) or proposal.step != "nothing",
    }


def _calibration(look: Look, held_out: Any, outcome: Outcome, leaving: float) -> CalibrationState | None:
    if outcome.target != "event":
        return None
    chosen = look.settings.monitoring
    return matured.calibration(
        held_out, outcome, look.settings.training.months_between, chosen.calibration_alpha,
        matured.tolerance_of(chosen.calibration_tolerance, leaving),
    )  # fmt: skip


def _told_calibration(
    look: Look, state: CalibrationState | None, held_out: Any, outcome: Outcome, leaving: float
) -> dict[str, Any]:
    if outcome.target != "event":
        return {"why_not": "the test is of events; see the calibration slope of days under performance"}
    had = np.unique(held_out.person[held_out.y > 0])
    found = matured.told_state(state, len(had), len(np.setdiff1d(held_out.person, had)))
    tolerance = matured.tolerance_of(look.settings.monitoring.calibration_tolerance, leaving)
    return found | {"leaving_share": leaving, "tolerance": tolerance}


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
    return matured.acted_upon_performance(held_out, contacts.days_to_first(known.person, known.t), outcome, **drawn)


def _proposal(
    look: Look, inputs: Sequence[Shift], found: Sequence[Alarm], calibration: CalibrationState | None,
    performance: Mapping[str, Any], acted: Mapping[str, Any],
) -> Proposal:  # fmt: skip
    domains = set(groups_tested(inputs))
    return propose(Findings(
        input_alarms=[one for one in found if one.group in domains],
        groups_tested=len(domains),
        late_tables=look.late_tables,
        calibration=calibration,
        auroc=performance.get("metrics", {}).get("auroc"),
        reference_auroc=performance["sealed_auroc"],
        acted_upon=acted if "contacted" in acted else None,
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
            "domain": domain, "label": label["en"], "tested": len(mine), "word": word_of(bool(mine), alarm is not None),
            "leading": [_told(one) for one in alarm.leading] if alarm else [],
        })  # fmt: skip
    return domains


def _told(shift: Shift, hidden: Collection[str] = ()) -> dict[str, Any]:
    """Return a shift as JSON; of few persons, and of groups whose shares are hidden, nothing but that it is so."""
    if shift.p is None or (shift.group == RESPONSE and shift.name in hidden):
        why_not = TOO_FEW if shift.p is None else HIDDEN
        return {"name": shift.name, "kind": shift.kind, "group": shift.group, "why_not": why_not}
    found = asdict(shift)
    if shift.kind == "missing":  # exact shares of a known number of persons are counts
        for part in ("difference", "low", "high"):
            found[part] = rounded(found[part])
    return found


def _told_shifts(tested: Sequence[Shift], found: Sequence[Alarm], hidden: Collection[str]) -> dict[str, Any]:
    called = [
        {"group": one.group, "p": one.p, "leading": [_told(each, hidden) for each in one.leading]} for one in found
    ]
    return {"shifts": [_told(one, hidden) for one in tested], "alarms": called}


def _of_scores(rows: Windows, scores: tuple[np.ndarray, np.ndarray]) -> list[Shift]:
    """Compare the model's numbers of everybody, and within each group."""
    sides = rows.reference, rows.current
    return [*score_shifts(*sides, scores), *subgroup_score_shifts(*sides, scores)]
