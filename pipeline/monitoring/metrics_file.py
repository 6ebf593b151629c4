"""The numbers of a run in Prometheus' text format, for the textfile collector of node_exporter."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from pipeline.monitoring.section_words import NOT_COMPARED, TOO_FEW

PREFIX = "balance_risk_monitor_"

NOT_JUDGED = (TOO_FEW, NOT_COMPARED)
"""Words of a section that has no line."""


def write_metrics(report: dict[str, Any], path: Path) -> None:
    """Write a report's numbers, whole or not at all; no label names a person, a workplace or a value of one."""
    registry = CollectorRegistry()
    _gauge(registry, "alarm", "1 if somebody must look.").set(report["alarm"])
    as_of = datetime.fromisoformat(report["index_date"]).replace(tzinfo=UTC).timestamp()
    _gauge(registry, "index_date_timestamp_seconds", "Morning that the numbers are of.").set(as_of)
    _arrival(registry, report["arrival"]["tables"])
    _outcomes(registry, report["outcomes"])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)


def _gauge(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(PREFIX + name, meaning, labels, registry=registry)


def _arrival(registry: CollectorRegistry, tables: dict[str, Any]) -> None:
    quiet = _gauge(registry, "table_quiet_days", "Days since the last record.", "table")
    delay = _gauge(registry, "table_delay_days", "Median days from event to record, in the window.", "table")
    late = _gauge(registry, "table_alarm", "1 if records come later than they did, or none.", "table")
    for name, found in tables.items():
        late.labels(name).set(found["word"] == "alarm")
        if found["quiet_days"] is not None:
            quiet.labels(name).set(found["quiet_days"])
        if "median_days" in found["now"]:
            delay.labels(name).set(found["now"]["median_days"])


def _outcomes(registry: CollectorRegistry, outcomes: dict[str, Any]) -> None:
    section = _gauge(registry, "section_alarm", "1 if the section calls; absent: not judged.", "outcome", "section")
    domain = _gauge(registry, "input_alarm", "1 if a feature group moved; absent: too few to say.", "outcome", "domain")
    persons = _gauge(registry, "persons", "Persons compared at the index date.", "outcome")
    e_value = _gauge(registry, "calibration_e_value", "Evidence against calibration now.", "outcome")
    highest = _gauge(registry, "calibration_e_value_highest", "The largest so far; alarm from 1 / alpha on.", "outcome")
    metric = _gauge(registry, "performance", "Of rows whose labels are known.", "outcome", "metric", "bound")
    proposal = _gauge(registry, "proposal", "1 for the step that is proposed.", "outcome", "step")
    for name, found in outcomes.items():
        persons.labels(name).set(found["persons"]["current"])
        proposal.labels(name, found["proposal"]["step"]).set(1)
        for title, word in found["sections"].items():
            if word not in NOT_JUDGED:
                section.labels(name, title).set(word == "alarm")
        for one in found["inputs"]:
            if one["word"] != "too few":
                domain.labels(name, one["domain"]).set(one["word"] == "alarm")
        if "e_value" in found["calibration"]:
            e_value.labels(name).set(found["calibration"]["e_value"])
            highest.labels(name).set(found["calibration"]["highest"])
        for title, number in found["performance"].get("metrics", {}).items():
            for bound, value in number.items():
                if value is not None:
                    metric.labels(name, title, bound).set(value)
