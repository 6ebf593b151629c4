"""Burnout Assessment Tool (BAT-23): the four core dimensions of burnout. The ten secondary symptoms are not scored."""

from __future__ import annotations

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

LICENCE = (
    "© Wilmar Schaufeli, Hans De Witte & Steffie Desart, all rights reserved: the customer gets permission and wording from "
    "burnoutassessmenttool.be."
)

_LABELS = {
    "core": ("Tegn på utmattelse i jobben, samlet", "Signs of exhaustion at work, overall"),
    "exhaustion": ("Tretthet i jobben", "Tiredness at work"),
    "mental_distance": ("Avstand til jobben", "Distance from work"),
    "cognitive": (
        "Vansker med konsentrasjon og hukommelse i jobben",
        "Difficulty concentrating and remembering at work",
    ),
    "emotional": ("Vansker med å styre følelser i jobben", "Difficulty managing feelings at work"),
}


def dimension_items(n_items: dict[str, int]) -> dict[str, tuple[str, ...]]:
    """Return the item ids of each dimension, numbered within it."""
    return {part: tuple(f"{part}_{number}" for number in range(1, n + 1)) for part, n in n_items.items()}


def scales(name: str, items: dict[str, tuple[str, ...]], *, at_risk: float, severe: float) -> tuple[Scale, ...]:
    """Return the core scale with its published bands, and the four dimensions, whose cut-offs are weaker, without."""
    every_item = tuple(item for part in items.values() for item in part)
    bands = (Band("low", 1), Band("at_risk", at_risk), Band("severe", severe))
    return (
        _scale(name, "core", every_item, bands),
        *(_scale(name, part, members, ()) for part, members in items.items()),
    )


def _scale(name: str, part: str, items: tuple[str, ...], bands: tuple[Band, ...]) -> Scale:
    label_nb, label_en = _LABELS[part]
    form = f"{name[:3].upper()}-{name[3:]}"
    return Scale(
        name=f"{name}_{part}",
        items=items,
        method="mean",
        # At least 80 %, rounded up.
        fewest_answers=-(-len(items) * 4 // 5),
        minimum=1,
        maximum=5,
        higher_is_worse=True,
        domain="stress_and_work_environment",
        modifiable=True,
        label_nb=f"{label_nb} ({form})",
        label_en=f"{label_en} ({form})",
        bands=bands,
    )


_ITEMS = dimension_items({"exhaustion": 8, "mental_distance": 5, "cognitive": 5, "emotional": 5})

BAT23 = Instrument(
    name="bat23",
    title="Burnout Assessment Tool, 23 items",
    items=tuple(Item(item, (1.0, 2.0, 3.0, 4.0, 5.0)) for part in _ITEMS.values() for item in part),
    scales=scales("bat23", _ITEMS, at_risk=2.59, severe=3.02),
    coding="1 = never, 5 = always. Items are numbered within their dimension, in printed order.",
    licence=LICENCE,
    source=(
        "Schaufeli WB, De Witte H, Desart S. Manual Burnout Assessment Tool (BAT), version 2.0. KU Leuven 2020. Cut-offs: "
        "Schaufeli WB, et al. Scand J Work Environ Health 2023;49:293-302 (values recalled). At least 80 % answered: our "
        "own rule."
    ),
    licence_kind="scoring_only",
)
