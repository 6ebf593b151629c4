"""What the verb effect prints."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.effects.estimate import Estimate
from models.effects.event_study import PeriodEffect


def published_lines(found: dict[str, Any]) -> list[str]:
    """Say what the published trial shows and leaves open."""
    days, mean, change = (
        found[name]
        for name in ("workdays_gained_per_full_time_year", "regression_to_the_mean", "change_percentage_points")
    )
    lines = [
        "effect, from the published arm means of the HelseIArbeid trial",
        f"  difference in change, 2019 to 2022: {found['difference_in_change_percentage_points']:.1f} percentage points "
        f"({change['with']:+.1f} with, {change['without']:+.1f} without)",
        f"  over {found['years']} years {found['percentage_point_years']:.1f} percentage-point years: {days['low']:.1f} to "
        f"{days['high']:.1f} workdays gained per full-time year",
        f"  the arms differed by {mean['baseline_difference_percentage_points']:.1f} points before; regression to the mean "
        "could explain, by the correlation of a workplace's absence in 2019 with that in 2022:",
    ]
    lines += [
        f"    correlation {row['correlation']}: {row['part_percentage_points']:.2f} points; left "
        f"{row['left_in_2022_percentage_points']:+.2f} in 2022"
        for row in mean["by_correlation"]
    ]
    lines.append(f"    all of it at a correlation of {mean['explains_all_at_correlation']} or less")
    lines.append(f"    {mean['same_in_all_years']}")
    lines.append(
        "  the interval excludes 0 only if the change differs between workplaces with an SD below "
        f"{found['interval']['excludes_zero_if_sd_of_change_is_below_percentage_points']} points"
    )
    return lines + [f"  cannot be computed: {reason}" for reason in found["cannot_be_computed"]]


def planned_lines(found: dict[str, Any]) -> list[str]:
    """Say what designs can show."""
    clusters = found["clusters"]
    lines = [f"effect, what {clusters['companies']} companies of {clusters['persons']:g} persons can show (80 % power)"]
    for design, row in found["designs"].items():
        told = "" if row["power"] is None else f"; power for {found['effect']:g}: {row['power']:.2f}"
        lines.append(f"  {design:<23} {row['periods']} period(s): least effect {row['least_effect']:.2f}{told}")
    return [*lines, f"  design effect of clustering {found['design_effect']:.2f}; each period asks other persons"]


def estimate_lines(estimate: Estimate, about: dict[str, Any]) -> list[str]:
    """Say an estimate with what belongs to its design."""
    lines = [
        f"effect by {estimate.design} on {about['measure']}{', SYNTHETIC' if about['synthetic'] else ''}",
        f"  {estimate.effect:+.2f} (95 % interval {estimate.low:+.2f} to {estimate.high:+.2f}; p {estimate.p:.3f})",
        f"  {estimate.n} {estimate.counted}, {estimate.n_with} of them with; {estimate.method}",
        *_details(estimate.details),
        *left_out_lines(about.get("left_out", {})),
    ]
    return lines + [f"  note: {note}" for note in estimate.notes]


def period_lines(periods: list[PeriodEffect], about: dict[str, Any], picture: Path) -> list[str]:
    """Say the effects by period."""
    lines = [f"effect by period since the start on {about['measure']}{', SYNTHETIC' if about['synthetic'] else ''}"]
    lines += [f"  {one.relative:+3d}: {_interval(asdict(one))}" for one in periods]
    return [*lines, f"  against the last period before the start that is told (0 above); picture: {picture}"]


def left_out_lines(sides: dict[str, dict[str, int]]) -> list[str]:
    """Say how many persons have no outcome, by side of the threshold."""
    if not any(one["without_outcome"] for one in sides.values()):
        return []
    told = ", ".join(f"{side} {one['without_outcome']} of {one['listed']}" for side, one in sides.items())
    return [
        f"  note: persons left out by side of the threshold, as no absence of theirs may be counted: {told}. Where the shares "
        "differ, the difference may be one of who is left."
    ]


_INTERVALS = {
    "pre_trend": "before the start, per period",
    "fixed_effects": "with fixed effects and clustered errors instead",
    "effect_of_contact": "effect of contact itself",
}
"""Details that are intervals of their own, with what is said of them."""


def _details(details: dict[str, Any]) -> list[str]:
    lines = [f"  {label}: {_interval(details[name])}" for name, label in _INTERVALS.items() if details.get(name)]
    if expected := details.get("regression_to_the_mean"):
        lines.append(
            f"  regression to the mean alone would bring {expected['expected_change']:+.2f}, the trend of the others "
            f"{expected['trend_of_companies_without']:+.2f}"
        )
    if "p_by_permuted_arms" in details:
        lines.append(f"  p by permuted arms: {details['p_by_permuted_arms']:.3f}")
    others = details.get("other_bandwidths", [])
    return lines + [f"  bandwidth {row['bandwidth']:.3g}: {_interval(row)}" for row in others]


def _interval(found: dict[str, Any]) -> str:
    return f"{found['effect']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f})"
