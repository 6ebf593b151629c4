"""What regression to the mean alone would do to a group that began far from the rest.

A group whose baseline lies off the mean of where it comes from moves back by ``1 - r`` of the distance, r being the
correlation between the two measurements in the absence of any effect (Davis 1976, Am J Epidemiol 104:493; Barnett, van der
Pols & Dobson 2005, Int J Epidemiol 34:215, equal spread before and after).
"""

from __future__ import annotations


def expected_change(baseline: float, mean: float, correlation: float) -> float:
    """Return the change that is expected of a group with this baseline, without any effect."""
    return (1 - correlation) * (mean - baseline)


def part_of_difference(baseline_with: float, baseline_without: float, correlation: float) -> float:
    """Return the part of the difference in change (without minus with) that the difference at baseline brings.

    Both arms come from one population, as randomisation has it, so its mean cancels out.
    """
    return (1 - correlation) * (baseline_with - baseline_without)


def correlation_that_explains(difference: float, baseline_with: float, baseline_without: float) -> float:
    """Return the correlation at and below which the imbalance alone brings all of the difference in change."""
    return 1 - difference / (baseline_with - baseline_without)
