"""Figures of the model pages: Vega-Lite drawn to SVG in this process. Beside each stands a table that says the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert
from markupsafe import Markup

from serving.clinician.language import Words

BLUE, GREY, INK = "#00568f", "#6b7986", "#1b2733"
WIDTH = 340
ROW = 22
FEW = 10
"""Points that are drawn as such."""

_ROLES = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
"""What a drawing says stands in the text of its frame; a reader by ear would get each tick and bar otherwise."""

_DASHED = {"color": GREY, "strokeDash": [6, 4], "strokeWidth": 1.5}
_BAR = {"type": "bar", "color": "#8db8d6", "height": ROW - 8}
_POINT = {"type": "point", "color": BLUE, "filled": True, "size": 60, "opacity": 1}
_FORMATS: Mapping[str, dict[str, Any]] = {
    "nb": {
        "decimal": ",",
        "thousands": "\N{NO-BREAK SPACE}",
        "grouping": [3],
        "currency": ["", "\N{NO-BREAK SPACE}kr"],
    },
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", "\N{NO-BREAK SPACE}kr"]},
}
_CONFIG = {
    "background": None,
    "padding": {"left": 25, "right": 20, "top": 5, "bottom": 5},  # browsers' letters may be wider than those measured here
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK,
             "labelLimit": 360, "tickCount": 5, "gridColor": "#dde3e8", "domainColor": GREY, "tickColor": GREY},
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of a figure of intervals; the ends are None where nothing was resampled."""

    label: str
    value: float
    low: float | None
    high: float | None


def drawn(spec: Mapping[str, Any], say: Words) -> Markup:
    """Return a drawing as SVG; nothing is fetched for it."""
    svg = vl_convert.vegalite_to_svg(
        {**spec, "config": _CONFIG}, allowed_base_urls=[], format_locale=_FORMATS[say.language]
    )
    return Markup(_ROLES.sub("", svg).replace('class="marks"', 'class="drawing"', 1))


def agreement(expected: Sequence[float], observed: Sequence[float], titles: tuple[str, str], say: Words) -> Markup:
    """Draw what came against what was expected, with the line of agreement; few points are drawn as points too."""
    most = max(*expected, *observed)
    points = [{"x": x, "y": y} for x, y in zip(expected, observed, strict=True)]
    scale = {"domain": [0, most], "nice": True}
    encoding = {axis: {"field": axis, "type": "quantitative", "title": title, "scale": scale}
                for axis, title in zip("xy", titles, strict=True)}  # fmt: skip
    agreeing = {"data": {"values": [{"x": 0, "y": 0}, {"x": most, "y": most}]}, "mark": {"type": "line", **_DASHED}}
    dots: Any = {"color": BLUE} if len(points) <= FEW else False
    found = {"data": {"values": points}, "mark": {"type": "line", "color": BLUE, "strokeWidth": 2.5, "point": dots}}
    return drawn({"width": WIDTH, "height": WIDTH, "encoding": encoding, "layer": [agreeing, found]}, say)


def intervals(
    rows: Sequence[Row], title: str, say: Words, *, reference: float | None = None, bars: bool = False
) -> Markup:
    """Draw one line for each row: its number as a point (or a bar from nought), and how sure it is."""
    y = {"field": "label", "type": "nominal", "sort": None, "title": None}
    x = {"type": "quantitative", "title": title, "scale": {"zero": bars, "nice": True}}
    sure = {"mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
            "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}}}  # fmt: skip
    number = {"mark": _BAR if bars else _POINT, "encoding": {"y": y, "x": {"field": "value", **x}}}
    layers = [*_line(reference, x), *([number, sure] if bars else [sure, number])]
    values = [vars(one) for one in rows]
    return drawn({"width": WIDTH, "height": {"step": ROW}, "data": {"values": values}, "layer": layers}, say)


def _line(at: float | None, x: Mapping[str, Any]) -> list[dict[str, Any]]:
    if at is None:
        return []
    encoding = {"x": {"field": "at", **x}}
    return [{"data": {"values": [{"at": at}]}, "mark": {"type": "rule", **_DASHED}, "encoding": encoding}]
