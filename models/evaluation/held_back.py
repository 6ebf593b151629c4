"""Of whom the model keeps silent: how many, whom, how they fare, and what silence costs.

The service gives no number where :mod:`models.abstention` says that the inputs do not carry one. Every other part of the
report judges the model as if it numbered everybody; this part judges what is served. Who gets no number raises no alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.abstention import REASONS, Carrier
from models.evaluation.attributes import ATTRIBUTES, NOT_KNOWN, UNKNOWN_GROUP, Attribute
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.suppression import COMPLEMENT, FEWEST, TOO_SMALL, Size, hidden_groups
from models.evaluation.thresholds import working_threshold
from models.risk_model import RiskModel, inverse_link

EXAMINED = ("sex", "age", "education", "survey", "labs", "absence_data")
"""Attributes by which the share without a number is told: persons, and which of their data are known."""

MOST_ROWS = {"lightgbm": 3_000, "additive": 20_000, "linear": 20_000}
"""Rows at most, of persons drawn by the seed: the interval of each takes every refit."""

TOO_FEW = f"fewer than {FEWEST} persons held back, or fewer than {FEWEST} who never are"
RULE = "no number is given where too little is known, the values are unlike the training data, or the interval says nothing"


def held_back(champion: RiskModel, held_out: HeldOut, *, repeats: int = 200, seed: int = 17) -> dict[str, Any]:
    """Judge the champion with its silences.

    Parameters
    ----------
    champion : RiskModel
        With its refits, and the facts that its limits are.
    held_out : HeldOut
        With the champion among its models.
    repeats, seed : int
        Resamples of clusters behind each interval.

    Returns
    -------
    dict of JSON values: ``rule``, ``rows`` and ``persons`` (judged here), ``share`` (of rows without a number), ``reasons``,
    ``event_share`` (mean days, of a model of days; ``held_back`` and ``answered``, or None and a ``reason``), ``answered`` and
    ``everybody`` (observed over expected, and AUROC of an event), ``attributes`` (the share without a number by group), and
    of an event ``threshold`` and ``sensitivity``: ``as_served``, where no number is no alert, and ``if_all_numbered``.
    """
    rows = _drawn(held_out, MOST_ROWS[champion.kind], seed)
    found = _Silence.of(champion, rows)
    shown = not _is_small(rows, found.silent)
    measured = with_intervals(found.numbers, rows.cluster, rows.weight, repeats, seed)
    is_event = champion.link == "logit"
    return {
        "rule": RULE,
        "rows": len(rows),
        "persons": len(np.unique(rows.person)),
        "share": measured["share"],
        "reasons": _by_reason(found, rows, measured),
        "event_share": {name: measured[f"event_share {name}"] if shown else None for name in ("held_back", "answered")}
        | ({} if shown else {"reason": TOO_SMALL}),
        **{part: _of(part, measured) for part in ("answered", "everybody")},
        "attributes": [_table(attribute, found, rows, repeats, seed) for attribute in ATTRIBUTES
                       if attribute.name in EXAMINED],
    } | ({"threshold": found.threshold, "sensitivity": _of("sensitivity", measured)} if is_event else {})  # fmt: skip


def _drawn(held_out: HeldOut, most: int, seed: int) -> HeldOut:
    """All rows of as many persons as have ``most`` rows together."""
    if len(held_out) <= most:
        return held_out
    persons, place, count = np.unique(held_out.person, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(persons))
    chosen = order[np.cumsum(count[order]) <= most]
    return held_out.take(np.isin(place, chosen))


@dataclass(frozen=True, eq=False)
class _Silence:
    """Why each row has no number (0: it has one), what it would be, and what came."""

    reason: np.ndarray
    linear: np.ndarray
    predicted: np.ndarray
    y: np.ndarray
    threshold: float
    is_event: bool

    @classmethod
    def of(cls, champion: RiskModel, rows: HeldOut) -> _Silence:
        X = np.stack([rows.column(name) for name in champion.feature_names], axis=1)
        reason = Carrier.of(champion).reasons(X, champion.interval(X))
        linear = rows.linear[rows.champion]
        threshold = working_threshold(champion.reference_risk)
        return cls(reason, linear, inverse_link(champion.link, linear), rows.y, threshold, champion.link == "logit")

    @property
    def silent(self) -> np.ndarray:
        """True where there is no number, bool (n,)."""
        return self.reason > 0

    def numbers(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Return every number of the whole for each weighting, each (n_weightings,)."""
        whole = weights.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {"share": weights @ self.silent / whole}
            found |= {
                f"share {why}": weights @ (self.reason == code) / whole for code, why in enumerate(REASONS) if code
            }
            for name, rows in (("held_back", self.silent), ("answered", ~self.silent)):
                found[f"event_share {name}"] = weights @ (rows * self.y) / (weights @ rows)
            for name, rows in (("answered", ~self.silent), ("everybody", np.ones_like(self.silent))):
                found[f"{name} observed_to_expected"] = weights @ (rows * self.y) / (weights @ (rows * self.predicted))
            return found | (self._of_events(weights) if self.is_event else {})

    def _of_events(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        answered, alerted = ~self.silent, self.predicted >= self.threshold
        events = weights @ self.y
        return {
            "answered auroc": auroc(Ranking.of(self.linear[answered]), self.y[answered], weights[:, answered]),
            "everybody auroc": auroc(Ranking.of(self.linear), self.y, weights),
            "sensitivity as_served": weights @ (alerted * answered * self.y) / events,
            "sensitivity if_all_numbered": weights @ (alerted * self.y) / events,
        }


def _of(part: str, measured: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name.removeprefix(f"{part} "): one for name, one in measured.items() if name.startswith(f"{part} ")}


def _is_small(rows: HeldOut, silent: np.ndarray) -> bool:
    return min(Size.of(rows.y, rows.person, chosen).least for chosen in (silent, ~silent)) < FEWEST


def _by_reason(found: _Silence, rows: HeldOut, measured: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The share by reason; small ones are hidden, and another with them where the total would tell what they are."""
    persons = {why: len(np.unique(rows.person[found.reason == code])) for code, why in enumerate(REASONS) if code}
    hidden = {why: f"fewer than {FEWEST} persons" for why, count in persons.items() if 0 < count < FEWEST}
    others = sorted((why for why, count in persons.items() if count >= FEWEST), key=persons.__getitem__)
    if hidden and others and sum(persons[why] for why in hidden) < FEWEST:
        hidden[others[0]] = COMPLEMENT
    return [{"name": why, "suppressed": hidden.get(why), "share": None if why in hidden else measured[f"share {why}"]}
            for why in persons]  # fmt: skip


def _table(attribute: Attribute, found: _Silence, rows: HeldOut, repeats: int, seed: int) -> dict[str, Any]:
    position = attribute.of(rows)
    named = [*enumerate(attribute.groups), (NOT_KNOWN, UNKNOWN_GROUP)]
    members = [(group, position == place) for place, group in named if (position == place).any()]
    hidden: dict[int, str] = {}
    if found.silent.any():  # where it is nobody at all, the total tells it of every group
        hidden = hidden_groups(found.silent.astype(float), rows.person, [chosen for _, chosen in members])
    shares = _shares([chosen for _, chosen in members], found.silent, rows, repeats, seed)
    groups = [{"name": group.name, "label_nb": group.label_nb, "label_en": group.label_en,
               "suppressed": TOO_FEW if hidden.get(place) == TOO_SMALL else hidden.get(place),
               "share": None if place in hidden else shares[str(place)]}
              for place, (group, _) in enumerate(members)]  # fmt: skip
    return {"name": attribute.name, "label_nb": attribute.label_nb, "label_en": attribute.label_en, "groups": groups}


def _shares(
    members: Sequence[np.ndarray], silent: np.ndarray, rows: HeldOut, repeats: int, seed: int
) -> dict[str, dict[str, Any]]:
    inside = np.stack(members, axis=1).astype(float)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = weights @ (inside * silent[:, None]) / (weights @ inside)
        return {str(place): column for place, column in enumerate(found.T)}

    return with_intervals(statistic, rows.cluster, rows.weight, repeats, seed)
