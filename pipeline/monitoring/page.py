"""The report as one page: what to know in ten seconds on top, the evidence below; no script, nothing remote."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from features.catalogue import FEATURE_NAMES, feature
from pipeline.monitoring.inputs import SCORE

_TEMPLATES = Path(__file__).parents[1] / "templates"
_WIDTH, _HEIGHT = 160, 36

NEXT_STEP = {
    "nothing": "Nothing needs to be done.",
    "look at the source": "Look at where the data come from before anything is done to the model.",
    "recalibrate": "Consider recalibrating: train, evaluate, register, and let somebody approve with promote.",
    "retrain": "Consider retraining: build-training-set, train, evaluate, register, and let somebody approve with promote.",
}
"""What the proposed step means; nothing is done by itself."""


def html(report: dict[str, Any]) -> str:
    """Return the report of :func:`pipeline.monitor.run` as one HTML page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"number": number, "percent": percent, "name": feature_label, "p": p_value, "line": line}
    style = "".join(
        (_TEMPLATES / name).read_text(encoding="utf-8") for name in ("validation_report.css", "monitoring.css")
    )
    return environment.get_template("monitoring.html").render(
        report=report, next_step=NEXT_STEP,
        # The files are ours, and the page allows no style but the one with this hash.
        style=Markup(style), style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        width=_WIDTH, height=_HEIGHT,
    )  # fmt: skip


def feature_label(name: str) -> str:
    """Return the words of a feature; other names as they are."""
    if name == SCORE:
        return "the model's number"
    return feature(name).label_en if name in FEATURE_NAMES else name.replace("_", " ")


def number(value: float | None, digits: int = 2) -> str:
    """Write a number; "–" where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """Write a share as a percentage."""
    return "–" if value is None else f"{100 * value:.0f} %"


def p_value(value: float | None) -> str:
    """Write a p-value; very small ones as a bound."""
    return "–" if value is None else "under 0.001" if value < 0.001 else f"{value:.3f}"


def line(series: Sequence[dict[str, Any]], name: str) -> str:
    """Return the points of a spark line ``x,y x,y``; all lines of a series share the scale, which begins at 0."""
    values = [one[part] for one in series for part in ("expected", "observed") if one[part] is not None]
    top = max(values, default=0.0) or 1.0
    step = _WIDTH / max(len(series) - 1, 1)
    return " ".join(
        f"{place * step:.1f},{_HEIGHT - 2 - (_HEIGHT - 4) * one[name] / top:.1f}"
        for place, one in enumerate(series)
        if one[name] is not None
    )
