"""The effect by period since the start, with the periods before it as a check of the comparison; and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data_contracts.errors import NotEnoughDataError
from models.effects.clustered import coefficients, fit
from models.effects.panel import FEWEST_COMPANIES, stacked
from models.evaluation.figures import BLUE, GREY, ORANGE, canvas, save


@dataclass(frozen=True)
class PeriodEffect:
    """Difference between the arms, ``relative`` periods after the start, with its 95 % interval; 0 in the reference."""

    relative: int
    effect: float
    low: float
    high: float


def event_study(panel: pd.DataFrame) -> list[PeriodEffect]:
    """Estimate the effect of every period relative to the start, against the last period before it that is told.

    Periods of which fewer than ``FEWEST_COMPANIES`` companies with the intervention tell are left out with their cells.

    Raises
    ------
    NotEnoughDataError
        If an arm has too few companies, or too few have a cell before their start.
    """
    frame = stacked(panel)
    counts = frame[frame["is_treated"] == 1].groupby("relative")["company"].nunique()
    kept = counts.index[counts >= FEWEST_COMPANIES].astype(int).tolist()
    if not kept or min(kept) >= 0:
        raise NotEnoughDataError(
            f"No period before the start is told by {FEWEST_COMPANIES} companies; an event study has nothing to stand on."
        )
    reference = max(relative for relative in kept if relative < 0)
    frame = frame[(frame["is_treated"] == 0) | frame["relative"].isin(kept)].copy()
    others = {relative: f"at_{relative}".replace("-", "minus_") for relative in sorted(kept) if relative != reference}
    for relative, name in others.items():
        frame[name] = frame["is_treated"] * (frame["relative"] == relative)
    found = coefficients(fit(frame, [*others.values()]), [*others.values()])
    effects = [
        PeriodEffect(relative, *numbers)
        for relative, numbers in zip(others, found[["effect", "low", "high"]].to_numpy(float).tolist(), strict=True)
    ]
    return sorted([*effects, PeriodEffect(reference, 0.0, 0.0, 0.0)], key=lambda one: one.relative)


def draw_event_study(effects: list[PeriodEffect], measure: str, path: Path, *, synthetic: bool) -> None:
    """Draw the effects as a PNG file; equal effects give equal bytes.

    Parameters
    ----------
    effects : list of PeriodEffect
    measure : str
        What the effect is of, with its unit.
    path : Path
    synthetic : bool
        True: said in the title.
    """
    figure = canvas(9, 4.8)
    axes = figure.subplots()
    for is_after, colour, marker, label in ((False, GREY, "o", "before the start"), (True, BLUE, "D", "after it")):
        chosen = [one for one in effects if (one.relative >= 0) is is_after]
        at, value = [one.relative for one in chosen], [one.effect for one in chosen]
        spread = [[one.effect - one.low for one in chosen], [one.high - one.effect for one in chosen]]
        axes.errorbar(at, value, yerr=spread, color=colour, fmt=marker, capsize=3, label=f"{label}, 95 % interval")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(-0.5, color=ORANGE, linestyle="--", linewidth=1, label="start")
    axes.set(xlabel="periods since the start", ylabel=f"difference, {measure}")
    axes.legend(frameon=False, fontsize=8)
    figure.suptitle(f"Companies with the intervention against those without{' (SYNTHETIC data)' if synthetic else ''}")
    save(figure, path)
