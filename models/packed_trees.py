"""Many ensembles of boosted trees at once for one row: what the interval of the refits asks for.

LightGBM walks from node to node, each in another place of memory, so twenty refits of one model cost twenty times their cache
misses. Here every split of all of them is asked in one pass over arrays that lie together. A split that says "not left" strikes
out the leaves below its left branch; the first leaf that nobody struck out is where the walk would have ended (Lucchese et al.,
QuickScorer, SIGIR 2015). Leaf values are added in the order of the trees, so the sums have LightGBM's bits. Whoever packs
compares (:func:`packed`): what does not come out alike, or has splits that are not told by a threshold, stays with LightGBM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from models.booster import Trees, margins_of_row

_MOST_LEAVES = 64
_ZERO = float(np.float32(1e-35))
"""What lies no further from 0 is 0 to LightGBM."""
_DEFAULT_LEFT, _CATEGORICAL = 2, 1
_PROBES = 64


@dataclass(frozen=True)
class _Tree:
    """One tree, its leaves numbered from left to right: per split the variant and column of the value, the threshold, the
    leaves that stay if it says "not left"; per leaf its value."""

    variants: list[int]
    thresholds: list[float]
    masks: list[int]
    values: list[float]


@dataclass(frozen=True, eq=False)
class PackedTrees:
    """Trees of many ensembles, side by side; padded with trees of nothing where an ensemble has fewer.

    Parameters
    ----------
    columns : intp array, shape (n_splits, n_trees * n_ensembles)
        Which value each split looks at, among the five readings of a row that :func:`_readings` makes.
    thresholds, masks : arrays of that shape
    values : float64 array, shape (n_leaves * n_trees * n_ensembles,)
        By leaf, then tree, then ensemble.
    shape : tuple of int
        Trees of the longest ensemble, and ensembles.
    """

    columns: np.ndarray
    thresholds: np.ndarray
    masks: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]

    @cached_property
    def signed(self) -> np.dtype[Any]:
        """The signed type of the masks' size."""
        return np.dtype(f"i{self.masks.itemsize}")

    @cached_property
    def trees(self) -> np.ndarray:
        """Position of every tree."""
        return np.arange(self.masks.shape[1])

    def margins(self, row: np.ndarray) -> np.ndarray:
        """Return the raw score that each ensemble gives one float32 row of shape (1, n_features); float64, one each."""
        # "clip" spares the check of places that are right by construction, which takes longer than the reading.
        goes_left = _readings(row[0]).take(self.columns, mode="clip") <= self.thresholds
        # Minus one has every bit set.
        stays = -goes_left.view(np.int8).astype(self.signed)
        left = np.bitwise_and.reduce(stays.view(self.masks.dtype) | self.masks, axis=0)
        # The lowest bit that is set is the first leaf; below it lie as many bits as it has leaves before it.
        leaf = np.bitwise_count((left & -left) - left.dtype.type(1)).astype(np.intp)
        values = self.values.take(leaf * len(leaf) + self.trees, mode="clip")
        # Not a sum, which may add in another order: an accumulation goes tree after tree.
        return np.asarray(np.add.accumulate(values.reshape(self.shape), axis=0)[-1])


_ALL = np.array(2**64 - 1, dtype=np.uint64)


def _readings(row: np.ndarray) -> np.ndarray:
    """Return a row as the five kinds of split see it, so that ``value <= threshold`` is all that is left to ask.

    Where what is missing goes has been decided in training: minus infinity is left of every
    threshold, NaN of none. Kinds are in the order of
    :func:`_variant`: no missing values known (they are 0), zeros are missing (left, right), NaN is missing (left, right).
    """
    values = row.astype(np.float64)
    is_nan = values != values
    values[is_nan | (np.abs(values) <= _ZERO)] = 0.0
    found = np.empty((5, len(values)))
    found[:] = values
    found[1, values == 0], found[2, values == 0] = -np.inf, np.nan
    found[3, is_nan], found[4, is_nan] = -np.inf, np.nan
    return found.ravel()


def packed(texts: Sequence[str], ensembles: Sequence[Trees], n_features: int) -> PackedTrees | None:
    """Return ensembles as one, None if they cannot be told so, or if any of many odd rows gets other bits than from LightGBM.

    Parameters
    ----------
    texts : sequence of str
        LightGBM's text models.
    ensembles : sequence of Trees
        The same, parsed.
    n_features : int
    """
    trees = [_trees_of(text, n_features) for text in texts]
    if any(one is None for one in trees):
        return None
    found = _pack([one for one in trees if one is not None])
    if found is None:
        return None
    alike = all(
        np.array_equal(found.margins(row), margins_of_row(ensembles, row)) for row in _probes(found, n_features)
    )
    return found if alike else None


