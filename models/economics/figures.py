"""The tornado: how far each input moves the result, widest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.evaluation.figures import BLUE, GREY, ORANGE, canvas

_METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
"""Without date and version equal pictures are equal bytes."""


def draw_tornado(rows: Sequence[Mapping[str, Any]], base: float, title: str, places: Sequence[Path]) -> None:
    """Draw what :func:`models.economics.sensitivity.tornado` found.

    Parameters
    ----------
    rows : sequence of mapping
    base : float
        Kroner with all inputs at their values.
    title : str
    places : sequence of Path
        Files to write, PNG or SVG by their names.
    """
    figure = canvas(9, 1.4 + 0.42 * len(rows))
    axes = figure.add_subplot()
    for place, row in enumerate(reversed(rows)):
        for end, colour in (("low", ORANGE), ("high", BLUE)):
            reached = row[f"at_{end}_nok"]
            axes.barh(place, (reached - base) / 1000, left=base / 1000, color=colour, height=0.62)
            side = 1 if reached >= base else -1
            axes.annotate(f"{row[end]:,g}".replace(",", "\u202f"), (reached / 1000, place), (4 * side, 0),
                          textcoords="offset points", va="center", ha="left" if side > 0 else "right", fontsize=7)  # fmt: skip
    axes.axvline(base / 1000, color="black", linewidth=1)
    axes.axvline(0, color=GREY, linestyle="--", linewidth=0.8)
    axes.set(yticks=range(len(rows)), yticklabels=[row["input"].replace("_", " ") for row in reversed(rows)],
             xlabel="net benefit, thousand kroner (dashed: nothing gained, nothing lost)", title=title)  # fmt: skip
    axes.margins(x=0.12)
    for path in places:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120, metadata=_METADATA[path.suffix[1:]])
