"""The evaluation in pictures: first the champion's calibration, the spread of its risks, everybody's discrimination."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
"""Told apart by colour-blind readers and in black and white (shape and position repeat what colour says)."""

NO_METADATA: dict[str, Any] = {"Software": None}
"""Without the version of the library in the file, equal pictures are equal bytes."""


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the report of :func:`models.evaluation.report.evaluate` as a PNG file.

    Parameters
    ----------
    report : dict
    path : Path
        Where to write; equal reports give equal bytes.
    """
    figure = canvas(11, 5.2)
    curve, histogram, discrimination = (figure.add_subplot(place) for place in _places(figure))
    _calibration(curve, report)
    _spread(histogram, report)
    _discrimination(discrimination, report)
    figure.suptitle(title(report))
    save(figure, path)


def canvas(width: float, height: float) -> Figure:
    """Return an empty sheet, in inches, that is drawn without a screen."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write the sheet as a PNG file; equal sheets give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata=NO_METADATA)


def _places(figure: Figure) -> list[Any]:
    grid = figure.add_gridspec(3, 2, width_ratios=(3, 2))
    return [grid[:2, 0], grid[2, 0], grid[:, 1]]


def title(report: dict[str, Any]) -> str:
    """Say the outcome, on how much it was judged, and whether the data are synthetic."""
    test = report["test"]
    made_up = " (synthetic data)" if report["synthetic"] else ""
    return (
        f"{report['outcome']}: {test['rows']} test rows of {test['persons']} persons, {test['events']} events{made_up}"
    )


def _calibration(axes: Axes, report: dict[str, Any]) -> None:
    risk, observed = (np.array(report["curve"][name]) for name in ("risk", "observed"))
    found = report["models"][report["champion"]]
    end = min(1.0, 1.1 * max(risk.max(), observed.max()))
    axes.plot([0, end], [0, end], color=GREY, linestyle="--", label="ideal")
    axes.plot(risk, observed, color=BLUE, label="observed, smoothed")
    numbers = [f"{label} {with_interval(found[name])}" for label, name in _SHOWN if name in found]
    axes.text(0.98, 0.04, "\n".join(numbers), transform=axes.transAxes, ha="right", va="bottom", fontsize=8)
    axes.set(xlim=(0, end), ylim=(0, end), ylabel="observed share", title=f"Calibration of {report['champion']}")
    axes.legend(loc="upper left", frameon=False)


_SHOWN = (
    ("slope", "calibration_slope"),
    ("intercept", "calibration_in_the_large"),
    ("O:E", "observed_to_expected"),
    ("ICI", "ici"),
    ("E90", "e90"),
    ("scaled Brier", "scaled_brier"),
)


def with_interval(number: dict[str, float | None]) -> str:
    """Write a number with its interval."""
    value, low, high = ("?" if number[part] is None else f"{number[part]:.3f}" for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _spread(axes: Axes, report: dict[str, Any]) -> None:
    """Draw how many rows have each risk: those with an event upwards, the others downwards, each as a share."""
    histogram, end = report["histogram"], 1.1 * max(*report["curve"]["risk"], *report["curve"]["observed"])
    edges = np.array(histogram["edges"])
    for name, sign, colour in (("events", 1, ORANGE), ("non_events", -1, BLUE)):
        counts = np.array(histogram[name])
        axes.bar(edges[:-1], sign * counts / max(counts.sum(), 1), np.diff(edges), align="edge", color=colour,
                 label=name.replace("_", "-"))  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set(xlim=(0, min(1.0, end)), xlabel="risk", ylabel="share of group")
    axes.legend(loc="upper right", frameon=False, fontsize=8)


def _discrimination(axes: Axes, report: dict[str, Any]) -> None:
    models = report["models"]
    for place, (name, found) in enumerate(models.items()):
        area = found["auroc"]
        is_champion = name == report["champion"]
        axes.plot([area["low"], area["high"]], [place, place], color=BLUE if is_champion else GREY)
        axes.plot(area["value"], place, marker="D" if is_champion else "o", color=BLUE if is_champion else GREY)
        axes.annotate(with_interval(area), (area["value"], place), xytext=(0, 6), textcoords="offset points",
                      ha="center", fontsize=8)  # fmt: skip
    axes.axvline(0.5, color=GREY, linestyle=":")
    axes.set_yticks(range(len(models)), [f"{name} *" if name == report["champion"] else name for name in models])
    axes.set(xlabel="AUROC, 95 % interval", title="Discrimination (* champion)", ylim=(-0.6, len(models) - 0.4))
