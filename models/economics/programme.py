"""The concept report's calculation with the user's own numbers: everybody takes part, nobody is scored."""

from __future__ import annotations

from typing import Any

from models.economics.absence_cost import LONG, LONGEST, expected_days
from models.economics.concept_report import annuity
from models.economics.inputs import EconomicInputs


def yearly_absence_cost(inputs: EconomicInputs) -> float:
    """Return what a year's absence costs society, in kroner; the absence percentage counts grade and position already."""
    full_time_years = inputs.persons.value * inputs.position_percent.value / 100 * inputs.absence_percent.value / 100
    return full_time_years * inputs.full_time_wage.value * inputs.on_costs.value * inputs.output_value.value


def programme(inputs: EconomicInputs) -> dict[str, Any]:
    """Return gain, cost and break-even of a programme for everybody; JSON values.

    ``certified_days_in_employer_period`` is the share of doctor-certified days that fall within a spell's first 16.
    """
    a_year = yearly_absence_cost(inputs)
    gain = a_year * inputs.relative_reduction_percent.value / 100 * years_of_effect(inputs)
    cost = inputs.persons.value * inputs.cost_per_contact.value
    per_percent = a_year / 100 * years_of_effect(inputs)
    return {
        "absence_cost_a_year_nok": a_year,
        "gain_nok": gain,
        "cost_nok": cost,
        "net_nok": gain - cost,
        "break_even_percent": cost / per_percent if per_percent > 0 else None,
        "certified_days_in_employer_period": expected_days(LONG) / expected_days(LONGEST),
    }


def net_of_programme(inputs: EconomicInputs) -> float:
    """Return gain less cost in kroner."""
    return float(programme(inputs)["net_nok"])


def years_of_effect(inputs: EconomicInputs) -> float:
    """Return the years that the effect lasts, in present value: the first counts in full, it begins with the contact."""
    return first_year(inputs) + later_years(inputs)


def first_year(inputs: EconomicInputs) -> float:
    """Return how much of the first year the effect lasts."""
    return min(1.0, inputs.effect_years.value)


def later_years(inputs: EconomicInputs) -> float:
    """Return the years after the first, in present value."""
    return annuity(inputs.effect_years.value - first_year(inputs), inputs.discount_percent.value)
