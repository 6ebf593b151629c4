"""Verb monitor: what has changed since the champions were trained, and whether somebody must look. Nothing is changed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from data_contracts.errors import ArtifactError, MissingInputError, NotEnoughDataError, SettingsError
from data_contracts.readers.parquet_files import day_span, n_partitions
from data_contracts.time_windows import latest_index_date, today
from models.monitoring.false_discovery import alarms
from pipeline.build_training_set import configured_outcome
from pipeline.console import progress, write_json
from pipeline.in_service import champion_in_service
from pipeline.lacking import lines as lacking_lines
from pipeline.lacking import told, with_data
from pipeline.monitoring.arrival import EVENT_DAYS, arrival
from pipeline.monitoring.contacts import stored_contacts
from pipeline.monitoring.metrics_file import write_metrics
from pipeline.monitoring.outcome_report import Look, report_of, trained_on, windows_for
from pipeline.monitoring.page import html
from pipeline.score import promoted
from pipeline.settings import Settings
from pipeline.workspace import Workspace, is_synthetic, require

ALARM = 10
"""Exit code when somebody must look: no error has it (data_contracts/errors.py and its subclasses have 2 to 9)."""

FILES = ("report.html", "report.json", "metrics.prom")


def run(
    workspace: Workspace,
    settings: Settings,
    outcomes: list[str] | None,
    index_date: date | None = None,
    months: int | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Compare today with the training, write the report, and return it.

    Parameters
    ----------
    workspace : Workspace
    settings : Settings
    outcomes : list of str or None
        None: all that have a champion in service.
    index_date : date, optional
        Everything is as it was known on this morning. None: today, so that silence is heard; of simulated data the morning
        after the last record.
    months : int, optional
        Instead of the setting.
    out : Path, optional
        Directory; default data/monitoring/<index date>.

    Raises
    ------
    MissingInputError
        Nothing is ingested or promoted.
    NotEnoughDataError
        No outcome has enough eligible persons.
    """
    tables = require(workspace.tables / "persons.parquet", "ingest").parent
    chosen = outcomes or promoted(workspace.bundles)
    models = {name: _champion(workspace, name) for name in chosen}
    on, begun = index_date or _default_day(workspace, tables), _begun(tables)
    if on > latest_index_date():
        raise SettingsError(f"--index-date {on}: what is known today counts until {latest_index_date()}, not later.")
    months = months or settings.monitoring.months
    first = Look(workspace, settings, on, months, begun, stored_contacts(workspace, on), ())
    arrived = _arrival(first, tables, [trained_on(model) for model in models.values()])
    look = Look(workspace, settings, on, months, begun, first.contacts, arrived["late_tables"])

    def looked(name: str) -> dict[str, Any]:
        outcome = configured_outcome(name, settings)
        with progress(f"monitor {name}", n_partitions(tables) + 1) as advance:
            return report_of(
                look, tables, models[name], outcome, windows_for(look, tables, models[name], outcome, advance)
            )

    found, lacking = with_data(chosen, looked)
    report = {
        "index_date": on.isoformat(), "months": months, "synthetic": is_synthetic(workspace), "arrival": arrived,
        "outcomes": found, "not_enough_data": told(lacking),
        "alarm": arrived["alarm"] or any(one["alarm"] for one in found.values()),
    }  # fmt: skip
    home = out or workspace.root / "data" / "monitoring" / on.isoformat()
    report["paths"] = [str(home / name) for name in FILES]
    report["summary"] = "\n".join([*_lines(report), *lacking_lines(lacking)])
    _write(report, home)
    return report


def _write(report: dict[str, Any], home: Path) -> None:
    page, document, metrics = (home / name for name in FILES)
    write_json(document, report)
    page.write_text(html(report), encoding="utf-8")
    write_metrics(report, metrics)


def _champion(workspace: Workspace, name: str) -> Any:
    champion = champion_in_service(workspace, name)
    if champion is None:
        raise MissingInputError(
            f"No champion of {name} is promoted in {workspace.bundles}: there is nothing in service to monitor. "
            "Run: balance-risk promote"
        )
    if champion.model is None:
        raise ArtifactError(
            f"The champion of {name} is refused, by the service as by monitor: {champion.about.refused}"
        )
    return champion.model


def _default_day(workspace: Workspace, tables: Path) -> date:
    if not is_synthetic(workspace):
        return today()
    return min(max(span[1] for span in _spans(tables)) + timedelta(days=1), today())


def _begun(tables: Path) -> date:
    """Return the day from which answers came, or absence where there are no answers; see ``Look.begun``."""
    spans = [day_span(tables, name, "known_from") for name in ("survey_answers", "absence_spells")]
    return next(span[0] for span in [*spans, *_spans(tables)] if span is not None)


def _spans(tables: Path) -> list[tuple[date, date]]:
    spans = [span for span in (day_span(tables, name, "known_from") for name in EVENT_DAYS) if span is not None]
    if not spans:
        raise NotEnoughDataError("There are no survey answers, measurements or absences: nothing to monitor.")
    return spans


def _arrival(look: Look, tables: Path, periods: list[tuple[date, date]]) -> dict[str, Any]:
    """Look at the tables once for all outcomes, against the training period of the first champion."""
    settings = look.settings
    with progress("monitor arrival", len(EVENT_DAYS)) as advance:
        found, moved = arrival(
            tables, look.index_date, look.months, look.references(*periods[0]), settings.training.registration_lag_days,
            advance,
        )  # fmt: skip
    called = alarms(moved, settings.monitoring.false_discovery_rate, look.smallest)
    # Sooner than before is no fault.
    late = [one.leading[0].name for one in called if (one.leading[0].difference or 0.0) > 0]
    silent = [name for name, one in found.items() if one["is_silent"]]
    for name, one in found.items():
        one["word"] = "alarm" if name in late + silent else "nothing found"
    return {
        "tables": found,
        "late": late,
        "silent": silent,
        "late_tables": sorted({*late, *silent}),
        "alarm": bool(late or silent),
    }


def _lines(report: dict[str, Any]) -> list[str]:
    arrived = report["arrival"]
    lines = [
        f"monitor as of {report['index_date']}: {'ALARM' if report['alarm'] else 'nothing found'}; {report['paths'][0]}"
    ]
    lines += [f"  records of {name} arrive later than they did" for name in arrived["late"]]
    lines += [
        f"  {name}: nothing new for {arrived['tables'][name]['quiet_days']} days, since "
        f"{arrived['tables'][name]['last_known_from']}"
        for name in arrived["silent"]
    ]
    for name, one in report["outcomes"].items():
        words = ", ".join(f"{section} {word}" for section, word in one["sections"].items())
        lines.append(f"  {name} {one['model']['version']}, {one['persons']['current']} persons: {words}")
        lines.append(f"    proposal: {one['proposal']['step']}")
        lines += [f"      {said}" for _, said in one["proposal"]["evidence"]]
    return lines
