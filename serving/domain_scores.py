"""Domain scores and health index: how a person answers validated questionnaires, from 0 to 100, where 100 is best.

It is declared here and nowhere learnt: no risk model has a part in it, and it predicts nothing. A score is placed within
the range of its scale and turned so that more is better; the scales of a questionnaire count alike, the questionnaires of a
domain count alike, and so do the domains. Only current scores count. See docs/pages_technical.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from data_contracts.domains import DOMAIN_LABELS, Domain
from data_contracts.instruments import INSTRUMENTS, Scale
from serving.handlers.profile_bodies import DomainProfile, ProfileValue

FEWEST_DOMAINS = 4
"""More than half of the domains: an index of fewer would be the name of something that was hardly asked about."""

_SAME_ANSWERS = (
    "phq8_depression", "phq2_depression", "gad2_anxiety", "hscl25_anxiety", "hscl25_depression",
    "shc_complaints_count", "shc_substantial_count", "shc_pain_regions_count", "shc_groups_count", "ipaq_met_minutes",
    "olbi_disengagement", "olbi_exhaustion", "bat12_exhaustion", "bat12_mental_distance", "bat12_cognitive",
    "bat12_emotional", "bat23_exhaustion", "bat23_mental_distance", "bat23_cognitive", "bat23_emotional",
    "start_back_psychosocial", "start_back_risk_group",
)  # fmt: skip
_AMOUNTS = ("ipaq_sitting_minutes",)
YES_NO = ("pain_three_months", "bis_case")
_PASSING = ("shc_allergy", "shc_flu")
NOT_COUNTED = frozenset((*_SAME_ANSWERS, *_AMOUNTS, *YES_NO, *_PASSING))
"""Scales that do not count: their answers count in another scale already, they are amounts whose range has no best end,
they only say yes or no, or they tell of colds and allergies."""

LEFT_OUT: frozenset[Domain] = frozenset({"diet_and_cardiometabolic"})
"""Domains whose questionnaires do not tell of the whole: the use of alcohol alone is no measure of diet."""

COUNTED: dict[str, tuple[str, Scale]] = {
    scale.name: (instrument.name, scale)
    for instrument in INSTRUMENTS.values()
    for scale in instrument.scales
    if scale.name not in NOT_COUNTED and scale.domain not in LEFT_OUT
}
"""Questionnaire and scale of every score that counts, by the name of the scale."""

DOMAINS: tuple[Domain, ...] = tuple(
    domain for domain in DOMAIN_LABELS if domain in {scale.domain for _, scale in COUNTED.values()}
)
"""The domains that some questionnaire asks about as a whole."""


@dataclass(frozen=True)
class DomainIndex:
    """One domain from 0 to 100, and the names of the scales that it rests on."""

    domain: Domain
    value: float
    scales: tuple[str, ...]


@dataclass(frozen=True)
class HealthIndex:
    """The domains that could be computed, in their usual order."""

    domains: tuple[DomainIndex, ...]

    @property
    def value(self) -> float | None:
        """Mean of the domains, None where they are too few."""
        if len(self.domains) < FEWEST_DOMAINS:
            return None
        return fmean(one.value for one in self.domains)

    def of(self, domain: Domain) -> DomainIndex | None:
        """Return one domain, None where it could not be computed."""
        return next((one for one in self.domains if one.domain == domain), None)


def health_index(profiles: Iterable[DomainProfile]) -> HealthIndex:
    """Return the index of what is known of a person."""
    return HealthIndex(tuple(_domains(profiles)))


def favourable(value: ProfileValue) -> float | None:
    """Return where a score lies in the range of its scale, 100 at the best end; None for what does not count."""
    return None if value.stale or value.name not in COUNTED else _placed(value.name, value.value)


def domain_scores(scores: Mapping[str, float]) -> dict[Domain, float]:
    """Return the domains from 0 to 100 of current scores by scale, as :func:`health_index` computes them."""
    found: dict[Domain, dict[str, float]] = {}
    for name, score in scores.items():
        if name in COUNTED:
            found.setdefault(COUNTED[name][1].domain, {})[name] = _placed(name, score)
    return {domain: _mean(placed) for domain, placed in found.items()}


def _placed(name: str, score: float) -> float:
    _, scale = COUNTED[name]
    share = 100 * (score - scale.minimum) / (scale.maximum - scale.minimum)
    return 100 - share if scale.higher_is_worse else share


def domain_index(domain: Domain, values: Iterable[ProfileValue]) -> DomainIndex | None:
    """Return one domain of what is known of it, None where nothing of it counts."""
    placed = {one.name: at for one in values if (at := favourable(one)) is not None}
    return DomainIndex(domain, _mean(placed), tuple(placed)) if placed else None


def _domains(profiles: Iterable[DomainProfile]) -> Iterator[DomainIndex]:
    for profile in profiles:
        if found := domain_index(profile.domain, profile.values):
            yield found


def _mean(placed: dict[str, float]) -> float:
    by_questionnaire: dict[str, list[float]] = {}
    for name, at in placed.items():
        by_questionnaire.setdefault(COUNTED[name][0], []).append(at)
    return fmean(map(fmean, by_questionnaire.values()))
