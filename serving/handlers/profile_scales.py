"""The latest score of every scale that a person has answered, beside published ranges and the score before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data_contracts.instruments import Scale
from data_contracts.instruments.instrument import Sex
from data_contracts.published_norms import RELIABILITY, norm_of, smallest_real_change
from data_contracts.time_windows import calendar_date
from features.catalogue import POSITIONS, feature
from features.life_situation import is_female
from features.sheet_layouts import SCALES
from models.wording import shown_value
from serving.case import Case
from serving.handlers.profile_bodies import Cutoff, Percentile, ProfileValue, ReliabilityBody, Trend
from serving.handlers.profile_percentiles import percentile
from serving.predictor import Predictor
from serving.responses import Texts

_SEXES: dict[int, Sex] = {0: "male", 1: "female"}


def scales(case: Case, predictor: Predictor | None = None) -> Iterator[ProfileValue]:
    """Yield one value per scale with a score at the index date, in the order of the instruments.

    Parameters
    ----------
    case : Case
    predictor : Predictor, optional
        The models in service: of their training persons a score is a percentile. No model reckons with it.
    """
    rows = case.known.scores
    sex = _SEXES.get(int(is_female(case.known)[0]))
    age = float(case.values[0, POSITIONS["age_years"]])
    for position in np.unique(rows["scale"]).tolist():
        mine = rows["scale"] == position
        order = np.argsort(rows["day"][mine], kind="stable")
        days, scores = rows["day"][mine][order].tolist(), rows["score"][mine][order].tolist()
        scale = SCALES[position]
        of_like_persons = percentile(scale.name, scores[-1], sex, age, predictor)
        yield _value(scale, days, scores, case.t, sex, of_like_persons)


def _value(
    scale: Scale, days: list[int], scores: list[float], t: int, sex: Sex | None, of_like_persons: Percentile
) -> ProfileValue:
    one, score = feature(scale.name), scores[-1]
    return ProfileValue(
        name=scale.name,
        kind="scale",
        label=Texts(nb=scale.label_nb, en=scale.label_en),
        value=score,
        comparator=None,
        shown=Texts(**shown_value(one, score, False)),
        unit=one.unit,
        observed_on=calendar_date(days[-1]),
        days_old=t - days[-1],
        stale=one.valid_days is not None and t - days[-1] > one.valid_days,
        valid_days=one.valid_days,
        higher_is="worse" if scale.higher_is_worse else "better",
        interval=None,
        position=None,
        cutoffs=_cutoffs(scale, sex),
        cutoff=scale.band(score, sex),
        trend=trend(days, scores),
        percentile=of_like_persons,
        reliability=_reliability(scale.name, sex),
        modifiable=one.modifiable,
    )


def _cutoffs(scale: Scale, sex: Sex | None) -> tuple[Cutoff, ...]:
    """Return the ranges that hold for the person; none where the sex is not known and would decide."""
    if sex is None and scale.bands_of("female") != scale.bands_of("male"):
        return ()
    return tuple(Cutoff(name=band.name, lowest=band.lowest) for band in scale.bands_of(sex or "female"))


def _reliability(scale: str, sex: Sex | None) -> ReliabilityBody | None:
    if scale not in RELIABILITY:
        return None
    found, norm = RELIABILITY[scale], norm_of(scale, sex)
    return ReliabilityBody(
        alpha=found.alpha, sample=found.sample, source=found.source,
        smallest_real_change=smallest_real_change(scale, sex), sd_of=None if norm is None else norm.population,
    )  # fmt: skip


def trend(days: list[int], values: list[float]) -> Trend | None:
    """Return how the last of several values, one per day, differs from the one before; None if it is the only one."""
    if len(days) < 2:
        return None
    return Trend(previous=values[-2], observed_on=calendar_date(days[-2]), change=values[-1] - values[-2])