def _probes(found: PackedTrees, n_features: int) -> list[np.ndarray]:
    """Return rows of values on, beside and beyond the thresholds, zeros and gaps among them: where readings may differ."""
    random = np.random.default_rng(n_features)
    of_column = found.columns.ravel() % n_features
    thresholds = found.thresholds.ravel()
    rows = []
    for turn in range(_PROBES):
        chosen = random.permutation(len(thresholds))
        row = np.zeros(n_features)
        row[of_column[chosen]] = thresholds[chosen]
        row *= random.choice([1.0, 1.0, 1 + 1e-6, 1 - 1e-6], n_features)
        row[random.random(n_features) < (turn % 4) / 8] = np.nan
        row[random.random(n_features) < (turn % 3) / 8] = 0.0
        with np.errstate(over="ignore"):
            rows.append(row.astype(np.float32)[np.newaxis])
    return rows


def _pack(ensembles: list[list[_Tree]]) -> PackedTrees | None:
    n_trees = max(map(len, ensembles))
    n_leaves = max((len(tree.values) for one in ensembles for tree in one), default=0)
    if not 0 < n_leaves <= _MOST_LEAVES:
        return None
    n_splits, shape = max(1, n_leaves - 1), (n_trees, len(ensembles))
    columns = np.zeros((n_splits, *shape), dtype=np.intp)
    thresholds = np.full(columns.shape, np.inf)
    masks = np.full(columns.shape, _ALL, dtype=np.uint64)
    values = np.zeros((n_leaves, *shape))
    for place, trees in enumerate(ensembles):
        for position, tree in enumerate(trees):
            n = len(tree.masks)
            columns[:n, position, place] = tree.variants
            thresholds[:n, position, place] = tree.thresholds
            masks[:n, position, place] = tree.masks
            values[: n + 1, position, place] = tree.values
    narrow = np.uint16 if n_leaves <= 16 else np.uint32 if n_leaves <= 32 else np.uint64
    flat = (n_splits, -1)
    return PackedTrees(
        columns.reshape(flat), thresholds.reshape(flat), masks.astype(narrow).reshape(flat), values.ravel(), shape
    )


def _trees_of(text: str, n_features: int) -> list[_Tree] | None:
    """Read the trees of a text model; None if a split is of categories, a leaf of numbers, or the output an average."""
    head, *blocks = text.split("end of trees")[0].split("\nTree=")
    if "\naverage_output" in head:
        return None
    found = []
    for block in blocks:
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        kinds = _numbers(told, "decision_type", int)
        if told.get("is_linear", "0") != "0" or any(kind & _CATEGORICAL for kind in kinds):
            return None
        found.append(_tree(told, kinds, n_features))
    return found


def _tree(told: dict[str, str], kinds: list[int], n_features: int) -> _Tree:
    left, right = (_numbers(told, name, int) for name in ("left_child", "right_child"))
    order: list[int] = []
    below: dict[int, int] = {}
    if kinds:
        _walk(0, left, right, order, below)
    values = _numbers(told, "leaf_value", float)
    return _Tree(
        variants=[
            column + _variant(kind) * n_features
            for column, kind in zip(_numbers(told, "split_feature", int), kinds, strict=True)
        ],
        thresholds=_numbers(told, "threshold", float),
        masks=[int(_ALL) & ~below[split] for split in range(len(kinds))],
        values=[values[leaf] for leaf in order] if kinds else values[:1],
    )


def _walk(split: int, left: list[int], right: list[int], order: list[int], below: dict[int, int]) -> None:
    """Number the leaves below a split from left to right into ``order``, and tell which lie on the left of each split."""
    for branch, child in ((left, left[split]), (right, right[split])):
        first = len(order)
        if child < 0:
            order.append(~child)
        else:
            _walk(child, left, right, order, below)
        if branch is left:
            below[split] = (1 << len(order)) - (1 << first)


def _variant(kind: int) -> int:
    """Return which of the readings of a row a split sees: by what it takes for missing, and where that goes."""
    missing = kind >> 2 & 3
    return 0 if missing == 0 else 2 * missing - bool(kind & _DEFAULT_LEFT)


def _numbers(told: dict[str, str], name: str, kind: type) -> list:
    return [kind(word) for word in told.get(name, "").split()]
