"""The picture of docs/scale.md: seconds of every stage by persons, both logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

COLOURS = ("#1b5e8c", "#c98500", "#7a7a7a", "#a8577e", "#3d7d4c", "#000000", "#b0482a", "#6fa8d0")


def draw(runs: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw what was measured; a stage that failed has a cross where it was ended."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    names = dict.fromkeys(run["stage"] for run in sorted(runs, key=lambda run: run["persons"]))
    for name, colour in zip(names, COLOURS, strict=False):
        mine = sorted((run for run in runs if run["stage"] == name), key=lambda run: run["persons"])
        done, failed = ([run for run in mine if bool(run["problem"]) == is_failed] for is_failed in (False, True))
        axes.plot(*_points(done), "o-", color=colour, label=name)
        axes.plot(*_points(failed), "x", color=colour, markersize=9)
    axes.set(xscale="log", yscale="log", xlabel="SYNTHETIC persons", ylabel="seconds (cross: ended, failed)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(figure)


def _points(runs: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    return [run["persons"] for run in runs], [run["seconds"] for run in runs]
