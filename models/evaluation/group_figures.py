"""Companies, industries and groups of persons in pictures: one line each, what was measured and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from models.evaluation.figures import BLUE, GREY, ORANGE, canvas, save, title

MOST_COMPANIES = 40
"""More lines than this are not read; the average is of all."""

_MEASURES = (("auroc", "AUROC", 0.5, False), ("observed_to_expected", "observed : expected", 1.0, True),
             ("calibration_slope", "calibration slope", 1.0, False))  # fmt: skip
_WIDEST = {"auroc": (0.3, 1.0), "observed_to_expected": (0.25, 4.0), "calibration_slope": (-0.5, 2.5)}
"""Intervals that go further are cut at the edge of the picture."""


@dataclass(frozen=True)
class _Line:
    """One line of a forest: numbers by measure, None for a line that is only text."""

    label: str
    numbers: dict[str, Any] | None
    pooled: bool = False
    marked: bool = False
    heading: bool = False


def draw_forest(report: dict[str, Any], path: Path) -> None:
    """Draw ``internal_external`` of a report: industries, companies and their averages with prediction intervals.

    Parameters
    ----------
    report : dict
    path : Path
        Where to write; equal reports give equal bytes.
    """
    found = report["internal_external"]
    lines = []
    for part, what in (("by_industry", "industries"), ("by_company", "companies")):
        lines += _of_clusters(found.get(part, {"reason": found.get("reason", "")}), what)
    made_up = " (synthetic data)" if report["synthetic"] else ""
    heading = f"{report['outcome']}: learnt without them, judged in them; training period{made_up}"
    heading += "\naverage with its interval (blue), where a new one lies (orange, 95 %)"
    _draw(lines, _MEASURES, heading, path)


def draw_subgroups(report: dict[str, Any], path: Path) -> None:
    """Draw ``subgroups`` of a report, with the groups that ``harm`` names marked.

    Parameters
    ----------
    report : dict
    path : Path
        Where to write; equal reports give equal bytes.
    """
    named = {(one["attribute"], one["group"]) for one in report.get("harm", [])}
    lines = []
    for attribute in report["subgroups"]["attributes"]:
        lines.append(_Line(attribute["label_en"], None, heading=True))
        lines += [_of_group(group, (attribute["name"], group["name"]) in named) for group in attribute["groups"]]
    told = [one for one in _MEASURES if any(one[0] in (line.numbers or {}) for line in lines)]
    measures = told or _MEASURES[:1]  # every group may be hidden
    note = "\norange square: named as harmed by the stated rule" if named else ""
    _draw(lines, measures, title(report) + note, path)


def _of_clusters(found: dict[str, Any], what: str) -> list[_Line]:
    lines = [_Line(what.capitalize(), None, heading=True)]
    clusters = found.get("clusters", [])
    for one in clusters[:MOST_COMPANIES]:
        name = one.get("name", f"company {one['number']}").replace("_", " ")
        lines.append(_Line(_sized(name, one, "about "), one))
    if len(clusters) > MOST_COMPANIES:
        lines.append(_Line(f"and {len(clusters) - MOST_COMPANIES} more {what}", None))
    others = found.get("not_shown", {})
    if others.get("clusters"):
        label = f"not shown ({others['clusters']}), together"
        lines.append(_Line(_sized(label, others, "about ") if "rows" in others else label,
                           others if "rows" in others else None))  # fmt: skip
    if found.get("pooled"):
        lines.append(_Line(f"average of {what}", found["pooled"], pooled=True))
    elif "reason" in found:
        lines.append(
            _Line("no average: none is large enough" if clusters or others else "not done: see the report", None)
        )
    return lines


def _of_group(group: dict[str, Any], named: bool) -> _Line:
    if group.get("suppressed"):
        return _Line(f"{group['label_en']}: hidden", None)
    return _Line(_sized(group["label_en"], group), group, marked=named)


def _sized(label: str, one: dict[str, Any], about: str = "") -> str:
    return f"{label} ({about}{one['persons']} persons, {one['persons_with_event']} with the event)"


def _draw(lines: Sequence[_Line], measures: Sequence[tuple[str, str, float, bool]], heading: str, path: Path) -> None:
    figure = canvas(3.2 + 2.7 * len(measures), 1.6 + 0.21 * len(lines))
    columns = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for axes, (measure, label, ideal, logarithmic) in zip(columns, measures, strict=True):
        axes.axvline(ideal, color=GREY, linestyle=":", linewidth=1)
        for place, line in enumerate(lines):
            number = (line.numbers or {}).get(measure)
            if number and number["value"] is not None:
                _mark(axes, place, number, line)
        _scale(axes, measure, logarithmic)
        axes.set(xlabel=label, ylim=(len(lines) - 0.4, -0.6))
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    columns[0].set_yticks(range(len(lines)), [line.label for line in lines], fontsize=8)
    for text, line in zip(columns[0].get_yticklabels(), lines, strict=True):
        text.set_fontweight("bold" if line.heading or line.pooled else "normal")
    figure.suptitle(heading, fontsize=10)
    save(figure, path)


def _mark(axes: Axes, place: int, number: dict[str, Any], line: _Line) -> None:
    colour = ORANGE if line.marked else BLUE if line.pooled else GREY
    if number.get("prediction_low") is not None:
        ends = (number["prediction_low"], number["prediction_high"])
        axes.plot(ends, (place, place), color=ORANGE, linewidth=5, alpha=0.35, solid_capstyle="butt")
    if number["low"] is not None:
        axes.plot((number["low"], number["high"]), (place, place), color=colour, linewidth=2 if line.pooled else 1)
    marker = "s" if line.marked else "D" if line.pooled else "o"
    axes.plot(number["value"], place, color=colour, marker=marker, markersize=6 if line.pooled or line.marked else 4)


def _scale(axes: Axes, measure: str, logarithmic: bool) -> None:
    lowest, highest = _WIDEST[measure]
    low, high = axes.get_xlim()
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(max(low, lowest), min(high, highest))
