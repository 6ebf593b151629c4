"""How much of the attainable a model reaches, where the data are synthetic and their true risks are known.

*Truth* is the risk given everything the simulator knows, *attainable* its expectation given what a model may see. A
model's AUROC counts from 0.5, its net benefit from the better of treating all and treating nobody. Net benefits and
``expected_auroc`` are expectations over the true risks, without the noise of who happened to have the event. Read the
shares of these: by chance ``share_of_attainable_auroc``, of the events that happened, can be above 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.net_benefit import net_benefit
from models.outcomes import OUTCOMES
from models.outcomes.long_sick_leave import LongSickLeave
from models.outcomes.outcome import Outcome
from models.risk_model import risk_of
from pipeline.simulation.truth.known_risks import ABSENT, KnownRisks

THRESHOLDS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
ONLY_SYNTHETIC = "True risks exist for synthetic data alone; on real data nobody knows them."
HOW_TO_GET_TRUTH = (
    "Nothing is compared with the truth: {reason}. The simulator writes truth/truth.csv beside its source files, for the "
    "first day of every quarter; training.first_index_date must be such a day, and training.months_between 3, 6 or 12."
)
NO_SUCH_TRUTH = "Nothing is compared with the truth: the simulator knows no truth of {outcome}; it knows: {known}."
HOW_TO_GET_ATTAINABLE = "No share of the attainable: {reason}. Make it with: balance-risk simulate --attainable"
NO_SUCH_ATTAINABLE = "No share of the attainable: truth/attainable.csv holds no {outcome}; it holds: {known}."
LABELS_DISAGREE = (
    "The labels do not agree with the true risks: {events:.0f} events where {expected:.0f} are expected ({ratio:.2f} times). "
    "Models learn what the labels say, so the shares do not tell how good they are."
)
AGREEMENT, CHANCE = (0.85, 1.15), 2.0
"""Observed over expected events outside this range, and more standard errors off than chance allows, are said."""

_EDGE = 1e-6
"""Risks are rounded in the files; this keeps their log-odds finite."""


@dataclass(frozen=True)
class TestRows:
    """Test rows with an observed label, and what the models say of them.

    Parameters
    ----------
    person_ids : str array, shape (n_persons,)
    person, t : int arrays, shape (n,)
        Position in ``person_ids`` and index date.
    y, weight : float64 arrays, shape (n,)
    log_odds : mapping of model name to float64 array, shape (n,)
    """

    __test__ = False  # not a test case, whatever its name begins with

    person_ids: np.ndarray
    person: np.ndarray
    t: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    log_odds: Mapping[str, np.ndarray]

    def take(self, chosen: np.ndarray) -> TestRows:
        """Return the chosen rows."""
        log_odds = {name: values[chosen] for name, values in self.log_odds.items()}
        return TestRows(
            self.person_ids, self.person[chosen], self.t[chosen], self.y[chosen], self.weight[chosen], log_odds
        )


def truth_column(outcome: Outcome) -> str:
    """Return what the simulator calls the truth of an outcome with these parameters; it need not know one.

    Its events are long absences of any chapter, of more than 16, 56 or 90 days, and of chapter P or L of more than 16, all
    within 365 days. Longer ones are named by their days, as an outcome of another horizon is here.
    """
    column, usual = outcome.name, OUTCOMES[outcome.name]
    if isinstance(outcome, LongSickLeave) and outcome.min_days != LongSickLeave.min_days:
        column += f"_{outcome.min_days}"
    return column if outcome.horizon_days == usual.horizon_days else f"{column} within {outcome.horizon_days} days"


def against_truth(truth: Path, outcome: str, rows: TestRows) -> dict[str, Any]:
    """Compare models with the true and the attainable risks in the directory ``truth``.

    Returns
    -------
    dict of JSON values: ``rows``, ``rows_without_truth``, ``rows_without_attainable``, ``truth`` and ``attainable`` (their
    AUROC), ``models`` (name -> numbers) and ``notes``. With no row to compare it has nothing but ``notes``.
    """
    if not (truth / "truth.csv").exists():
        return {"notes": [HOW_TO_GET_TRUTH.format(reason=f"{truth / 'truth.csv'} is not there")]}
    risks = KnownRisks.read(truth / "truth.csv")
    if outcome not in risks.columns:
        return {"notes": [NO_SUCH_TRUTH.format(outcome=outcome, known=_outcomes(risks))]}
    true_risk = _joined(risks, outcome, rows)
    known = np.isfinite(true_risk)
    if not known.any():
        return {"notes": [HOW_TO_GET_TRUTH.format(reason="no test row has a true risk")]}
    best, notes = _attainable(truth / "attainable.csv", outcome, rows, known)
    without_attainable = int((known & ~np.isfinite(best)).sum())
    if not notes:
        known &= np.isfinite(best)
    comparison = _Comparison(rows.take(known), true_risk[known], best[known])
    return {
        "rows": int(known.sum()),
        "rows_without_truth": int(np.isnan(true_risk).sum()),
        "rows_without_attainable": without_attainable,
        **comparison.found(),
        "notes": [ONLY_SYNTHETIC, *notes, *_disagreement(comparison.rows, comparison.truth)],
    }


def _attainable(path: Path, outcome: str, rows: TestRows, known: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the attainable risk of each row, and why there is none where not one known row has it."""
    nothing = np.full(len(rows.t), np.nan)
    if not path.exists():
        return nothing, [HOW_TO_GET_ATTAINABLE.format(reason="truth/attainable.csv is not there")]
    risks = KnownRisks.read(path)
    if outcome not in risks.columns:
        return nothing, [NO_SUCH_ATTAINABLE.format(outcome=outcome, known=_outcomes(risks))]
    best = _joined(risks, outcome, rows)
    if np.isfinite(best[known]).any():
        return best, []
    return best, [HOW_TO_GET_ATTAINABLE.format(reason="truth/attainable.csv has none of the test rows")]


