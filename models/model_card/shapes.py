"""Parts of a report whose own shape is no table for a reader: brought into rows first, or left as they are if unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.model_card.numbers import cell, words

EVERY = 5
"""Of the thresholds of a decision curve every fifth is printed; the picture has all."""


LEADING = ("auroc", "observed_to_expected", "calibration_slope", "ici", "scaled_brier", "brier", "log_loss")
"""The numbers that a reader looks for first; the others follow."""


def performance(models: Mapping[str, Any], champion: str) -> list[dict[str, Any]]:
    """Return one row per number and one column per model, the champion first and marked: a phone shows these two."""
    names = sorted(models, key=lambda name: name != champion)
    there = dict.fromkeys(measure for found in models.values() for measure in found)
    titles = {name: f"{words(name)} (champion)" if name == champion else words(name) for name in names}
    return [
        {"": words(measure)} | {titles[name]: cell(measure, models[name].get(measure)) for name in names}
        for measure in dict.fromkeys((*(name for name in LEADING if name in there), *there))
    ]


def decision_curve(curve: Mapping[str, Any], champion: str) -> list[dict[str, Any]]:
    """Return one row per threshold: net benefit of the champion, of treating all, and the gain over the better default."""
    columns = {"champion": curve["net_benefit"][champion], "treat_all": curve["net_benefit"]["treat_all"],
               "gain_over_defaults": curve["gain_over_defaults"]}  # fmt: skip
    return [
        {"threshold": f"{threshold:.2f}"}
        | {name: {end: column[end][place] for end in ("value", "low", "high")} for name, column in columns.items()}
        for place, threshold in enumerate(curve["thresholds"])
        if place % EVERY == 0
    ]


def subgroups(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per group of each attribute; a suppressed group has its reason and nothing else."""
    shown = (
        "persons",
        "events",
        "persons_with_event",
        "observed_to_expected",
        "auroc",
        "calibration_slope",
        "false_negative_rate",
        "net_benefit",
    )
    return [
        {"attribute": attribute["label_en"], "group": group["label_en"]}
        | {name: group.get(name) for name in shown}
        | {"not_shown_because": group.get("suppressed") or ""}
        for attribute in found["attributes"]
        for group in attribute["groups"]
    ]


def internal_external(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the pooled numbers across companies and industries with their prediction intervals."""
    return [
        {"across": across.removeprefix("by_"), "measure": words(name), "pooled": _cut(number),
         "prediction_interval": _ends(number.get("prediction_low"), number.get("prediction_high")),
         "clusters": number.get("clusters"), "tau_squared": number.get("tau_squared")}
        for across in ("by_company", "by_industry")
        for name, number in found[across].get("pooled", {}).items()
    ] + [{"across": across.removeprefix("by_"), "measure": found[across]["reason"]}
         for across in ("by_company", "by_industry") if "reason" in found[across]]  # fmt: skip


def _cut(number: Mapping[str, Any]) -> dict[str, Any]:
    return {end: number.get(end) for end in ("value", "low", "high")}


def _ends(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def against_truth(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per model with its single numbers; the curves of net benefit stay in the report."""
    return [{"model": "attainable by any model", **found["attainable"]}] + [
        {"model": words(name)} | {key: value for key, value in numbers.items() if not isinstance(value, list | dict)}
        for name, numbers in found["models"].items()
    ]


def explanation(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether contributions add up, how stable and how compact reasons are, and what surprises, in words."""
    measured = {part: found[part] for part in ("additivity", "stability", "compacity") if part in found}
    surprises = [one["text"]["en"] for one in found.get("directions", {}).get("surprises", [])]
    return measured | {"surprising_directions": surprises or ["none"]}


def sample_size(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per candidate: what it takes, what there is, and what discrimination was anticipated, and why."""
    verdicts = {found["outcome"]: found} if "enough" in found else found
    shown = ("parameters", "required_persons", "persons", "missing_persons", "enough", "criterion")
    return [
        {"model": name.replace("_", " ")}
        | {key: verdict[key] for key in shown}
        | {"anticipated": verdict["anticipated"].get("c_statistic", verdict["anticipated"].get("r2")),
           "anticipated_because": verdict["anticipated"]["source"]}
        for name, verdict in sorted(verdicts.items(), key=lambda entry: (entry[1]["required_persons"], entry[0]))
    ]  # fmt: skip


def candidates(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the compared candidates without their settings."""
    return [
        {name: words(value) if name == "name" else value for name, value in line.items() if name != "settings"}
        for line in found["candidates"]
    ]


def harm(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the findings with their names as words."""
    return [{name: words(value) if isinstance(value, str) else value for name, value in one.items()} for one in found]


def ablation(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return one row per source: how many features it has, and what it adds, or why that is not known."""
    rows = [
        {"source": words(name), "features": one["features"], "available": one["available"]}
        | (one.get("gain") or {})
        | {"not_shown_because": one.get("reason", "")}
        for name, one in found["sources"].items()
    ]
    return {name: value for name, value in found.items() if name != "sources"} | {"sources": rows}


def permutation(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the test on all labels with the range that chance reaches, and one row per domain of features."""
    range_of_chance = {"chance": _ends(*found["test"]["chance"])} if "chance" in found["test"] else {}
    domains = [{name: value for name, value in one.items() if name != "name"} for one in found["domains"]["domains"]]
    return {"labels": found["test"] | range_of_chance, "one_domain_shuffled": domains}


def ranked(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the importance of domains, then of the twenty strongest features, strongest first."""
    rows = []
    for kind, most in (("domains", None), ("features", 20)):
        numbers = sorted(found[kind].items(), key=lambda entry: (-entry[1]["value"], entry[0]))
        rows += [{"kind": kind.removesuffix("s"), "name": name.replace("_", " "), "mean_absolute_log_odds": number}
                 for name, number in numbers[:most]]  # fmt: skip
    return rows


ADAPTERS: dict[str, Callable[..., Any]] = {
    "report.models": performance,
    "report.decision_curve": decision_curve,
    "report.subgroups": subgroups,
    "report.internal_external": internal_external,
    "report.explanation": explanation,
    "champion.sample_size": sample_size,
    "report.against_truth": against_truth,
    "champion.comparison": candidates,
    "champion.importance": ranked,
    "report.harm": harm,
    "report.ablation": ablation,
    "report.permutation": permutation,
}
_WITH_CHAMPION = ("report.models", "report.decision_curve")


def shaped(path: str, value: Any, champion: str) -> Any:
    """Return a fact in the shape that its table has; as it is where no shape is declared or it is not of that shape."""
    if path not in ADAPTERS:
        return value
    try:
        return ADAPTERS[path](value, champion) if path in _WITH_CHAMPION else ADAPTERS[path](value)
    except (KeyError, TypeError, AttributeError, IndexError):
        return value  # a part that says only why it could not be had
