"""The exhibits of a model: each a drawing, the sentence that it comes to, and the table that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from data_contracts.domains import DOMAIN_LABELS
from features.catalogue import POSITIONS, feature
from models.evaluation.suppression import COMPLEMENT
from models.model_card.numbers import is_interval
from serving.clinician.figures import Row, agreement, intervals
from serving.clinician.language import Words
from serving.clinician.messages import N_

POINTS_IN_TABLE = 8
MOST_FEATURES = 10

_HARM: Mapping[str, str] = {
    "events_missed": N_("flere enn ventet blir ikke fanget opp"),
    "risks_too_low": N_("tallene er for lave"),
    "risks_too_high": N_("tallene er for høye"),
}


@dataclass(frozen=True)
class Table:
    """A caption, the names of the columns, and rows of as many texts; the first of each names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Exhibit:
    """A drawing with its text alternative and its table; no drawing where nothing could be drawn."""

    drawing: Markup
    text: str
    table: Table


@dataclass(frozen=True)
class Exhibits:
    """All of one model; None or empty where the numbers did not come along, or are of too few persons."""

    importance: Exhibit | None
    features: Table | None
    calibration: Exhibit | None
    subgroups: tuple[Exhibit, ...]
    capacity: tuple[Table, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any], found: Mapping[str, Any], say: Words) -> Exhibits:
        """Draw what the facts of a model and its evaluation tell."""
        weights = facts.get("importance")
        return cls(
            importance=importance(weights, say),
            features=largest_features(weights, say),
            calibration=calibration(found, say),
            subgroups=subgroups(found, say),
            capacity=capacity(found, say),
        )


def importance(found: Mapping[str, Any] | None, say: Words) -> Exhibit | None:
    """Return how much each domain moves the numbers, the largest first."""
    if not found or not found.get("domains"):
        return None
    rows = [Row(say.said(DOMAIN_LABELS[name]), **number) for name, number in _largest_first(found["domains"])]  # type: ignore[index]
    caption = say("Gjennomsnittlig størrelse på bidraget, etter område")
    text = say("Søyler for hvert område. Den lengste er %(first)s. Tallene står i tabellen under.", first=rows[0].label)
    return Exhibit(
        intervals(rows, say("Bidrag (log-odds)"), say, bars=True), text, _bars_table(caption, say("Område"), rows, say)
    )


def largest_features(found: Mapping[str, Any] | None, say: Words) -> Table | None:
    """Return the features that move the numbers most, and whether something can be done about them."""
    if not found or not found.get("features"):
        return None
    chosen = [(name, number) for name, number in _largest_first(found["features"]) if name in POSITIONS][:MOST_FEATURES]
    rows = tuple(
        (
            say.said({"nb": feature(name).label_nb, "en": feature(name).label_en}),
            _measured(number, say, digits=2),
            say("ja") if feature(name).modifiable else say("nei"),
        )
        for name, number in chosen
    )
    columns = (say("Opplysning"), say("Bidrag (log-odds)"), say("Kan arbeides med"))
    return Table(say("De opplysningene som flytter tallet mest"), columns, rows)


