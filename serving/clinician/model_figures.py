"""Exhibits of a model: each a drawing, the sentence that it comes to, and the table that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from data_contracts.domains import DOMAIN_LABELS
from features.catalogue import POSITIONS, feature
from models.model_card.numbers import is_interval
from serving.clinician.figures import Row, agreement, intervals
from serving.clinician.language import Words

POINTS_IN_TABLE = 8
MOST_FEATURES = 10


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


def importance(found: Mapping[str, Any] | None, say: Words) -> Exhibit | None:
    """Return how much each domain moves the numbers, the largest first."""
    if not found or not found.get("domains"):
        return None
    labels = {str(name): say.said(label) for name, label in DOMAIN_LABELS.items()}
    rows = [Row(labels[name], **number) for name, number in _largest_first(found["domains"])]
    caption = say("Gjennomsnittlig størrelse på bidraget, etter område")
    text = say("Søyler for hvert område. Den lengste er %(first)s. Tallene står i tabellen under.", first=rows[0].label)
    return Exhibit(
        intervals(rows, say("Størrelse på bidraget"), say, bars=True),
        text,
        _bars_table(caption, say("Område"), rows, say),
    )


def largest_features(found: Mapping[str, Any] | None, say: Words) -> Table | None:
    """Return the features that move the numbers most, and whether something can be done about them."""
    if not found or not found.get("features"):
        return None
    chosen = [(name, number) for name, number in _largest_first(found["features"]) if name in POSITIONS][:MOST_FEATURES]
    rows = tuple(
        (
            say.said({"nb": feature(name).label_nb, "en": feature(name).label_en}),
            measured(number, say, digits=2),
            say("ja") if feature(name).modifiable else say("nei"),
        )
        for name, number in chosen
    )
    columns = (say("Opplysning"), say("Størrelse på bidraget"), say("Kan arbeides med"))
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
    known = [curve["rows"]] if "rows" in curve else []
    rows = tuple(tuple(map(say.number, one)) for one in _some(expected, observed, *known))
    middle = rows[len(rows) // 2]
    text = say(
        "Kurve som følger den stiplede linjen der tallene treffer. Der modellen sier %(expected)s, kom %(observed)s. Tallene "
        "står i tabellen under.",
        expected=middle[0], observed=middle[1],
    )  # fmt: skip
    drawing = agreement(expected, observed, titles, say)
    columns = (*titles, say("Rader (person og dag)")) if known else titles
    return Exhibit(drawing, text, Table(say("Det som ble ventet, og det som kom"), columns, rows))


def _some(*columns: Sequence[float]) -> list[tuple[float, ...]]:
    """Return a few points along a curve, its ends included."""
    points = list(zip(*columns, strict=True))
    last, n = len(points) - 1, min(POINTS_IN_TABLE, len(points))
    places = dict.fromkeys(round(step * last / max(1, n - 1)) for step in range(n))
    return [points[place] for place in places]


def capacity(found: Mapping[str, Any], say: Words) -> tuple[Table, ...]:
    """Return what a capacity gives: by conversations a week, and by share of the employees."""
    tables, programme = found.get("capacity", {}), found.get("capacity", {}).get("programme", {})
    columns = (say("Tall fra og med, av 100"), say("Så mange av 100 tilbudte får hendelsen"),
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
        *(measured(row[name], say, times=100.0) for name in ("ppv", "sensitivity")),
    )


def _bars_table(caption: str, first: str, rows: Sequence[Row], say: Words) -> Table:
    told = tuple((one.label, measured(vars(one), say, digits=2)) for one in rows)
    return Table(caption, (first, say("Størrelse på bidraget, med intervall")), told)


def _largest_first(numbers: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(numbers.items(), key=lambda one: -one[1]["value"])


def measured(number: Any, say: Words, *, times: float = 1.0, digits: int = 0) -> str:
    """Return a number with its interval in brackets; a dash where it is not known."""
    if not is_interval(dict(number or {})) or number["value"] is None:
        return "–"
    value, low, high = (
        None if number[end] is None else say.number(times * number[end], digits) for end in ("value", "low", "high")
    )
    return f"{value} ({low}–{high})" if low and high else str(value)