def _outcomes(risks: KnownRisks) -> str:
    return ", ".join(name for name, column in risks.columns.items() if column.dtype != bool)


def _joined(risks: KnownRisks, outcome: str, rows: TestRows) -> np.ndarray:
    """Return the risk of each row, NaN where the pair is not there."""
    found = risks.rows(rows.person_ids, rows.person, rows.t)
    joined = np.full(len(rows.t), np.nan)
    joined[found != ABSENT] = risks.columns[outcome][found[found != ABSENT]]
    return joined


def _disagreement(rows: TestRows, truth: np.ndarray) -> list[str]:
    """Say so if the labels are about something else than the truth, as with rows that are registered late or leak."""
    events, expected = float(rows.weight @ rows.y), float(rows.weight @ truth)
    error = np.sqrt(rows.weight**2 @ (truth * (1 - truth)))
    if AGREEMENT[0] * expected <= events <= AGREEMENT[1] * expected or abs(events - expected) <= CHANCE * error:
        return []
    return [LABELS_DISAGREE.format(events=events, expected=expected, ratio=events / max(expected, _EDGE))]


@dataclass(frozen=True)
class _Comparison:
    """Rows that have a true risk, and either all or none an attainable one."""

    rows: TestRows
    truth: np.ndarray
    best: np.ndarray

    @property
    def has_best(self) -> bool:
        return bool(np.isfinite(self.best).all())

    def found(self) -> dict[str, Any]:
        known = {"truth": self._aurocs(self.truth)}
        if self.has_best:
            known["attainable"] = self._aurocs(self.best)
        models = {name: self._of_model(log_odds, known) for name, log_odds in self.rows.log_odds.items()}
        return {**known, "models": models}

    def _aurocs(self, risks: np.ndarray) -> dict[str, float]:
        ranking, weight = Ranking.of(risks), self.rows.weight[None]
        return {
            "auroc": float(auroc(ranking, self.rows.y, weight)[0]),
            "expected_auroc": float(auroc(ranking, self.truth, weight)[0]),
        }

    def _of_model(self, log_odds: np.ndarray, known: dict[str, dict[str, float]]) -> dict[str, Any]:
        risks, weight = risk_of(log_odds), self.rows.weight
        numbers: dict[str, Any] = self._aurocs(log_odds)
        numbers |= {
            "mean_risk": _mean(risks, weight),
            "mean_true_risk": _mean(self.truth, weight),
            "mean_absolute_error_to_truth": _mean(np.abs(risks - self.truth), weight),
            "net_benefit": [self._net_benefit(risks, threshold) for threshold in THRESHOLDS],
        }
        if self.has_best:
            numbers |= {
                f"share_of_attainable_{name}": _share(numbers[name] - 0.5, known["attainable"][name] - 0.5)
                for name in ("auroc", "expected_auroc")
            }
            numbers["mean_absolute_error_to_attainable"] = _mean(np.abs(risks - self.best), weight)
            numbers["slope_of_attainable"] = _slope(log_odds, _log_odds(self.best), weight)
        return numbers

    def _net_benefit(self, risks: np.ndarray, threshold: float) -> dict[str, Any]:
        """Net benefit in expectation, what treating all gives, and the share of the attainable gain over the default.

        The share is 0 where treating all or nobody is at least as good as the model, and null where it is as good as the
        attainable: there is nothing to reach.
        """
        model = _expected_net_benefit(risks, self.truth, self.rows.weight, threshold)
        all_treated = _expected_net_benefit(np.ones_like(risks), self.truth, self.rows.weight, threshold)
        default = max(0.0, all_treated)
        found: dict[str, Any] = {"threshold": threshold, "model": model, "treat_all": all_treated}
        found["default_is_better"] = bool(model <= default)
        if self.has_best:
            found["attainable"] = _expected_net_benefit(self.best, self.truth, self.rows.weight, threshold)
            found["share_of_attainable"] = _share(max(0.0, model - default), found["attainable"] - default)
        return found


