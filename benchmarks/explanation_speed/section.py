"""The section of ``docs/benchmarks.md`` about explaining one person, from what ``benchmarks.explanation_speed.run`` saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def explaining_section(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the section."""
    yield from _EXPLAINED.format(
        **{name: found[name] for name in ("features", "trees", "persons", "training_rows")},
        background=found["background_rows"],
        apart=_apart(found["uncalibrated"]),
        **{tool: pinned[tool] for tool, pinned in found["versions"].items()},
    ).splitlines()
    yield ""
    yield "| tool | model | ms a row, median | rows | set-up, s | largest gap in probability | |"
    yield "|---|---|---:|---:|---:|---:|---|"
    for line in found["lines"]:
        time = "" if line["ms_per_row"] is None else f"{line['ms_per_row']:,.1f}"
        gap = "" if line["largest_gap"] is None else f"{line['largest_gap']:.2g}"
        set_up = "" if line["setup_seconds"] is None else f"{line['setup_seconds']:.2f}"
        said = "; ".join(part for part in (line["note"], line["problem"]) if part)
        yield f"| {line['tool']} | {line['model']} | {time} | {line['rows']} | {set_up} | {gap} | {said} |"


def _apart(uncalibrated: dict[str, dict[str, float]]) -> str:
    gaps = [found["largest_gap"] for found in uncalibrated.values() if "largest_gap" in found]
    return f" (up to {max(gaps):.2f} away from `single`)" if gaps else ""


_EXPLAINED = """\
The same LightGBM ({trees} trees, {features} features, {training_rows:,} rows of {persons:,} SYNTHETIC persons) and the same
held-out rows, on one thread. The gap is between the probability that a tool shows and the one rebuilt from its
base and the contributions beside it. Ours is calibrated by a line on out-of-fold log-odds, and the time includes all reasons in
words in two languages. Shapash {shapash} and explainerdashboard {explainerdashboard} get scikit-learn's sigmoid: `ensemble` is
its default (a booster and a sigmoid per fold, averaged), `single` one booster for all, `frozen` a booster fitted before; they
compare a person with {background} held-out rows.

Shapash adds up on a calibrated model, in probability, by asking the model hundreds of times for each row; its predictor for
production refuses such a model. explainerdashboard is fast and explains the first booster inside an `ensemble` or a `single`
model, without its sigmoid, beside the calibrated probability; in a `frozen` one it does not see the booster, asks many times
as well, and adds up. On the `uncalibrated` model both agree with what they show, which is not the calibrated risk{apart}.\
"""
