"""The cost-benefit model of the HelseIArbeid concept report (2016), reproduced to the krone.

Cost and gain go in, so cost, gain and net at 5 % come out by construction, and NOK 122 by the choice of hours. That the net at
10 % comes out too (and with it the break-even) is what shows the report's figures to be linear.

Published: costs, gain at 5 % less absence, net benefit at 5 % and 10 %, break-even, and kroner per saved hour. The report
calls the effect exponential; its own figures lie on a straight line, and so does this model. References are document:line
of the report as in the project's sheet of sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["published", "derived", "assumed"]

PUBLISHED = {
    "cost_nok": 3_337_496,
    "gain_nok": 8_264_365,
    "net_benefit_nok": 4_926_870,
    "net_benefit_at_10_percent_nok": 13_191_235,
    "break_even_percent": 2,
    "cost_per_saved_hour_nok": 122,
}
"""What the report prints (001:2602-2643). Prices of 2014, discounted by 4 % a year, per 1000 workers."""

ROUNDING = (
    "Each published figure was rounded to the krone by itself: 8 264 365 less 3 337 496 is 4 926 869, one krone below the "
    "printed 4 926 870. The øre behind them are not published. All four sums agree only if the cost is between 3 337 495.50 "
    "and 3 337 496.00 and the gain between 8 264 365.00 and 8 264 365.50; the model takes the middle of that triangle."
)


@dataclass(frozen=True)
class Figure:
    """One input: its value, and whether the report prints it, it follows from what is printed, or it is assumed."""

    name: str
    value: float
    unit: str
    kind: Kind
    source: str


WORKERS = Figure("workers", 1000, "persons", "published", "001:2584-2599, scaled from 575 workers in 18 firms")
ABSENCE = Figure("absence", 7.0, "% of working time", "published", "001:2620")
REDUCTION = Figure("relative_reduction", 5.0, "% of the absence", "published", "001:2620-2625, from 7.0 to 6.65 %")
YEARS = Figure("years", 5, "years", "published", "001:2620-2625, the lower absence is held for five years")
DISCOUNT = Figure("discount", 4.0, "% a year", "published", "001:2602-2603")
COST = Figure(
    "cost",
    3_337_495 + 2 / 3,
    "NOK of 2014",
    "derived",
    "001:2602-2603 prints 3 337 496; the øre are ours, as ROUNDING says",
)
GAIN = Figure(
    "gain",
    8_264_365 + 1 / 3,
    "NOK of 2014",
    "derived",
    "001:2620-2625 prints 8 264 365; the øre are ours, as ROUNDING says",
)
HOURS = Figure("hours_per_full_time_year", 1750, "hours", "assumed",
               "a full-time year of work less holiday; not in the extract. NOK 122 per hour allows 1 749 to 1 763 hours "
               "with gains discounted at the end of each year")  # fmt: skip


def annuity(years: float, percent: float) -> float:
    """Return the sum of 1 a year for some years, at the end of each, discounted.

    Years may be a fraction: the part of the last year counts for its part.
    """
    whole = int(years)
    factor = 1 + percent / 100
    full = sum(factor**-year for year in range(1, whole + 1))
    return full + (years - whole) * factor ** -(whole + 1)


def saved_hours(relative_reduction: float) -> float:
    """Return discounted working hours that 1000 workers gain when their absence falls by so many per cent of itself."""
    full_time_years = WORKERS.value * ABSENCE.value / 100 * relative_reduction / 100
    return full_time_years * annuity(YEARS.value, DISCOUNT.value) * HOURS.value


def value_of_an_hour() -> Figure:
    """Return the value that the published gain puts on an hour of work."""
    source = (
        "the published gain over the saved hours: by construction the model gives that gain at 5 %, and no other figure"
    )
    return Figure("value_of_an_hour", GAIN.value / saved_hours(REDUCTION.value), "NOK of 2014", "derived", source)


def gain(relative_reduction: float) -> float:
    """Return what a reduction by so many per cent of the absence is worth, in kroner of 2014."""
    return saved_hours(relative_reduction) * value_of_an_hour().value


def net_benefit(relative_reduction: float) -> float:
    """Return gain less cost, in kroner of 2014."""
    return gain(relative_reduction) - COST.value


def concept_report() -> dict[str, Any]:
    """Return the model's figures, rounded as the report rounds them, beside its own, with every input and where it is from."""
    base = REDUCTION.value
    break_even = base * COST.value / gain(base)
    found = {
        "cost_nok": round(COST.value),
        "gain_nok": round(gain(base)),
        "net_benefit_nok": round(net_benefit(base)),
        "net_benefit_at_10_percent_nok": round(net_benefit(10)),
        "break_even_percent": round(break_even),
        "cost_per_saved_hour_nok": round(COST.value / saved_hours(base)),
    }
    inputs = (WORKERS, ABSENCE, REDUCTION, YEARS, DISCOUNT, COST, GAIN, HOURS, value_of_an_hour())
    return {
        **found,
        "break_even_percent_unrounded": round(break_even, 4),
        "gain_per_percent_nok": round(gain(1)),
        "saved_hours": round(saved_hours(base)),
        "value_of_an_hour_nok": round(value_of_an_hour().value, 2),
        "published": PUBLISHED,
        "agrees_to_the_krone": found == PUBLISHED,
        "inputs": [vars(one) for one in inputs],
        "rounding": ROUNDING,
        "shape": "linear in the reduction, though the report calls it exponential (001:2634-2637)",
    }
