"""The section of ``docs/benchmarks.md`` about training beside other tools, from what ``benchmarks.training.run`` saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]
NAMES = {
    "flaml": "FLAML",
    "autogluon": "AutoGluon",
    "lightgbm": "LightGBM as it comes",
    "logistic": "logistic regression",
}
CHOSEN = {"WeightedEnsemble_L2": "weighted ensemble", "rf": "random forest", "lgbm": "LightGBM", "extra_tree": "extra trees",
          "xgboost": "XGBoost"}  # fmt: skip


def training_section(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the section."""
    busy = _BUSY if found["beside other work"] else ""
    yield from _EXPLAINED.format(busy=busy, **{name: found["versions"][name] for name in NAMES if name != "logistic"},
                                 sklearn=found["versions"]["scikit-learn"]).splitlines()  # fmt: skip
    for run in found["runs"]:
        yield ""
        yield from _run(run)


def _run(run: Row) -> Iterator[str]:
    sizes = [f"{run[name]:,}" for name in ("persons", "training_rows", "training_persons", "test_rows", "test_persons")]
    yield "### {} persons: {} training rows of {}, {} test rows of {} others".format(*sizes)
    yield ""
    yield "| tool | allowed, s | took, s | CPU s | chosen | AUROC | minus ours | log loss | minus ours | O:E | slope | ICI |"
    yield "|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|"
    for line in run["lines"]:
        yield _line(line)
    yield ""
    yield f"{run['test_events']:,} test rows with the event; load at the end {run['load']:.0f} on {run['cores']} cores."
    yield ""
    yield _verdict(run["lines"][0], [line for line in run["lines"][1:] if not line["problem"]])


def _line(line: Row) -> str:
    name = _name(line)
    allowed = "" if line["budget"] is None else f"{line['budget']:,.0f}"
    if line.get("problem"):
        said = line["problem"].split(": ", 1)[-1].split(". ")[0]
        return f"| {name} | {allowed} | | | {said} | | | | | | | |"
    is_ours = line["tool"] not in NAMES
    judged = [
        cell
        for one in ("auroc", "log_loss")
        for cell in (_interval(line[one]), "" if is_ours else _interval(line[f"{one}_minus_ours"], "+.3f"))
    ]
    took = [f"{line[one]:,.0f}" for one in ("seconds", "cpu_seconds")]
    shares = [f"{line[one]['value']:.2f}" for one in ("observed_to_expected", "calibration_slope")]
    chosen = CHOSEN.get(line["chosen"], line["chosen"])
    cells = (name, allowed, *took, chosen, *judged, *shares, f"{line['ici']['value']:.3f}")
    return f"| {' | '.join(cells)} |"


def _name(line: Row) -> str:
    times = "" if line["times"] is None else f", {line['times']:.0f} ×"
    return NAMES.get(line["tool"], line["tool"]) + times


def _interval(number: Row, digits: str = ".3f") -> str:
    return f"{number['value']:{digits}} ({number['low']:{digits}} to {number['high']:{digits}})"


def _verdict(ours: Row, rivals: list[Row]) -> str:
    """Where a rival is better and where it is worse, beyond chance; and who is calibrated more closely."""
    worse = [_name(line) for line in rivals if line["log_loss_minus_ours"]["low"] > 0]
    better = [_name(line) for line in rivals if line["log_loss_minus_ours"]["high"] < 0]
    ranks = [_name(line) for line in rivals if line["auroc_minus_ours"]["low"] > 0]
    closer = [_name(line) for line in rivals if line["ici"]["value"] < ours["ici"]["value"]]
    return (
        f"**Better than ours** beyond chance, by log loss: {_listed(better)}; by AUROC: {_listed(ranks)}. Risks closer to the "
        f"observed shares (ICI, not tested against chance): {_listed(closer)}. **Worse** beyond chance, by log loss: "
        f"{_listed(worse)}."
    )


def _listed(names: list[str]) -> str:
    return "; ".join(names) or "none"


_BUSY = """ **Other work ran on the same
cores,** and budgets are by the clock: where CPU seconds fall short of seconds, a tool got less than it was allowed, and
the times say little about speed."""
_EXPLAINED = """\
Long sick leave of SYNTHETIC persons, all 345 features, the same rows and person-grouped folds for everybody; judged on other
persons at later dates, intervals from 200 resamples of persons, differences paired. What ours takes (every candidate that the
persons can carry compared out of fold, the champion fitted, 20 refits for its intervals; one thread) is the budget of FLAML
{flaml} and AutoGluon {autogluon} (log loss, two processors; of AutoGluon's models LightGBM, random forest, extra trees and
linear), once and several times over; budgets longer than 300 s were left out. LightGBM {lightgbm} and logistic regression
(scikit-learn {sklearn}, after median imputation) are as they come. Ours leaves out models that so few persons cannot carry, so
it is quick; its rivals see all features at any size.{busy}\
"""
