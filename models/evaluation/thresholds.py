"""The threshold that an outcome is judged at, and its name wherever a number at a threshold is kept; nothing to import."""

from __future__ import annotations

LEAST, MOST = 0.005, 0.99


def working_threshold(share: float) -> float:
    """Return the share of events to two significant digits, and never 0.

    At the share of events acting on all and on none are equally good.
    """
    return min(max(float(f"{share:.2g}"), LEAST), MOST)


def shown_threshold(threshold: float) -> str:
    """Return a threshold as text: two decimals, or as many as it has."""
    return max(f"{threshold:.2f}", f"{threshold:g}", key=len)


def key_at(threshold: float) -> str:
    """Return the name of the net benefit at a threshold, for example ``net_benefit_at_0.20``."""
    return f"net_benefit_at_{shown_threshold(threshold)}"
