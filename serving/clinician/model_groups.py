"""How well a model serves each group of persons, and which groups the evaluation names as badly served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.evaluation.suppression import COMPLEMENT
from models.model_card.numbers import is_interval
from serving.clinician.figures import Row, intervals
from serving.clinician.language import Words
from serving.clinician.messages import N_
from serving.clinician.model_figures import Exhibit, Table, measured

_HARM: Mapping[str, str] = {
    "events_missed": N_("flere enn ventet blir ikke fanget opp"),
    "risks_too_low": N_("tallene er for lave"),
    "risks_too_high": N_("tallene er for høye"),
}

AGREEMENT, CHANCE = 100.0, 50.0
"""Where the line of a figure stands: as many as expected, and as many pairs as drawing lots puts in order."""

Line = tuple[str, Mapping[str, Any], str | None]
"""Label and numbers of a group, and what is found wrong with them."""


def subgroups(found: Mapping[str, Any], say: Words) -> tuple[Exhibit, ...]:
    """Return how well the numbers fit in each group, and how well they rank; groups that are too small are named only."""
    lines = _lines(found, say)
    fits = (
        say("Faktiske dager per 100 ventede (95 prosent intervall)")
        if found.get("target") == "days"
        else say("Faktiske hendelser per 100 ventede (95 prosent intervall)")
    )
    ranks = say("Rangerer riktig, av 100 par (95 prosent intervall)")
    told = (
        _by_group(lines, "observed_to_expected", fits, AGREEMENT, say),
        _by_group(lines, "auroc", ranks, CHANCE, say),
    )
    return tuple(one for one in told if one)


def harmed_groups(found: Mapping[str, Any], say: Words) -> tuple[str, ...]:
    """Return the groups that the evaluation names as badly served, and in which direction."""
    return tuple(f"{label}: {say(_HARM[wrong])}" for label, _, wrong in _lines(found, say) if wrong)


def _lines(found: Mapping[str, Any], say: Words) -> list[Line]:
    attributes = found.get("subgroups", {}).get("attributes", [])
    harm = {(one["attribute"], one["group"]): one["finding"] for one in found.get("harm", [])}
    return [(_label(attribute, group, say), group, harm.get((attribute["name"], group["name"])))
            for attribute in attributes for group in attribute["groups"]]  # fmt: skip


def _by_group(lines: Sequence[Line], metric: str, title: str, reference: float, say: Words) -> Exhibit | None:
    drawn = [Row(label, *_hundredths(group[metric])) for label, group, _ in lines if _has(group, metric)]
    if not drawn:
        return None
    rows = tuple(
        (label, _in_group(group, metric, say), say(_HARM[wrong]) if wrong else "") for label, group, wrong in lines
    )
    lowest, highest = min(drawn, key=lambda one: one.value), max(drawn, key=lambda one: one.value)
    text = say(
        "Et punkt med intervall for hver gruppe, fra %(low)s (%(lowest)s) til %(high)s (%(highest)s). Tallene står i "
        "tabellen under.",
        low=say.number(lowest.value), lowest=lowest.label, high=say.number(highest.value), highest=highest.label,
    )  # fmt: skip
    table = Table(title, (say("Gruppe"), title, say("Avvik som er navngitt")), rows)
    return Exhibit(intervals(drawn, title, say, reference=reference), text, table)


def _label(attribute: Mapping[str, Any], group: Mapping[str, Any], say: Words) -> str:
    return f"{attribute[f'label_{say.language}']}: {group[f'label_{say.language}']}"


def _in_group(group: Mapping[str, Any], metric: str, say: Words) -> str:
    if group.get("suppressed") == COMPLEMENT:
        return say("vises ikke: en mindre gruppe kunne ellers regnes ut")
    if group.get("suppressed"):
        return say("vises ikke: for få personer")
    return measured(group.get(metric), say, times=100.0)


def _has(group: Mapping[str, Any], metric: str) -> bool:
    number = group.get(metric)
    return number is not None and is_interval(number) and number["value"] is not None


def _hundredths(number: Mapping[str, float | None]) -> tuple[float, float | None, float | None]:
    value, low, high = (None if end is None else 100 * end for end in (number["value"], number["low"], number["high"]))
    assert value is not None
    return value, low, high