def _expected_net_benefit(risks: np.ndarray, truth: np.ndarray, weight: np.ndarray, threshold: float) -> float:
    """Net benefit in expectation over the true risks, which stand where events stand elsewhere."""
    return float(net_benefit(risks, truth, weight[None], np.array([threshold]))[0, 0])


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    return float(np.average(values, weights=weight))


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _log_odds(risks: np.ndarray) -> np.ndarray:
    held = np.clip(risks, _EDGE, 1 - _EDGE)
    return np.log(held / (1 - held))


def _slope(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float | None:
    """Slope of the least-squares line of y on x; 1 is ideal, below 1: the model's risks are too extreme."""
    deviation = x - np.average(x, weights=weight)
    variance = np.average(deviation**2, weights=weight)
    return float(np.average(deviation * y, weights=weight) / variance) if variance > 0 else None


def lines(found: dict[str, Any], champion: str) -> list[str]:
    """Say the essentials of the champion in a few lines."""
    notes = [f"    note: {note}" for note in found["notes"]]
    if "models" not in found:
        return notes
    model = found["models"][champion]
    told = [
        f"    against the truth, {found['rows']} rows: expected AUROC of the champion {model['expected_auroc']:.3f}"
    ]
    told[0] += f", truth {found['truth']['expected_auroc']:.3f}"
    if "attainable" in found:
        told[0] += f", attainable {found['attainable']['expected_auroc']:.3f}"
        shares = ", ".join(
            f"{_percent(one['share_of_attainable'])} at {one['threshold']:.2f}" for one in model["net_benefit"]
        )
        reached = _percent(model["share_of_attainable_expected_auroc"])
        told.append(f"    the champion reaches {reached} of the attainable AUROC above 0.5; net benefit {shares}")
        told.append(
            f"    risk: off the attainable by {model['mean_absolute_error_to_attainable']:.3f} on average, "
            f"mean {model['mean_risk']:.3f} where the truth has {model['mean_true_risk']:.3f}"
        )
    return told + notes


def _percent(share: float | None) -> str:
    return "nothing to reach" if share is None else f"{share:.0%}"
