"""One person's explained risks as a picture: how many of a hundred, compared with whom, and what pulls which way."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

RAISES, LOWERS, REST = "#D55E00", "#0072B2", "#D9D9D9"  # told apart by colour-blind readers, and by side and arrow
INK, QUIET = "#222222", "#5F5F5F"
WIDTH = 11.69
"""Inches: that of a sheet of A4 on its side."""

WARNING = "#B00020"
_BANNER, _HEAD, _ROW, _PANEL_FOOT, _FOOT = 0.42, 0.85, 0.33, 0.4, 0.48
_FEWEST_ROWS = 7
_LABEL_CHARACTERS, _FOOTER_CHARACTERS = 60, 165
_WORDS = {
    "nb": {
        "headline": "{count} av 100 med lignende profil: {label}",
        "context": "usikkerhet {low}–{high} (90 %) · referansegruppen {reference} av 100",
        "no interval": "referansegruppen {reference} av 100",
        "lowers": "◀ lavere risiko",
        "raises": "høyere risiko ▶",
        "nobody": "Ingen risiko er beregnet for denne personen.",
        "synthetic": "SYNTETISK person. ",
        "footer": "{synthetic}Indeksdato {day}. Modeller: {models}. Ikke klinisk validert. En faktor sier hva modellen "
        "knytter til risiko; den er ingen årsak. Lengden på en stolpe er faktorens bidrag til log-oddsen.",
        "version": "versjon",
    },
    "en": {
        "headline": "{count} of 100 with a similar profile: {label}",
        "context": "uncertainty {low}–{high} (90 %) · reference group {reference} of 100",
        "no interval": "reference group {reference} of 100",
        "lowers": "◀ lower risk",
        "raises": "higher risk ▶",
        "nobody": "No risk was computed for this person.",
        "synthetic": "SYNTHETIC person. ",
        "footer": "{synthetic}Index date {day}. Models: {models}. Not clinically validated. A factor is what the model "
        "associates with risk; it is not a cause. The length of a bar is the factor's contribution to the log-odds.",
        "version": "version",
    },
}


def draw(answer: dict[str, Any], path: Path, language: str = "en") -> None:
    """Draw the answer of ``/v1/risk`` into a PNG file; outcomes without a number are left out."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    outcomes = [found for found in answer["outcomes"].values() if found["risk"] is not None]
    heights = [_HEAD + _ROW * max(len(found["reasons"]), _FEWEST_ROWS) + _PANEL_FOOT for found in outcomes]
    banner = _BANNER if answer["safety_flags"] else 0.0
    figure = plt.figure(figsize=(WIDTH, banner + sum(heights) + _FOOT), facecolor="white")
    top = figure.get_figheight() - banner
    if banner:
        place = 0.4 / WIDTH, 1 - 0.14 / figure.get_figheight()
        figure.text(*place, safety_text(answer, language), fontsize=10.5, fontweight="bold", color=WARNING, va="top")
    for found, height in zip(outcomes, heights, strict=True):
        _draw_outcome(figure, found, top, height, language)
        top -= height
    footer = _footer(answer, outcomes, language)
    figure.text(0.4 / WIDTH, 0.12 / figure.get_figheight(), footer, fontsize=8.5, color=QUIET, va="bottom")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def sentence(found: dict[str, Any], language: str = "en") -> str:
    """Say the risk as natural frequencies, with its interval and the reference."""
    return f"{_headline(found, language)}\n({_context(found, language)})"


_NO_DAY = {"nb": "ukjent dag", "en": "day unknown"}


def safety_text(answer: dict[str, Any], language: str = "en") -> str:
    """Say what must be looked at before any risk; empty where nothing is flagged."""
    flags = answer["safety_flags"]
    if not flags:
        return ""
    days = ", ".join(dict.fromkeys(flag["answered_on"] or _NO_DAY[language] for flag in flags))
    return textwrap.fill(f"{flags[0]['notice']['message'][language]} ({days})", 125)


def reason_text(reason: dict[str, Any], language: str = "en") -> str:
    """One reason in a line: what, how much, and from when if it is an answer or a sample."""
    when = f" ({reason['observed_on']})" if reason["observed_on"] else ""
    # Hard spaces, so that a line never breaks between a number and its unit.
    shown = reason["shown"][language].replace(" ", "\N{NO-BREAK SPACE}")
    return f"{reason['label'][language]}: {shown}{when}"


