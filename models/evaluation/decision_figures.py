"""What acting on the risks is worth and what it takes, as one picture: decision curve, and what a number of alerts finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from models.evaluation.figures import BLUE, GREY, ORANGE, canvas, save, title

_STYLES = (
    (0, (4, 2)),
    (0, (1, 1.5)),
    (0, (6, 2, 1, 2)),
    (0, (8, 3)),
    (0, (2, 3)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (5, 5)),
)
"""Dash patterns, for readers who tell models apart by shape."""

_LEAST_GAP = 3
"""Numbers beside marks that are closer than this would be written over each other."""


def draw_decision_curve(report: dict[str, Any], path: Path) -> None:
    """Draw ``decision_curve`` and ``capacity`` of a report as a PNG file.

    Parameters
    ----------
    report : dict
    path : Path
        Where to write; equal reports give equal bytes.
    """
    figure = canvas(11, 5.2)
    benefit, found = figure.subplots(1, 2, width_ratios=(3, 2))
    _benefit(benefit, report["decision_curve"], report["champion"])
    _capacity(found, report["capacity"]["by_alerts"])
    figure.suptitle(title(report))
    save(figure, path)


def _benefit(axes: Axes, curve: dict[str, Any], champion: str) -> None:
    at, curves = 100 * np.array(curve["thresholds"]), curve["net_benefit"]
    others = [name for name in curves if name not in (champion, "treat_all", "treat_none")]
    for place, name in enumerate(others):
        axes.plot(
            at, curves[name]["value"], color=GREY, linewidth=1, linestyle=_STYLES[place % len(_STYLES)], label=name
        )
    axes.plot(at, curves["treat_all"]["value"], color=ORANGE, linestyle="--", label="talk to everybody")
    axes.axhline(0, color="black", linewidth=0.8, label="talk to nobody")
    own = curves[champion]
    axes.fill_between(at, own["low"], own["high"], color=BLUE, alpha=0.15, linewidth=0, label="95 % interval")
    axes.plot(at, own["value"], color=BLUE, linewidth=2, label=f"{champion} (champion)")
    highest = max(*own["high"], *curves["treat_all"]["value"])
    axes.set(xlim=(at[0], at[-1]), ylim=(-0.15 * highest, 1.08 * highest), xlabel="threshold: risk from which one acts, %",
             ylabel="net benefit, events found per person", title="Is acting on the risk worth it?")  # fmt: skip
    axes.legend(loc="upper right", frameon=False, fontsize=8)


def _capacity(axes: Axes, rows: list[dict[str, Any]]) -> None:
    at = [row["alerts_per_100"] for row in rows]
    for name, label, colour, marker in (
        ("ppv", "of those contacted: have the event", BLUE, "D"),
        ("sensitivity", "of the events: found", ORANGE, "o"),
    ):
        value, low, high = (
            100 * np.array([row[name][part] for row in rows], float) for part in ("value", "low", "high")
        )
        axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(at, value, color=colour, marker=marker, markersize=5, label=label)
    written = -_LEAST_GAP
    for row in rows:
        place, needed = row["alerts_per_100"], row["number_needed_to_talk_to"]["value"]
        if needed is not None and place - written >= _LEAST_GAP:
            axes.annotate(f"{needed:.1f}", (place, 100 * row["ppv"]["value"]), xytext=(0, 7),
                          textcoords="offset points", ha="center", fontsize=8, color=BLUE)  # fmt: skip
            written = place
    axes.set(xlim=(0, max(at) * 1.05), ylim=(0, 100), xlabel="persons contacted, of 100", ylabel="share, %",
             title="What a number of talks finds\n(figures on the line: talks per event found)")  # fmt: skip
    axes.legend(loc="upper right", frameon=False, fontsize=8)
