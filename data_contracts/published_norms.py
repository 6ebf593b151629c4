"""What is published of scales beside their scoring: how reliable they are, and how other people answer.

A norm is of a population, not of an instrument, and none found so far is of people at work in Norway. A percentile is given
only where the published figures carry one; where they do not, :attr:`Norm.why_no_percentile` says why. Whoever has a better
norm adds it here with its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal

from data_contracts.instruments.instrument import Sex

WhyNot = Literal["not_by_sex_and_age", "not_normally_distributed"]

_CHANCE = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Reliability:
    """Cronbach's alpha as published; the lowest where several samples are told."""

    alpha: float
    sample: str
    source: str


@dataclass(frozen=True)
class Norm:
    """Mean and standard deviation of a population's scores, of one sex or of all."""

    mean: float
    sd: float
    persons: int
    population: str
    source: str
    sex: Sex | None = None
    why_no_percentile: WhyNot | None = None

    def percentile(self, score: float) -> float | None:
        """Return how many of 100 score lower, taking scores as normally distributed; None where they cannot be taken so.

        Scores are whole numbers, so those of equal score begin half a point below it.
        """
        if self.why_no_percentile is not None:
            return None
        return 100 * NormalDist(self.mean, self.sd).cdf(score - 0.5)


_PUMA = ("1914 human service workers, Denmark (PUMA)", "Kristensen TS, et al. Work & Stress 2005;19:192-207 (recalled)")
_SHC = ("Norway, all 29 complaints asked", "Eriksen HR, Ihlebaek C, Ursin H. Scand J Public Health 1999;27:63-72")
_GAD = ("5030 persons, household survey, Germany 2006", "Löwe B, et al. Med Care 2008;46:266-274")
_OSS = ("2524 persons, household survey, Germany 2008", "Kocalevent RD, et al. BMC Psychology 2018;6:31")
_PHQ = ("5018 persons, Germany", "Kocalevent RD, et al. 2013, as cited in Public Health 2020;189:158-161, table 1")

RELIABILITY: dict[str, Reliability] = {
    "cbi_personal": Reliability(0.87, *_PUMA),
    "cbi_work": Reliability(0.87, *_PUMA),
    "cbi_client": Reliability(0.85, *_PUMA),
    "shc_musculoskeletal": Reliability(0.74, *_SHC),
    "shc_pseudoneurology": Reliability(0.73, *_SHC),
    "shc_gastrointestinal": Reliability(0.62, *_SHC),
    "shc_allergy": Reliability(0.58, *_SHC),
    "shc_flu": Reliability(0.67, *_SHC),
    "bis_insomnia": Reliability(
        0.79, "320 persons, Norway; 0.87 and 0.80 in further samples of 2645 and 225, retest after two weeks 0.77",
        "Pallesen S, et al. Percept Mot Skills 2008;107:691-706",
    ),
    "bat23_core": Reliability(0.938, "core scale", "theburnoutguide.com/legal/validity, on the BAT's manual"),
    "gad7_anxiety": Reliability(0.89, *_GAD),
    "phq9_depression": Reliability(
        0.86, "primary care and obstetrics, USA; 0.89 in the other sample",
        "Kroenke K, et al. J Gen Intern Med 2001;16:606-613 (recalled)",
    ),
    "oss3_social_support": Reliability(0.64, _OSS[0], f"{_OSS[1]} (alpha recalled)"),
}  # fmt: skip
"""By scale; a scale that is not here has none that we could read in a source."""

NORMS: dict[str, tuple[Norm, ...]] = {
    "cbi_personal": (Norm(35.9, 16.5, 1914, *_PUMA, why_no_percentile="not_by_sex_and_age"),),
    "cbi_work": (Norm(33.0, 17.7, 1914, *_PUMA, why_no_percentile="not_by_sex_and_age"),),
    "cbi_client": (Norm(30.9, 17.6, 1914, *_PUMA, why_no_percentile="not_by_sex_and_age"),),
    "phq9_depression": (
        Norm(3.1, 3.5, 5018, *_PHQ, sex="female", why_no_percentile="not_normally_distributed"),
        Norm(2.7, 3.5, 5018, *_PHQ, sex="male", why_no_percentile="not_normally_distributed"),
    ),
    "gad7_anxiety": (
        Norm(3.20, 3.5, 5030, *_GAD, sex="female", why_no_percentile="not_normally_distributed"),
        Norm(2.66, 3.2, 5030, *_GAD, sex="male", why_no_percentile="not_normally_distributed"),
    ),
    "oss3_social_support": (Norm(10.2, 2.2, 2524, *_OSS, sex="female"), Norm(10.1, 2.3, 2524, *_OSS, sex="male")),
}
"""By scale; ``persons`` are those of the whole survey."""


def norm_of(scale: str, sex: Sex | None) -> Norm | None:
    """Return the norm of a scale that holds for a sex; None where none is declared, or the sex decides and is not known."""
    return next((norm for norm in NORMS.get(scale, ()) if norm.sex in (None, sex)), None)


def smallest_real_change(scale: str, sex: Sex | None) -> float | None:
    """Return the change of a score below which error of measurement explains it well; a rough guide.

    1.96 x SD x sqrt(2 (1 - alpha)), the reliable change of Jacobson NS, Truax P. J Consult Clin Psychol 1991;59:12-19. Alpha
    and SD may be of different populations, and alpha is agreement of items on one day: what varies from day to day is not in
    it, so the true bound is rather larger. A retest over weeks would serve better; the one that is published (BIS) has no SD
    beside it. None where alpha or standard deviation is not published.
    """
    norm = norm_of(scale, sex)
    if norm is None or scale not in RELIABILITY:
        return None
    return _CHANCE * norm.sd * sqrt(2 * (1 - RELIABILITY[scale].alpha))
