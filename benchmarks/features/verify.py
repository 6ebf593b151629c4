"""Whether two tools gave the same features for the same persons.

    python verify.py <data folder> <ours.parquet> <rival.parquet>

Two numbers are the same if both are unknown, or differ by no more than two units in the last place of the larger one in single
precision, or by no more than 1e-9 (what is left when two equal numbers are subtracted). Features are compared one at a time, so
that a million persons need no more memory than a few columns.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

MOST_ULP, SMALLEST = 2, 1e-9
_EXAMPLES = 3


class Verdict(NamedTuple):
    """Outcome of a comparison; ``different`` has the number of persons per feature, ``examples`` a few of them."""

    persons: int
    compared: int
    different: dict[str, int]
    examples: dict[str, list[tuple[str, float, float]]]
    left_out: tuple[str, ...]
    left_out_unknown_for_all: tuple[str, ...]
    undeclared: tuple[str, ...]
    persons_differ: int

    @property
    def is_equal(self) -> bool:
        """True if the same persons have the same features, and none is left out that anybody has."""
        return not (self.different or self.left_out or self.undeclared or self.persons_differ)


def compare(features: list[str], ours: Path, theirs: Path) -> Verdict:
    """Compare the features of two output files."""
    mine, other = pq.ParquetFile(ours), pq.ParquetFile(theirs)
    (ids, order), (other_ids, other_order) = _persons(mine), _persons(other)
    n_strangers = len(np.setxor1d(ids, other_ids))
    given = set(other.schema_arrow.names)
    verdict = Verdict(len(ids), 0, {}, {}, (), (), tuple(sorted(given - {"person_id", *features})), n_strangers)
    if n_strangers or len(ids) != len(other_ids):
        return verdict._replace(persons_differ=max(1, n_strangers))
    left_out: dict[bool, list[str]] = {True: [], False: []}
    for name in features:
        a = _column(mine, name, order)
        if name not in given:
            left_out[bool(np.isnan(a).all())].append(name)
            continue
        b = _column(other, name, other_order)
        differs = ~same(a, b)
        if differs.any():
            rows = np.flatnonzero(differs)
            verdict.different[name] = len(rows)
            verdict.examples[name] = [(str(ids[row]), float(a[row]), float(b[row])) for row in rows[:_EXAMPLES]]
    n_compared = len(features) - len(left_out[True]) - len(left_out[False])
    return verdict._replace(
        compared=n_compared, left_out=tuple(left_out[False]), left_out_unknown_for_all=tuple(left_out[True])
    )


def same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return, per number, whether the two are the same; float32 arrays."""
    larger = np.maximum(np.abs(a), np.abs(b))
    allowed = np.maximum(MOST_ULP * np.spacing(larger).astype(np.float64), SMALLEST)
    both_unknown = np.isnan(a) & np.isnan(b)
    return both_unknown | (np.abs(a.astype(np.float64) - b.astype(np.float64)) <= allowed)


def _persons(file: pq.ParquetFile) -> tuple[np.ndarray, np.ndarray]:
    ids = np.array(file.read(columns=["person_id"])["person_id"].to_pylist())
    order = np.argsort(ids, kind="stable")
    return ids[order], order


def _column(file: pq.ParquetFile, name: str, order: np.ndarray) -> np.ndarray:
    values: Any = file.read(columns=[name])[name].to_numpy()
    return values.astype(np.float32)[order]


def main() -> int:
    data, ours, theirs = map(Path, sys.argv[1:4])
    names = json.loads((data / "facts.json").read_text(encoding="utf-8"))["features"]
    verdict = compare(names, ours, theirs)
    for name, n in verdict.different.items():
        print(f"{name:<40} {n:>8} of {verdict.persons} differ: {verdict.examples[name]}")
    for title in ("left_out", "left_out_unknown_for_all", "undeclared"):
        print(f"{title}: {len(getattr(verdict, title))} {' '.join(getattr(verdict, title))}")
    print(
        f"{verdict.compared} of {len(names)} features of {verdict.persons} persons; {verdict.persons_differ} persons differ"
    )
    print("EQUAL" if verdict.is_equal else "NOT EQUAL")
    return 0 if verdict.is_equal else 1


if __name__ == "__main__":
    sys.exit(main())
