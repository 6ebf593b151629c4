"""Is the model better than chance, and which domains carry it: labels, or whole domains, exchanged between persons.

References: Ojala M, Garriga GC. J Mach Learn Res 2010;11:1833 (the test). Breiman L. Mach Learn 2001;45:5; Au Q et al. Data Min
Knowl Discov 2022;36:1401 (grouped importance).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.domains import DOMAIN_LABELS
from features.catalogue import feature
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import Statistic, with_intervals
from models.risk_model import RiskModel
from models.splits import person_shares
from models.target import EVENT, Target

FEWEST_EVENTS = 10
MOST_ROWS = 10_000
"""Held-out rows behind the importance of domains, of persons drawn by a hash; the test of the model uses all."""

_EXCHANGES = 3
"""Times that each domain is exchanged; the mean of the losses is taken."""


def permutation_test(held_out: HeldOut, *, permutations: int = 999, seed: int = 17) -> dict[str, Any]:
    """Test whether the champion ranks better than chance.

    The labels of the held-out persons are exchanged: all rows of a person, with the weights that belong to the labels, get
    those of another person with as many rows. The model is not refitted: what is tested is this model, not the way it was
    made. Where risk goes with the number of a person's rows (who is absent has fewer), exchange within equal numbers leaves
    that in place: chance then lies above 0.5, and the test asks for more than that. Persons of one company are exchanged with
    those of others, so p is somewhat too small where companies differ much.

    Parameters
    ----------
    held_out : HeldOut
        Of an outcome that is an event.
    permutations, seed : int

    Returns
    -------
    dict: ``auroc``, ``chance`` (95 % of the permutations' AUROC), ``p`` (one-sided, never below 1 / (permutations + 1)),
    ``permutations``; or a ``reason``.
    """
    events = int(held_out.y.sum())
    if min(events, len(held_out) - events) < FEWEST_EVENTS:
        return {"reason": f"under {FEWEST_EVENTS} events or non-events in the test rows"}
    order = np.lexsort((held_out.t, held_out.person))
    rows = held_out.take(order)
    ranking = Ranking.of(rows.linear[rows.champion])
    random = np.random.default_rng(seed)
    found = _auroc(ranking, rows.y, rows.weight)
    blocks = _blocks(rows.person)
    drawn = []
    for _ in range(permutations):
        source = _exchanged(blocks, len(rows), random)
        drawn.append(_auroc(ranking, rows.y[source], rows.weight[source]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "auroc": found,
        "chance": [float(low), float(high)],
        "p": float((1 + np.sum(np.array(drawn) >= found)) / (permutations + 1)),
        "permutations": permutations,
    }


def _auroc(ranking: Ranking, y: np.ndarray, weight: np.ndarray) -> float:
    return float(auroc(ranking, y, weight[None])[0])


def _blocks(person: np.ndarray) -> list[np.ndarray]:
    """Positions of the rows of persons with equally many rows, one array (n_persons, n_rows_each) per number of rows."""
    _, first, count = np.unique(person, return_index=True, return_counts=True)
    return [first[count == size][:, None] + np.arange(size) for size in np.unique(count)]


def _exchanged(blocks: list[np.ndarray], n: int, random: np.random.Generator) -> np.ndarray:
    source = np.empty(n, dtype=np.int64)
    for block in blocks:
        source[block] = block[random.permutation(len(block))]
    return source


def domain_importance(
    held_out: HeldOut,
    model: RiskModel,
    *,
    target: Target = EVENT,
    most_rows: int = MOST_ROWS,
    repeats: int = 200,
    seed: int = 17,
) -> dict[str, Any]:
    """Measure what the champion loses when a whole domain is another person's.

    All features of a domain are exchanged together, between persons of the same index date, so that they keep their relation
    to each other and to the season, and lose that to everything else. What two domains both tell is not lost with either.

    Parameters
    ----------
    held_out : HeldOut
    model : RiskModel
        The champion.
    target : Target
    most_rows : int
    repeats, seed : int
        Resamples of clusters behind each interval.

    Returns
    -------
    dict: ``rows``, and ``domains``, the most important first: name, labels, number of features, and ``loss`` (rise of log loss
    or deviance) and ``auroc`` (fall), each with its interval. Or a ``reason``.
    """
    if int((held_out.y > 0).sum()) < FEWEST_EVENTS:
        return {"domains": [], "reason": f"under {FEWEST_EVENTS} events in the test rows"}
    rows = _some(held_out, most_rows)
    X = np.stack([rows.column(name) for name in model.feature_names], axis=1)
    before, found = model.log_odds(X), []
    random = np.random.default_rng(seed)
    for domain, labels in DOMAIN_LABELS.items():
        columns = [place for place, name in enumerate(model.feature_names) if feature(name).domain == domain]
        if not columns:
            continue
        after = [model.log_odds(_with_others(X, columns, rows.t, random)) for _ in range(_EXCHANGES)]
        numbers = with_intervals(_lost(before, after, rows.y, target), rows.cluster, rows.weight, repeats, seed)
        found.append(
            {"name": domain, "label_nb": labels["nb"], "label_en": labels["en"], "features": len(columns)} | numbers
        )
    return {"rows": len(rows), "domains": sorted(found, key=lambda domain: -domain["loss"]["value"])}


def _some(held_out: HeldOut, most_rows: int) -> HeldOut:
    """Return the rows of as many persons, drawn by a hash, as have ``most_rows`` together."""
    if len(held_out) <= most_rows:
        return held_out
    persons, place = np.unique(held_out.person, return_inverse=True)
    share = person_shares([str(person) for person in persons], "importance")[place]
    return held_out.take(np.flatnonzero(share <= np.sort(share)[most_rows - 1]))


def _with_others(X: np.ndarray, columns: list[int], t: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return X with the columns of another row of the same index date."""
    source = np.empty(len(X), dtype=np.int64)
    for day in np.unique(t):
        rows = np.flatnonzero(t == day)
        source[rows] = random.permutation(rows)
    exchanged = X.copy()
    exchanged[:, columns] = X[source][:, columns]
    return exchanged


def _lost(before: np.ndarray, after: list[np.ndarray], y: np.ndarray, target: Target) -> Statistic:
    rise = np.mean([target.losses(linear, y) for linear in after], axis=0) - target.losses(before, y)
    own, others = Ranking.of(before), [Ranking.of(linear) for linear in after]

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = {"loss": weights @ rise / weights.sum(axis=1)}
        if target is not EVENT:
            return found
        return found | {"auroc": auroc(own, y, weights) - np.mean([auroc(one, y, weights) for one in others], axis=0)}

    return statistic
