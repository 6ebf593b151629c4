"""All contributions to a number, as a diagram by domain that adds up to the number shown, opening to the single features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from data_contracts.workplace_factors import DOMAIN as WORK_DOMAIN
from models.explanation import Reason
from serving.call import Call
from serving.clinician.allocation import Allocation, DomainPart, Part, allocation
from serving.clinician.language import words
from serving.clinician.person import model_text
from serving.clinician.person_frame import asked_outcome, person_page
from serving.clinician.person_view import person_view
from serving.clinician.reasons import fixed, is_about_work, part_text
from serving.clinician.sentences import headline
from serving.responses import OutcomeExplanation, Texts

WIDTH = 300
THINNEST = 1.0


@dataclass(frozen=True)
class FeatureRow:
    """One feature with what it adds, as printed."""

    reason: Reason
    text: str


@dataclass(frozen=True)
class DomainRow:
    """One domain: its bar from ``x`` on, what it adds as printed, its features, and those too small to be printed."""

    name: str
    label: Texts
    x: float
    width: float
    direction: int
    text: str
    features: tuple[FeatureRow, ...]
    too_small: tuple[Reason, ...]


@dataclass(frozen=True)
class Diagram:
    """Base, domains and number: each bar begins where the one above ends."""

    base: str
    base_width: float
    zero: float
    rows: tuple[DomainRow, ...]
    number: str
    number_width: float
    unit: str
    width: int = WIDTH


def contributions(call: Call) -> Response:
    """Show all contributions to the number of one outcome."""
    view, outcome, say = person_view(call), asked_outcome(call), words(call.language)
    risk = view.risk(outcome)
    explained = view.explained(outcome)
    parts = None if explained is None else allocation(explained)
    diagram = None if explained is None or parts is None else _diagram(call, explained, parts)
    return person_page(
        call, "contributions.html", "contributions", outcome, risk=risk, said=headline(say, outcome, risk),
        diagram=diagram, model_text=model_text(say, view, risk),
    )  # fmt: skip


def _diagram(call: Call, explained: OutcomeExplanation, parts: Allocation) -> Diagram:
    say = words(call.language)
    ordered = sorted(parts.domains, key=_place)
    corners = _corners(parts.base, [one.printed for one in ordered])
    lowest, highest = min(0, *corners), max(0, *corners)
    per_unit = WIDTH / max(highest - lowest, 1)
    reasons = {one.feature: one for one in explained.reasons}
    labels: dict[str, Texts] = {one.group: Texts(**one.label) for one in explained.domains}
    rows = []
    for part, start, end in zip(ordered, corners, corners[1:], strict=False):
        features, small = _features(call, parts, part, reasons)
        x, width = (min(start, end) - lowest) * per_unit, abs(end - start) * per_unit
        rows.append(
            DomainRow(
                name=part.name, label=labels[part.name], x=round(x, 1), width=round(max(width, THINNEST), 1),
                direction=(part.printed > 0) - (part.printed < 0), text=part_text(say, parts, part.printed),
                features=features, too_small=small,
            )
        )  # fmt: skip
    return Diagram(
        base=fixed(say, parts.value(parts.base), parts.digits), base_width=_width(parts.base, per_unit),
        zero=round(-lowest * per_unit, 1), rows=tuple(rows),
        number=fixed(say, parts.value(parts.number), parts.digits), number_width=_width(parts.number, per_unit),
        unit=parts.unit,
    )  # fmt: skip


def _place(part: DomainPart) -> tuple[bool, bool, float]:
    """Raising before lowering, so that no bar leads below nothing; the workplace first, then the largest."""
    return part.printed < 0, part.name != WORK_DOMAIN, -abs(part.printed)


def _place_of_feature(part: Part) -> tuple[bool, int]:
    return not is_about_work(part.name), -abs(part.printed)


def _corners(base: int, parts: Sequence[int]) -> list[int]:
    """Return where each bar ends: the base, then the sums."""
    corners = [base]
    for part in parts:
        corners.append(corners[-1] + part)
    return corners


def _width(printed: int, per_unit: float) -> float:
    return round(printed * per_unit, 1)


def _features(
    call: Call, parts: Allocation, domain: DomainPart, reasons: dict[str, Reason]
) -> tuple[tuple[FeatureRow, ...], tuple[Reason, ...]]:
    """Return the features of a domain that add something printed, of the workplace first, and those that add less."""
    say = words(call.language)
    shown = sorted((one for one in domain.features if one.printed), key=_place_of_feature)
    small = tuple(reasons[one.name] for one in domain.features if not one.printed and one.contribution)
    return tuple(FeatureRow(reasons[one.name], part_text(say, parts, one.printed)) for one in shown), small
