"""What it is worth in kroner to contact the top k by risk, against contacting everybody and nobody.

A contact saves a share of the cost that is expected of a person, ``saved`` per event. Of the distance of her risk r from the
mean m, the share ``k`` counts: as far as the effect follows the risk, and as the risk persists in the later years of effect,
since whoever is chosen for a high risk is nearer to the mean a year after. So she is worth ``saved x (m + k (r - m)) - price``,
above nought from the risk ``t = (price / saved - m (1 - k)) / k`` on, and the sum over persons is ``saved x k x (1 - t) x net
benefit at t``: decision curve analysis in kroner (Vickers AJ, Elkin EB. Med Decis Making 2006;26:565).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.economics.absence_cost import cost_of_a_long_spell
from models.economics.inputs import EconomicInputs
from models.economics.programme import first_year, later_years, years_of_effect

Payer = Literal["society", "employer", "state"]
PAYERS: tuple[Payer, ...] = ("society", "employer", "state")

ASSUMPTION = (
    "Targeting pays only as far as the effect follows the risk. That a contact prevents the same share of long spells in "
    "everybody is an assumption; no trial of the programme has measured it. At effect_follows_risk 0 the best list is no "
    "better than a drawn lot. And who is at high risk this year is less so later: after the first year of effect those chosen "
    "keep the share risk_persists of their distance from the mean, which is assumed too."
)


@dataclass(frozen=True)
class Terms:
    """What one person contacted gains and costs.

    Parameters
    ----------
    saved_per_event : float
        Kroner saved per expected event, in present value.
    per_contact, per_person_scored : float
        Kroner.
    counts : float
        Of the distance of a risk from the mean, the share that counts over the years of effect: 1 if the effect is
        proportional to the risk and the risk stays, 0 if the effect is the same for everybody.
    """

    saved_per_event: float
    per_contact: float
    per_person_scored: float
    counts: float

    @classmethod
    def of(cls, inputs: EconomicInputs, outcome: str, payer: Payer = "society") -> Terms:
        """Return the terms of one payer, who also pays the programme."""
        cost = getattr(cost_of_a_long_spell(inputs, outcome), payer)
        return cls(
            cost * inputs.relative_reduction_percent.value / 100 * years_of_effect(inputs),
            inputs.cost_per_contact.value,
            inputs.cost_per_person_scored.value,
            inputs.effect_follows_risk.value * mean_persistence(inputs),
        )

    def threshold(self, prevalence: float) -> float | None:
        """Return the risk from which a contact is worth its price; None if from none, or if risks make no difference."""
        if self.saved_per_event <= 0 or self.counts <= 0:
            return None
        cut = prevalence + (self.per_contact / self.saved_per_event - prevalence) / self.counts
        return max(0.0, cut) if cut <= 1 else None

    def of_contacts(self, share: float, ppv: float, prevalence: float) -> float:
        """Return net kroner per person of contacting a share of all, of whom ``ppv`` would have the event in the first year."""
        events = prevalence + self.counts * (ppv - prevalence)
        return share * (self.saved_per_event * events - self.per_contact)


def mean_persistence(inputs: EconomicInputs) -> float:
    """Return the mean of 1 in the first year and ``risk_persists`` in the later ones, by their present value."""
    years = years_of_effect(inputs)
    return (first_year(inputs) + inputs.risk_persists.value * later_years(inputs)) / years if years > 0 else 1.0


def targeting(
    inputs: EconomicInputs, outcome: str, report: Mapping[str, Any], payer: Payer = "society"
) -> dict[str, Any]:
    """Return net benefit in kroner of the whole programme for nobody, everybody and each capacity of the evaluation.

    Parameters
    ----------
    inputs : EconomicInputs
    outcome : str
        One of ``LENGTH_BY_OUTCOME``.
    report : mapping
        ``metrics.json`` of the outcome: held-out rows, one risk per person a year.
    payer : str
        Whose gain it is; the programme is paid by the same.

    Returns
    -------
    dict of JSON values. ``top``: rows with ``alerts_per_100``, ``net_nok`` (value, low, high: of the ranking on held-out rows
    alone, all inputs fixed). ``best``: what gives most. ``contact_from_risk``: None if no risk is high enough.
    """
    terms, n = Terms.of(inputs, outcome, payer), inputs.persons.value
    prevalence = report["test"]["weighted_event_share"]
    rows = [_row(terms, n, prevalence, row) for row in report["capacity"]["by_alerts"]]
    everybody = n * terms.of_contacts(1.0, prevalence, prevalence)
    return {
        "payer": payer,
        "persons": n,
        "event_share": prevalence,
        "saved_per_event_nok": terms.saved_per_event,
        "contact_from_risk": terms.threshold(prevalence),
        "nobody_nok": 0.0,
        "everybody_nok": everybody,
        "top": rows,
        "best": _best(rows, everybody),
        "by_decision_curve_nok": by_decision_curve(terms, n, prevalence, report["decision_curve"], report["champion"]),
        "assumption": ASSUMPTION,
    }


def net_of_top(
    inputs: EconomicInputs, outcome: str, report: Mapping[str, Any], alerts_per_100: float, payer: Payer = "society"
) -> float:
    """Return net kroner of contacting the top ``alerts_per_100``; raises KeyError where the evaluation has no such row."""
    for row in targeting(inputs, outcome, report, payer)["top"]:
        if row["alerts_per_100"] == alerts_per_100:
            return float(row["net_nok"]["value"])
    raise KeyError(alerts_per_100)


def _row(terms: Terms, n: float, prevalence: float, row: Mapping[str, Any]) -> dict[str, Any]:
    share = row["alerts_per_100"] / 100
    net = {
        part: None if ppv is None else n * (terms.of_contacts(share, ppv, prevalence) - terms.per_person_scored)
        for part, ppv in row["ppv"].items()
    }
    return {"alerts_per_100": row["alerts_per_100"], "ppv": row["ppv"]["value"], "net_nok": net}


def _best(rows: Sequence[Mapping[str, Any]], everybody: float) -> dict[str, Any]:
    choices = [("nobody", None, 0.0), ("everybody", None, everybody)]
    choices += [
        ("top", row["alerts_per_100"], row["net_nok"]["value"]) for row in rows if row["net_nok"]["value"] is not None
    ]
    who, alerts, net = max(choices, key=lambda one: one[2])
    return {"contact": who, "alerts_per_100": alerts, "net_nok": net}


def by_decision_curve(
    terms: Terms, n: float, prevalence: float, curve: Mapping[str, Any], champion: str
) -> dict[str, Any] | None:
    """Return net kroner of contacting from the nearest stated risk at or above the threshold on; None if there is none.

    Each contact is charged what that risk stands for, a little more than its price where the stated risk is above the
    threshold.
    """
    wanted = terms.threshold(prevalence)
    at = [] if wanted is None else [place for place, cut in enumerate(curve["thresholds"]) if cut >= wanted]
    if not at or wanted is None:
        return None
    cut, own = curve["thresholds"][at[0]], curve["net_benefit"][champion]
    if cut - wanted > 0.01:  # the curve begins above: it says nothing of this threshold
        return None
    parts = {
        part: n * (terms.saved_per_event * terms.counts * (1 - cut) * own[part][at[0]] - terms.per_person_scored)
        for part in ("value", "low", "high")
    }
    return {"contact_from_risk": cut, **parts}
