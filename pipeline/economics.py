"""Verb economics: what prevention costs and gains, as the concept report reckons it and with the user's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_contracts.errors import SettingsError
from models.economics.absence_cost import LENGTH_BY_OUTCOME, cost_of_a_long_spell, days_of_a_long_spell
from models.economics.concept_report import concept_report
from models.economics.inputs import EconomicInputs, described
from models.economics.programme import net_of_programme, programme
from models.economics.sensitivity import tornado
from models.economics.targeting import PAYERS, net_of_top, targeting
from models.evaluation.capacity import ALERTS_PER_100
from pipeline.console import read_json, write_json
from pipeline.economics_effect import REDUCTION, with_measured_effect
from pipeline.settings import read_checked
from pipeline.workspace import Workspace

NO_EVALUATION = "{}: no evaluation of it here, so nothing can be said of targeting. Make it with: balance-risk evaluate"
NOT_IN_KRONER = "{}: has no price here; only long spells of sick leave have one."


def run(workspace: Workspace, outcomes: list[str], inputs: Path | None, alerts_per_100: float) -> dict[str, Any]:
    """Reckon, write ``data/economics/`` and return the report.

    Raises
    ------
    MissingInputError, SettingsError
        The file of inputs is not there, or wrong; the evaluation has no such capacity.
    """
    if alerts_per_100 not in ALERTS_PER_100:
        raise SettingsError(
            f"--alerts-per-100 {alerts_per_100:g}: the evaluation tells of {_listed(ALERTS_PER_100)} only."
        )
    advice = "Name the file with --inputs, or leave it out for the defaults (docs/economics.md)."
    given = read_checked(inputs, EconomicInputs, advice) if inputs else EconomicInputs()
    given, measured = with_measured_effect(workspace, given)
    about = described()
    if measured:
        about[REDUCTION]["source"] = measured
    home = workspace.root / "data" / "economics"
    found = {name: _outcome(workspace, name, given, alerts_per_100, home) for name in outcomes}
    report = {
        **concept_report(),
        "own": {
            "inputs": {name: {**getattr(given, name).model_dump(), **told} for name, told in about.items()},
            "everybody_takes_part": programme(given) | {"tornado": tornado(given, net_of_programme)},
            "targeting": found,
        },
    }
    _draw(
        home / "everybody",
        report["own"]["everybody_takes_part"]["tornado"],
        net_of_programme(given),
        "Everybody takes part",
    )
    report["summary"] = "\n".join(_lines(report, alerts_per_100, home, measured))
    write_json(home / "report.json", report)
    return report


def _outcome(workspace: Workspace, name: str, inputs: EconomicInputs, alerts: float, home: Path) -> dict[str, Any]:
    path = workspace.evaluation(name) / "metrics.json"
    if name not in LENGTH_BY_OUTCOME:
        return {"why_not": NOT_IN_KRONER.format(name)}
    if not path.exists():
        return {"why_not": NO_EVALUATION.format(name)}
    metrics = read_json(path)
    spell = cost_of_a_long_spell(inputs, name)
    rows = tornado(inputs, lambda moved: net_of_top(moved, name, metrics, alerts))
    stamp = "SYNTHETIC data: " if metrics["synthetic"] else ""
    _draw(
        home / name, rows, net_of_top(inputs, name, metrics, alerts), f"{stamp}{name}, top {alerts:g} of 100 contacted"
    )
    return {
        "synthetic": metrics["synthetic"],
        "days_of_an_event": days_of_a_long_spell(name),
        "cost_of_an_event_nok": {payer: getattr(spell, payer) for payer in PAYERS},
        "by_payer": {payer: targeting(inputs, name, metrics, payer) for payer in PAYERS},
        "tornado": {"alerts_per_100": alerts, "rows": rows},
    }


def _draw(place: Path, rows: list[dict[str, Any]], base: float, title: str) -> None:
    from models.economics.figures import draw_tornado  # slow to import

    draw_tornado(rows, base, title, [place.with_suffix(".png"), place.with_suffix(".svg")])


def _lines(report: dict[str, Any], alerts: float, home: Path, measured: str | None) -> list[str]:
    everybody = report["own"]["everybody_takes_part"]
    lines = [
        "economics",
        "  concept report, 1000 workers, prices of 2014"
        + (" (agrees to the krone)" if report["agrees_to_the_krone"] else " (DIFFERS from what is printed)"),
        f"    cost {_kr(report['cost_nok'])}, gain at 5 % less absence {_kr(report['gain_nok'])}",
        f"    net {_kr(report['net_benefit_nok'])}, at 10 % {_kr(report['net_benefit_at_10_percent_nok'])}",
        f"    break-even at {report['break_even_percent']} %, {_kr(report['cost_per_saved_hour_nok'])} per saved hour",
        *([f"  effect from {measured}"] if measured else []),
        "  own numbers, everybody takes part",
        f"    absence costs {_kr(everybody['absence_cost_a_year_nok'])} a year; net {_kr(everybody['net_nok'])}",
    ]
    for name, one in report["own"]["targeting"].items():
        lines += [f"  {one['why_not']}"] if "why_not" in one else _target_lines(name, one, alerts)
    return [*lines, f"  pictures and report.json: {home}"]


def _target_lines(name: str, one: dict[str, Any], alerts: float) -> list[str]:
    found = one["by_payer"]["society"]
    from_risk, best = found["contact_from_risk"], found["best"]
    row = next(row for row in found["top"] if row["alerts_per_100"] == alerts)
    net = row["net_nok"]
    return [
        f"  {name}{' (SYNTHETIC data)' if one['synthetic'] else ''}, for society",
        f"    a contact is worth its price {'at no risk' if from_risk is None else f'from a risk of {from_risk:.3f} on'}",
        f"    contact nobody {_kr(0)}, everybody {_kr(found['everybody_nok'])}, top {alerts:g} of 100 {_kr(net['value'])} "
        f"({_kr(net['low'])} to {_kr(net['high'])}, of the ranking alone)",
        f"    best: {_whom(best)}, {_kr(best['net_nok'])}",
        f"    {found['assumption']}",
    ]


def _whom(best: dict[str, Any]) -> str:
    alerts = best["alerts_per_100"]
    return str(best["contact"]) if alerts is None else f"top {alerts:g} of 100"


def _kr(amount: float | None) -> str:
    return "?" if amount is None else f"NOK {amount:,.0f}".replace(",", " ")


def _listed(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