def calibration(found: Mapping[str, Any], say: Words) -> Exhibit | None:
    """Return what came against what was expected."""
    curve = found.get("curve")
    if not curve:
        return None
    if found.get("target") == "days":
        expected, observed = curve["expected"], curve["observed"]
        titles = (say("Ventede dager"), say("Dager som kom"))
    else:
        expected, observed = ([100 * one for one in curve[name]] for name in ("risk", "observed"))
        titles = (say("Modellens tall, av 100"), say("Fikk hendelsen, av 100"))
    rows = tuple((say.number(x), say.number(y)) for x, y in _some(expected, observed))
    middle = rows[len(rows) // 2]
    text = say(
        "Kurve som følger den stiplede linjen der tallene treffer. Der modellen sier %(expected)s, kom %(observed)s. Tallene "
        "står i tabellen under.",
        expected=middle[0], observed=middle[1],
    )  # fmt: skip
    drawing = agreement(expected, observed, titles, say)
    return Exhibit(drawing, text, Table(say("Det som ble ventet, og det som kom"), titles, rows))


def _some(expected: Sequence[float], observed: Sequence[float]) -> list[tuple[float, float]]:
    """Return a few points along a curve, its ends included."""
    last, n = len(expected) - 1, min(POINTS_IN_TABLE, len(expected))
    places = dict.fromkeys(round(step * last / max(1, n - 1)) for step in range(n))
    return [(expected[place], observed[place]) for place in places]


def subgroups(found: Mapping[str, Any], say: Words) -> tuple[Exhibit, ...]:
    """Return how well the numbers fit in each group, and how well they rank; groups that are too small are named only."""
    lines = _lines(found, say)
    fits = say("Det som kom, for hver 100 modellen ventet (95 prosent intervall)")
    ranks = say("Rangerer riktig, av 100 par (95 prosent intervall)")
    told = (
        _by_group(lines, "observed_to_expected", fits, 100.0, say),
        _by_group(lines, "auroc", ranks, None, say),
    )
    return tuple(one for one in told if one)


def harmed_groups(found: Mapping[str, Any], say: Words) -> tuple[str, ...]:
    """Return the groups that the evaluation names as badly served, and in which direction."""
    return tuple(f"{label}: {say(_HARM[wrong])}" for label, _, wrong in _lines(found, say) if wrong)


Line = tuple[str, Mapping[str, Any], str | None]


def _lines(found: Mapping[str, Any], say: Words) -> list[Line]:
    attributes = found.get("subgroups", {}).get("attributes", [])
    harm = {(one["attribute"], one["group"]): one["finding"] for one in found.get("harm", [])}
    return [(_label(attribute, group, say), group, harm.get((attribute["name"], group["name"])))
            for attribute in attributes for group in attribute["groups"]]  # fmt: skip


def _by_group(lines: Sequence[Line], metric: str, title: str, reference: float | None, say: Words) -> Exhibit | None:
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
    return _measured(group.get(metric), say, times=100.0)


def capacity(found: Mapping[str, Any], say: Words) -> tuple[Table, ...]:
    """Return what a capacity gives: by conversations a week, and by share of the employees."""
    tables, programme = found.get("capacity", {}), found.get("capacity", {}).get("programme", {})
    columns = (say("Tall fra og med, av 100"), say("Av 100 som tilbys samtale, får hendelsen"),
               say("Av 100 som får hendelsen, er tilbudt samtale"))  # fmt: skip

    def table(name: str, key: str, caption: str, first: str) -> Table | None:
        rows = tuple(_capacity_row(row, key, say) for row in tables.get(name, []))
        return Table(caption, (first, *columns), rows) if rows else None

    among = say.number(programme["persons"]) if programme else "–"
    by_week = say("Samtaler i uken, i et program med %(persons)s personer", persons=among)
    told = (
        table("by_contacts", "contacts_a_week", by_week, say("Samtaler i uken")),
        table("by_alerts", "alerts_per_100", say("Andel som tilbys samtale"), say("Av 100 ansatte")),
    )
    return tuple(one for one in told if one)


def _capacity_row(row: Mapping[str, Any], key: str, say: Words) -> tuple[str, ...]:
    threshold = say.number(100 * row["threshold"])
    return (
        say.number(row[key]),
        threshold,
        *(_measured(row[name], say, times=100.0) for name in ("ppv", "sensitivity")),
    )


def _bars_table(caption: str, first: str, rows: Sequence[Row], say: Words) -> Table:
    told = tuple((one.label, _measured(vars(one), say, digits=2)) for one in rows)
    return Table(caption, (first, say("Bidrag (log-odds), med intervall")), told)


def _largest_first(numbers: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(numbers.items(), key=lambda one: -one[1]["value"])


def _has(group: Mapping[str, Any], metric: str) -> bool:
    number = group.get(metric)
    return is_interval(number) and number["value"] is not None  # type: ignore[index]


def _hundredths(number: Mapping[str, float | None]) -> tuple[float, float | None, float | None]:
    value, low, high = (None if number[end] is None else 100 * number[end] for end in ("value", "low", "high"))  # type: ignore[operator]
    assert value is not None
    return value, low, high


def _measured(number: Any, say: Words, *, times: float = 1.0, digits: int = 0) -> str:
    """Return a number with its interval in brackets; a dash where it is not known."""
    if not is_interval(dict(number or {})) or number["value"] is None:
        return "–"
    value, low, high = (
        None if number[end] is None else say.number(times * number[end], digits) for end in ("value", "low", "high")
    )
    return f"{value} ({low}–{high})" if low and high else str(value)
