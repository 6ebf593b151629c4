"""Faults planted on purpose into rows that were right, each with the rule of the contract that must catch it.

The rate of a kind is the share of persons (of companies, for workplace events) of whose rows that can have the fault one
gets it. No row gets two, and what is drawn depends on the person alone, so that defects are the same in every cohort that
holds the person. The ledger truth/defects.csv names every cell; ingest must refuse exactly those whose rule is a rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.defects.changes import Kind
from pipeline.simulation.defects.kinds import KINDS
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.rows import Rows

Texts = dict[str, dict[str, dict[int, str]]]
"""Table -> column -> row -> word that stands there instead of a number or a date."""


@dataclass(frozen=True)
class Defect:
    """One planted cell; ``row`` is its place among the block's rows of the table, or its line in a FHIR file."""

    table: str
    row: int
    column: str
    rule: str
    kind: str


def plant_defects(block: Block, tables: dict[str, Rows], format: str) -> tuple[list[Defect], Texts]:
    """Change rows of ``tables`` in place; return what was changed, and the words that no array can hold."""
    wanted, rng = wanted_kinds(block.parameters, format), block.stream("defects")
    found: list[Defect] = []
    texts: Texts = {}
    is_free = {table: np.ones(_count(rows), dtype=bool) for table, rows in tables.items()}
    for kind in KINDS:
        chance, place = rng.random((2, BLOCK_SIZE))  # drawn for every kind, so that none depends on the others' rates
        if kind not in wanted:
            continue
        rows, table = tables[kind.table], kind.table
        chosen = _choose(kind, rows, is_free[table], chance < block.parameters.defects.rates[kind.name], place)
        refused_too = kind.refused_too(rows, chosen)
        if kind.adds_row:
            chosen = _copied(rows, chosen)
            is_free[table] = np.append(is_free[table], np.zeros(len(chosen), dtype=bool))
        kind.change(rows, chosen)
        if kind.word is not None:
            texts.setdefault(table, {}).setdefault(kind.column, {}).update(dict.fromkeys(chosen.tolist(), kind.word))
        is_free[table][np.concatenate([chosen, refused_too])] = False
        found += [Defect(table, row, kind.column, kind.rule, kind.name) for row in chosen.tolist()]
        column, rule = kind.rule_of_others or (kind.column, kind.rule)
        found += [Defect(table, row, column, rule, kind.name) for row in refused_too.tolist()]
    return sorted(found, key=lambda one: (one.table, one.row)), texts


def wanted_kinds(parameters: Parameters, format: str) -> list[Kind]:
    """Return the kinds that the parameters ask for and the format can carry."""
    rates = parameters.defects.rates
    return [kind for kind in KINDS if rates[kind.name] > 0 and (kind.in_fhir or format != "fhir")]


def _choose(kind: Kind, rows: Rows, is_free: np.ndarray, is_hit: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return one row of each person who is hit, among those that can have the fault."""
    owner = rows["person_id" if "person_id" in rows else "company_id"].codes
    candidates = np.flatnonzero(is_free & kind.can_have(rows))
    candidates = candidates[np.argsort(owner[candidates], kind="stable")]
    counts = np.bincount(owner[candidates], minlength=BLOCK_SIZE)
    first = np.cumsum(counts) - counts
    hit = np.flatnonzero(is_hit & (counts > 0))
    return candidates[first[hit] + np.floor(place[hit] * counts[hit]).astype(int)]


def _copied(rows: Rows, chosen: np.ndarray) -> np.ndarray:
    """Append copies of rows; return where they stand."""
    count = _count(rows)
    everything = np.concatenate([np.arange(count), chosen])
    rows.update({name: column[everything] for name, column in rows.items()})
    return count + np.arange(len(chosen))


def _count(rows: Rows) -> int:
    return len(next(iter(rows.values())))
