"""One person's explained risks as a picture: how many of a hundred, compared with whom, and which factors pull which way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

RAISES, LOWERS, REST = "#D55E00", "#0072B2", "#D9D9D9"  # told apart by colour-blind readers, and by side


def draw(answer: dict[str, Any], path: Path, language: str = "en") -> None:
    """Draw the answer of ``/v1/risk`` into a PNG file; outcomes without a number are left out."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    outcomes = {name: found for name, found in answer["outcomes"].items() if found["risk"] is not None}
    figure, axes = plt.subplots(
        len(outcomes),
        2,
        figsize=(12, 0.6 + 4.0 * len(outcomes)),
        width_ratios=(1, 2.4),
        squeeze=False,
        layout="constrained",
    )
    for (icons, bars), found in zip(axes, outcomes.values(), strict=True):
        _draw_icons(icons, found, language)
        _draw_reasons(bars, found["reasons"], language)
    figure.suptitle(_footer(answer, outcomes), fontsize=9, color="#555555", y=-0.01, va="top")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def sentence(found: dict[str, Any], language: str = "en") -> str:
    """Say the risk as natural frequencies, with its interval and the reference."""
    count, reference = round(100 * found["risk"]), round(100 * found["reference_risk"])
    low, high = (round(100 * bound) for bound in found["interval"])
    label = found["label"][language].lower()
    if language == "nb":
        return f"{count} av 100 med lignende profil: {label}\n(usikkerhet {low}–{high}; referansegruppen {reference} av 100)"
    return f"{count} of 100 with a similar profile: {label}\n(uncertainty {low}–{high}; reference group {reference} of 100)"


def _draw_icons(axis: Any, found: dict[str, Any], language: str) -> None:
    count = round(100 * found["risk"])
    positions = [(i % 10, -(i // 10)) for i in range(100)]
    colours = [RAISES if i < count else REST for i in range(100)]
    axis.scatter(*zip(*positions, strict=True), c=colours, s=90)
    axis.set_aspect("equal")
    axis.set_axis_off()
    axis.set_title(sentence(found, language), fontsize=10, loc="left", fontweight="bold")


def _draw_reasons(axis: Any, reasons: list[dict[str, Any]], language: str) -> None:
    ordered = sorted(reasons, key=lambda reason: reason["contribution"])
    values = [reason["contribution"] for reason in ordered]
    axis.barh(range(len(ordered)), values, color=[RAISES if value > 0 else LOWERS for value in values], height=0.65)
    axis.set_yticks(range(len(ordered)), [reason_text(reason, language) for reason in ordered], fontsize=9)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_xlabel("◀ lowers       contribution to the log-odds       raises ▶", fontsize=9)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(axis="y", length=0)


def reason_text(reason: dict[str, Any], language: str = "en") -> str:
    """One reason in a line: what, how much, and from when."""
    value = "unknown" if reason["value"] is None else f"{reason['value']:g} {reason['unit']}".strip()
    when = f" ({reason['observed_on']})" if reason["observed_on"] else ""
    return f"{reason['label'][language]}: {value}{when}"


def _footer(answer: dict[str, Any], outcomes: dict[str, Any]) -> str:
    models = "; ".join(f"{found['model']['name']} version {found['model']['version']}" for found in outcomes.values())
    synthetic = "SYNTHETIC person. " if any(found["model"]["synthetic"] for found in outcomes.values()) else ""
    return (
        f"{synthetic}Index date {answer['index_date']}. {models}. Not clinically validated. A factor describes what the model "
        "associates with risk; it is not a cause."
    )
