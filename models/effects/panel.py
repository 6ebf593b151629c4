"""Companies by period, as a pandas frame: what the designs that compare companies are estimated from.

======= ======= ====================================================================================
column  type    meaning
======= ======= ====================================================================================
company str     pseudonym of the company, the cluster
period  int     consecutive whole numbers; a quarter is 4 * year + (quarter - 1)
outcome float   mean of the company in the period
weight  float   what the mean is of (agreed man-days, persons), above 0
start   float   first period with the intervention, of the whole company; NaN: never
======= ======= ====================================================================================

A company keeps its arm from its start on, whatever it completes or when it leaves. That is intention to treat only if ``start``
tells when companies were to begin, by allocation, and not when they did.
"""

from __future__ import annotations

import pandas as pd

from data_contracts.errors import NotEnoughDataError

COLUMNS = ("company", "period", "outcome", "weight", "start")
FEWEST_COMPANIES = 3
"""In each arm: below, leaving a company out says nothing about how much companies differ."""


def treated(panel: pd.DataFrame) -> pd.Series:
    """Return 1.0 for cells from the company's start on, else 0.0."""
    return (panel["period"] >= panel["start"]).astype(float)


def arms(panel: pd.DataFrame) -> tuple[int, int]:
    """Return how many companies have a start, and how many never do."""
    starts = panel.groupby("company")["start"].first()
    return int(starts.notna().sum()), int(starts.isna().sum())


def starts(panel: pd.DataFrame) -> list[int]:
    """Return the distinct starts, ascending."""
    return sorted(panel["start"].dropna().astype(int).unique().tolist())


def with_both_sides(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the panel without companies that have a start but no cell before it, or none from it on.

    They cannot be compared with themselves; a company that never starts stays.
    """
    is_after = panel["period"] >= panel["start"]
    both = is_after.groupby(panel["company"]).transform("nunique") == 2
    return panel[both | panel["start"].isna()]


def stacked(panel: pd.DataFrame) -> pd.DataFrame:
    """Return one panel per start, one below the other: its companies beside all that never start.

    No company is ever compared with one that has begun already, which is what goes wrong where starts differ and one
    regression is run over all (Goodman-Bacon 2021; stacking: Cengiz et al. 2019). Columns added: ``stack`` (the start),
    ``is_treated`` (arm), ``treated`` (from the start on) and ``relative`` (periods since the start of the stack).

    Raises
    ------
    NotEnoughDataError
        If an arm has fewer than ``FEWEST_COMPANIES`` companies.
    """
    usable = with_both_sides(panel)
    n_with, n_without = arms(usable)
    if min(n_with, n_without) < FEWEST_COMPANIES:
        raise NotEnoughDataError(
            f"{n_with} companies have the intervention with periods before and after its start, and {n_without} never have "
            f"it; difference in differences needs {FEWEST_COMPANIES} of each. Where all begin one after the other, choose "
            "--design stepped-wedge."
        )
    parts = []
    for start in starts(usable):
        part = usable[usable["start"].isna() | (usable["start"] == start)].copy()
        part["stack"], part["is_treated"] = start, part["start"].notna().astype(float)
        part["relative"] = part["period"] - start
        part["treated"] = part["is_treated"] * (part["relative"] >= 0)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