def _headline(found: dict[str, Any], language: str) -> str:
    label = found["label"][language]
    # Only its first letter: "Burnout (CBI 50 or more)" keeps its acronym.
    words = {"count": round(100 * found["risk"]), "label": label[:1].lower() + label[1:]}
    return _WORDS[language]["headline"].format(**words)


def _context(found: dict[str, Any], language: str) -> str:
    reference = round(100 * found["reference_risk"])
    if found["interval"] is None:
        return _WORDS[language]["no interval"].format(reference=reference)
    low, high = (round(100 * bound) for bound in found["interval"])
    return _WORDS[language]["context"].format(low=low, high=high, reference=reference)


def _draw_outcome(figure: Any, found: dict[str, Any], top: float, height: float, language: str) -> None:
    """Draw one outcome into the strip of the figure that begins ``top`` inches above its lower edge."""
    total = figure.get_figheight()
    left = 0.4 / WIDTH
    figure.text(
        left, (top - 0.2) / total, _headline(found, language), fontsize=16, fontweight="bold", color=INK, va="top"
    )
    figure.text(left, (top - 0.52) / total, _context(found, language), fontsize=11, color=QUIET, va="top")
    inner = height - _HEAD - _PANEL_FOOT
    side = min(inner, 2.4)
    icons = figure.add_axes((left, (top - _HEAD - side) / total, side / WIDTH, side / total))
    _draw_icons(icons, round(100 * found["risk"]))
    bars = figure.add_axes((7.3 / WIDTH, (top - _HEAD - inner) / total, 3.9 / WIDTH, inner / total))
    _draw_reasons(bars, found["reasons"], language)


def _draw_icons(axis: Any, count: int) -> None:
    positions = [(i % 10, -(i // 10)) for i in range(100)]
    colours = [RAISES if i < count else REST for i in range(100)]
    axis.scatter(*zip(*positions, strict=True), c=colours, s=105, linewidths=0)
    axis.set(xlim=(-0.5, 9.5), ylim=(-9.5, 0.5))
    axis.set_axis_off()


def _draw_reasons(axis: Any, reasons: list[dict[str, Any]], language: str) -> None:
    ordered = sorted(reasons, key=lambda reason: reason["contribution"])
    values = [reason["contribution"] for reason in ordered]
    places = range(len(ordered))
    axis.barh(places, values, color=[RAISES if value > 0 else LOWERS for value in values], height=0.62)
    labels = [textwrap.fill(reason_text(reason, language), _LABEL_CHARACTERS) for reason in ordered]
    axis.set_yticks(places, labels, fontsize=9, color=INK, linespacing=1.05)
    # The same reach on both sides, so that lengths compare and both captions have room.
    reach = 1.05 * max((abs(value) for value in values), default=1.0)
    axis.set(xlim=(-reach, reach), ylim=(-0.6, max(len(ordered), _FEWEST_ROWS) - 0.4))
    axis.axvline(0, color=INK, linewidth=1.0)
    for place, words, colour in ((0.0, "lowers", LOWERS), (1.0, "raises", RAISES)):
        align = "left" if place == 0 else "right"
        caption = _WORDS[language][words]
        axis.text(place, -0.03, caption, color=colour, ha=align, va="top", fontweight="bold", transform=axis.transAxes)
    axis.set_xticks([])
    axis.spines[:].set_visible(False)
    axis.tick_params(axis="y", length=0, pad=8)


def _footer(answer: dict[str, Any], outcomes: list[dict[str, Any]], language: str) -> str:
    words = _WORDS[language]
    if not outcomes:
        return words["nobody"]
    models = [f"{found['model']['name']} {words['version']} {found['model']['version']}" for found in outcomes]
    text = words["footer"].format(
        synthetic=words["synthetic"] if any(found["model"]["synthetic"] for found in outcomes) else "",
        day=answer["index_date"],
        models=", ".join(models),
    )
    return textwrap.fill(text, _FOOTER_CHARACTERS)
