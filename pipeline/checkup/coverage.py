"""Who could be scored the morning after the newest row, who may be learnt from, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.domains import DOMAIN_LABELS
from data_contracts.instruments import CORE, VALID_DAYS
from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.records import Purpose, Source
from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import FEATURES, POSITIONS
from features.histories import Histories
from models.cohorts import published_contexts
from pipeline.checkup.finding import Finding
from pipeline.console import progress

HALF = 0.5


@dataclass
class Coverage:
    """Counts over all partitions: persons at work, of them those with each source's consent, and with each feature known."""

    at_work: int
    consented: dict[Purpose, np.ndarray]
    known: np.ndarray


def coverage(home: Path, day: date) -> Coverage:
    """Count on one morning; the features are those of risk scoring, computed as for a score."""
    purposes: tuple[Purpose, ...] = ("risk_scoring", "model_training", "aggregate_reporting")
    found = Coverage(0, {name: np.zeros(len(SOURCES), int) for name in purposes}, np.zeros(len(FEATURES), int))
    partitions = n_partitions(home)
    with progress(f"what is known on {day}", partitions) as advance:
        for partition in range(partitions):
            tables = read_partition(home, partition)
            for purpose in purposes:
                histories = Histories.from_tables(tables, purpose=purpose, consent_on=day, data_as_of=day)
                found.consented[purpose] += histories.consented.sum(axis=0)
                if purpose == "risk_scoring":
                    t = day_number(day)
                    values = build_features(histories, t, published_contexts(histories)(t)).values
                    is_at_work = values[:, POSITIONS["employed"]] > 0
                    found.at_work += int(is_at_work.sum())
                    found.known += np.isfinite(values[is_at_work]).sum(axis=0)
            advance(1)
    return found


def findings(found: Coverage, day: date, n_persons: int) -> Iterator[Finding]:
    """Tell what the counts mean."""
    at_work = found.at_work
    if not at_work:
        yield Finding(
            "problem", "at work", f"nobody with an employment and consent on {day}",
            "Look at the dates of employments and consents: docs/data_dictionary.md.",
        )  # fmt: skip
        return
    yield Finding("good", "at work", f"{at_work} of {n_persons} persons on {day}")
    for purpose, counts in found.consented.items():
        shares = {source: count / n_persons for source, count in zip(SOURCES, counts, strict=True)}
        yield _of_consent(purpose, shares)
    yield from _of_answers(found, at_work)
    yield from _of_domains(found, at_work)


def _of_consent(purpose: Purpose, shares: Mapping[Source, float]) -> Finding:
    said = ", ".join(f"{source} {share:.0%}" for source, share in shares.items())
    lacking = [source for source, share in shares.items() if share < HALF]
    if not lacking:
        return Finding("good", f"consent to {purpose}", said)
    return Finding(
        "note", f"consent to {purpose}", said,
        f"Of less than half for {', '.join(lacking)}: what rests on these sources is thin, and not of everybody.",
    )  # fmt: skip


def _of_answers(found: Coverage, at_work: int) -> Iterator[Finding]:
    shares = {
        instrument.name: max(found.known[POSITIONS[scale.name]] for scale in scales) / at_work
        for instrument in CORE
        if (scales := [scale for scale in instrument.scales if scale.name in POSITIONS])
    }
    never = [name for name, share in shares.items() if share == 0]
    if never:
        yield Finding(
            "note", "questionnaire", f"never answered: {', '.join(never)}",
            "The recommended set and its items: docs/instruments.md. Risks can be given without them, with wider intervals.",
        )  # fmt: skip
    answered = {name: share for name, share in shares.items() if share > 0}
    if answered:
        said = ", ".join(f"{name} {share:.0%}" for name, share in answered.items())
        yield Finding("good", f"current answers (of the last {VALID_DAYS} days) by instrument", said)


def _of_domains(found: Coverage, at_work: int) -> Iterator[Finding]:
    for domain, labels in DOMAIN_LABELS.items():
        columns = [position for position, feature in enumerate(FEATURES) if feature.domain == domain]
        if columns and not found.known[columns].any():
            yield Finding(
                "note", labels["en"], f"none of {len(columns)} features is known of anybody",
                "Explanations will say that nothing is known here.",
            )  # fmt: skip
    share = float(found.known.mean() / at_work)
    yield Finding("good" if share > HALF else "note", "known on average", f"{share:.0%} of {len(FEATURES)} features")


def morning_after(newest: date) -> date:
    """Return the first morning on which a row of that day can be seen."""
    return newest + timedelta(days=1)
