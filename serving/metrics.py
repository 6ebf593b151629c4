"""Counts for Prometheus. Labels are addresses as declared: as asked they name persons, and a scanner makes endless many.

Several worker processes share their counts through the directory that ``PROMETHEUS_MULTIPROC_DIR`` names (BentoML sets it).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from serving.bundle_watch import BundleWatch
from serving.store.outbox import STATES

__all__ = ["CONTENT_TYPE_LATEST", "describe_messages", "describe_models", "describe_store", "exposition", "observe"]

_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter("balance_risk_requests", "Requests answered.", ("method", "route", "status"))
DURATION = Histogram(
    "balance_risk_request_seconds", "From the first byte of a request to its answer.", ("route",), buckets=_SECONDS
)
MODEL = Gauge(
    "balance_risk_model_in_service",
    "1 for the version in service.",
    ("outcome", "version"),
    multiprocess_mode="mostrecent",
)
REFUSED = Gauge(
    "balance_risk_bundle_refused", "1 while the promoted bundle of an outcome is refused.", ("outcome",),
    multiprocess_mode="mostrecent",
)  # fmt: skip
MESSAGES = Gauge(
    "balance_risk_alert_messages", "Messages about alerts, of all teams: waiting, delivered, given up.", ("state",),
    multiprocess_mode="mostrecent",
)  # fmt: skip
READY = Gauge("balance_risk_ready", "1 while requests can be answered.", multiprocess_mode="mostrecent")
STORE = Gauge("balance_risk_store_there", "1 while the store answers.", multiprocess_mode="mostrecent")


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer."""
    REQUESTS.labels(method, route, str(status)).inc()
    DURATION.labels(route).observe(seconds)


def describe_models(watch: BundleWatch, is_ready: bool) -> None:
    """Bring the gauges about models up to date."""
    READY.set(is_ready)
    refused = watch.refused()
    versions = watch.versions()
    for outcome in {*refused, *versions, *_seen}:
        REFUSED.labels(outcome).set(outcome in refused)
    _seen.update(refused)
    for outcome, version in _in_service - versions.items():
        MODEL.labels(outcome, version).set(0)
    for outcome, version in versions.items():
        MODEL.labels(outcome, version).set(1)
    _in_service.update(versions.items())


def describe_store(is_there: bool) -> None:
    """Bring the gauge about the store up to date; by the time that nobody is answered it has been away for a minute."""
    STORE.set(is_there)


def describe_messages(by_team: Mapping[str, Mapping[str, int]]) -> None:
    """Bring the gauges about messages up to date, all teams together: who scrapes needs no token."""
    for state in STATES:
        MESSAGES.labels(state).set(sum(counts.get(state, 0) for counts in by_team.values()))


_seen: set[str] = set()
_in_service: set[tuple[str, str]] = set()


def exposition() -> bytes:
    """Return all counts in Prometheus' text format."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
