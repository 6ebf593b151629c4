"""Pictures of the report: published numbers as points over simulated bars. Equal runs give equal bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.evaluation.figures import BLUE, GREY, NO_METADATA, ORANGE
from pipeline.simulation_check.judge import Judged
from pipeline.simulation_check.survey_tallies import BURNOUT, HISTOGRAM_EDGES
from pipeline.simulation_check.tallies import Tallies

Rows = dict[str, Judged]


def draw_figures(judged: list[Judged], tallies: Tallies, directory: Path) -> dict[str, str]:
    """Write all figures and return section -> file name."""
    return {section: draw_figure(section, judged, tallies, directory) for section in FIGURES}


def draw_figure(section: str, judged: list[Judged], tallies: Tallies, directory: Path) -> str:
    """Write the figure of one section and return its file name."""
    name, draw, size = FIGURES[section]
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure, {one.target.id: one for one in judged}, tallies)
    figure.savefig(directory / name, dpi=110, metadata=NO_METADATA)
    return name


def _bars(axes: Axes, rows: list[Judged], labels: list[str], y_label: str) -> None:
    """Draw simulated bars with their standard errors, and published points with the tolerance as whiskers."""
    places = np.arange(len(rows))
    measured = np.array([one.measured.value for one in rows])
    errors = np.array([one.measured.standard_error for one in rows])
    published = np.array([one.target.published for one in rows])
    bounds = np.array([[one.target.low, one.target.high] for one in rows]).T
    axes.bar(places, measured, yerr=errors, color=BLUE, alpha=0.55, label="simulated (SYNTHETIC), ± s.e.", ecolor=GREY)
    axes.errorbar(places + 0.18, published, yerr=np.abs(bounds - published), fmt="o", color=ORANGE, capsize=3,
                  label="published, tolerance")  # fmt: skip
    is_long = max(map(len, labels)) >= 7
    axes.set_xticks(places, labels, rotation=30 if is_long else 0, ha="right" if is_long else "center")
    axes.set_ylabel(y_label)


def _chosen(rows: Rows, prefix: str) -> tuple[list[Judged], list[str]]:
    ids = [one for one in rows if one.startswith(prefix)]
    return [rows[one] for one in ids], [one.removeprefix(prefix).replace("_", "-") for one in ids]


def _pair(figure: Figure, rows: Rows, parts: tuple[tuple[str, str, str], ...], title: str) -> None:
    for axes, (prefix, name, y_label) in zip(figure.subplots(1, len(parts)), parts, strict=True):
        _bars(axes, *_chosen(rows, prefix), y_label)
        axes.set_title(name, fontsize=10)
    figure.axes[0].legend(fontsize=8, loc="upper left")
    top = max(axes.get_ylim()[1] for axes in figure.axes)
    for axes in figure.axes:
        axes.set_ylim(0, top * 1.15)
    figure.suptitle(f"SYNTHETIC: {title}")


def _absence_by_age(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    parts = (
        ("certified_percent.age_", "both sexes, age in years", "certified absence, % of agreed days"),
        ("certified_percent.men.age_", "men, age in years", "certified absence, % of agreed days"),
    )
    _pair(figure, rows, parts, "certified absence by age")
    for axes in figure.axes:
        axes.tick_params(axis="x", labelsize=7)


def _absence_by_industry(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    axes = figure.subplots()
    chosen, _ = _chosen(rows, "certified_percent.industry_")
    names = [one.target.what.split(", ", 1)[1].split(" (")[0] for one in chosen]
    _bars(axes, chosen, names, "certified absence, % of agreed days")
    axes.legend(fontsize=8)
    figure.suptitle("SYNTHETIC: certified absence by industry")


def _season(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    parts = (
        ("season.certified.quarter_", "doctor-certified, calendar quarter", "days lost / mean of quarters"),
        ("season.self_certified.quarter_", "self-certified, calendar quarter", "days lost / mean of quarters"),
    )
    _pair(figure, rows, parts, "absence by season")


def _diagnoses(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    axes = figure.subplots(2, 1)
    for place, kind in zip(axes, ("days", "spells"), strict=True):
        chosen, names = _chosen(rows, f"diagnosis.{kind}.")
        kept = [(one, name) for one, name in zip(chosen, names, strict=True) if len(name) == 1 or name == "other"]
        _bars(place, [one for one, _ in kept], [name for _, name in kept], f"% of {kind}")
    axes[0].legend(fontsize=8)
    axes[1].set_xlabel("ICPC-2 chapter")
    figure.suptitle("SYNTHETIC: diagnoses of certified absence")


def _spell_lengths(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    axes, count = figure.subplots(), tallies.sums["spells"]["days"]
    lasting = 100 * (1 - np.cumsum(count) / count.sum())
    days = np.arange(len(count))
    axes.step(days[1:367], lasting[1:367], where="post", color=BLUE, label="simulated (SYNTHETIC)")
    for limit, one in ((16, "spells.share_up_to_16_days"), (56, "spells.share_up_to_56_days")):
        target = rows[one].target
        axes.errorbar(limit, 100 - target.published, yerr=target.leeway, fmt="o", color=ORANGE, capsize=3)
    target = rows["spells.share_over_90_days"].target
    axes.errorbar(
        90, target.published, yerr=target.leeway, fmt="o", color=ORANGE, capsize=3, label="published, tolerance"
    )
    axes.set_xscale("log")
    axes.set_xticks([1, 2, 4, 8, 16, 56, 90, 365], ["1", "2", "4", "8", "16", "56", "90", "365"], minor=False)
    axes.set_xlabel("days since the spell began (logarithmic)")
    axes.set_ylabel("certified spells that last longer, %")
    axes.legend(fontsize=8)
    figure.suptitle("SYNTHETIC: how long certified spells last")


def _burnout_scales(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    width = HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]
    for axes, name, count in zip(figure.subplots(1, 3), BURNOUT, tallies.sums["survey"]["histograms"], strict=True):
        share = 100 * count / max(count.sum(), 1)
        axes.bar(HISTOGRAM_EDGES[:-1], share, width=width, align="edge", color=BLUE, alpha=0.55,
                 label="simulated (SYNTHETIC)")  # fmt: skip
        mean, spread = (rows[f"scale_{kind}.{name}"].target.published for kind in ("mean", "sd"))
        axes.errorbar(
            mean, share.max() * 1.08, xerr=spread, fmt="o", color=ORANGE, capsize=3, label="published mean ± SD"
        )
        found = rows[f"scale_mean.{name}"].measured.value, rows[f"scale_sd.{name}"].measured.value
        axes.errorbar(
            found[0], share.max() * 1.16, xerr=found[1], fmt="s", color=BLUE, capsize=3, label="simulated mean ± SD"
        )
        axes.set_xlabel(f"{name.replace('_', ' ').replace('cbi', 'CBI')}, points")
        axes.set_ylim(0, share.max() * 1.6)
    figure.axes[0].set_ylabel("answers, %")
    figure.axes[-1].legend(fontsize=7)
    figure.suptitle("SYNTHETIC: Copenhagen Burnout Inventory")


def _health_checks(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    axes = figure.subplots()
    chosen, _ = _chosen(rows, "lab_mean.")
    spreads = [rows[one.target.id.replace("lab_mean", "lab_sd")].target.published for one in chosen]
    away = [(one.measured.value - one.target.published) / spread for one, spread in zip(chosen, spreads, strict=True)]
    allowed = [one.target.leeway / spread for one, spread in zip(chosen, spreads, strict=True)]
    places = np.arange(len(chosen))
    axes.errorbar(
        np.zeros(len(chosen)), places, xerr=allowed, fmt="o", color=ORANGE, capsize=3, label="published, tolerance"
    )
    axes.plot(away, places, "s", color=BLUE, label="simulated (SYNTHETIC)")
    axes.set_yticks(places, [one.target.what for one in chosen])
    axes.set_xlim(-0.6, 0.6)
    axes.set_xlabel("distance from the published mean, in published SD")
    axes.legend(fontsize=8, loc="lower right")
    figure.suptitle("SYNTHETIC: means at the health check")


def _truth(figure: Figure, rows: Rows, tallies: Tallies) -> None:
    calibration, ladder = figure.subplots(1, 2)
    _calibration(calibration, tallies.sums["truth"]["by_risk"])
    chosen, names = _chosen(rows, "auroc.")
    _bars(ladder, chosen, names, "AUROC, long sick leave within a year")
    ladder.set_ylim(0.5, 0.9)
    ladder.legend(fontsize=8)
    figure.suptitle("SYNTHETIC: do the true risks come true, and how much of them do models find")


def _calibration(axes: Axes, by_risk: np.ndarray, groups: int = 10) -> None:
    """Draw observed against true risk in tenths of the rows."""
    rows, events, risks = by_risk
    filled = rows > 0
    tenth = np.minimum((np.cumsum(rows) - rows / 2) * groups // max(rows.sum(), 1), groups - 1)[filled].astype(int)
    size, observed, expected = (np.bincount(tenth, part[filled], minlength=groups) for part in (rows, events, risks))
    here = size > 0
    found: Any = 100 * observed[here] / size[here]
    risk = 100 * expected[here] / size[here]
    end = 1.1 * max(found.max(initial=1), risk.max(initial=1))
    axes.plot([0, end], [0, end], color=GREY, linestyle="--", label="ideal: slope 1")
    error = np.sqrt(np.maximum(found * (100 - found), 1) / size[here])
    axes.errorbar(
        risk, found, yerr=1.96 * error, fmt="s", color=BLUE, capsize=3, label="tenths of the cohort, 95 % interval"
    )
    axes.set_xlabel("true risk, %")
    axes.set_ylabel("had a long sick leave, %")
    axes.legend(fontsize=8)


FIGURES: dict[str, tuple[str, Callable[[Figure, Rows, Tallies], None], tuple[float, float]]] = {
    "absence_by_age": ("absence_by_age.png", _absence_by_age, (9, 4)),
    "absence_by_industry": ("absence_by_industry.png", _absence_by_industry, (9, 4)),
    "season": ("season.png", _season, (9, 3.6)),
    "spells": ("spell_lengths.png", _spell_lengths, (7, 4)),
    "diagnoses": ("diagnoses.png", _diagnoses, (9, 4)),
    "scales": ("burnout_scales.png", _burnout_scales, (10, 3.6)),
    "labs": ("health_checks.png", _health_checks, (7, 4.5)),
    "truth": ("truth.png", _truth, (10, 4.4)),
}
"""Section of targets.yaml -> file name, what draws it, size in inches."""
