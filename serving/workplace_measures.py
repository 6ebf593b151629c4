"""What a workplace may be told of: every measure is a distribution of persons over two or three ordered categories.

Categories stand in order, the most favourable first. Where a category of three is too small to be told, the first two are
told as one, always these: a choice made by the numbers would tell of them. No measure is a sum or a part of another: each
scale counts in one factor or one domain. So the domain of stress and work environment is not told beside the workplace
factors that it is made of; nor is that of the life situation, which is no business of an employer, nor any single scale of
health.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data_contracts.domains import DOMAIN_LABELS, Domain
from data_contracts.records import Source
from data_contracts.workplace_factors import WORKPLACE_FACTORS
from models.outcomes import OUTCOMES

Kind = Literal["participation", "domain", "risk", "absence", "factor"]

DOMAINS_TOLD: tuple[Domain, ...] = ("sleep", "mental_health", "pain_and_body", "physical_activity")
LONG_ABSENCE_DAYS = 16
"""The employer's period (folketrygdloven section 8-19): what is longer is a long sick leave, as the outcome of that name."""


@dataclass(frozen=True)
class Category:
    """One category as it is told."""

    name: str
    label_nb: str
    label_en: str


@dataclass(frozen=True)
class Measure:
    """One measure; ``sources`` are what it is made of, None where the night says what the number of a person is made of."""

    name: str
    kind: Kind
    label_nb: str
    label_en: str
    sources: frozenset[Source] | None

    def categories(self, n_told: int) -> tuple[Category, ...]:
        """Return the categories, two or three of them."""
        return next(told for told in CATEGORIES[self.kind] if len(told) == n_told)

    @property
    def last(self) -> int:
        """Number of the least favourable category, which is told alone."""
        return len(CATEGORIES[self.kind][0]) - 1


_ABOVE = Category("above", "høyere enn i referansegruppen", "above the reference group")
_UPPER = Category("upper", "øvre tredel", "upper third")
_LOWER = Category("lower", "nedre tredel", "lower third")
_MIDDLE = Category("middle", "midtre tredel", "middle third")
_OVER_16 = Category("over_16", "over 16 dager", "over 16 days")
_UNFAVOURABLE = Category("unfavourable", "minst gunstige tredel", "least favourable third")

CATEGORIES: Mapping[Kind, tuple[tuple[Category, ...], ...]] = {
    "participation": (
        (Category("answered", "har svart", "answered"), Category("not_answered", "har ikke svart", "not answered")),
    ),
    "domain": (
        (_UPPER, _MIDDLE, _LOWER),
        (Category("not_lower", "øvre eller midtre tredel", "upper or middle third"), _LOWER),
    ),
    "risk": (
        (
            Category("lower", "lavere enn i referansegruppen", "lower than the reference group"),
            Category("around", "omtrent som i referansegruppen", "around the reference group"),
            _ABOVE,
        ),
        (Category("not_above", "ikke høyere enn i referansegruppen", "not above the reference group"), _ABOVE),
    ),
    "absence": (
        (Category("none", "ingen dager", "no days"), Category("1_to_16", "1 til 16 dager", "1 to 16 days"), _OVER_16),
        (Category("not_over_16", "ikke over 16 dager", "not over 16 days"), _OVER_16),
    ),
    "factor": (
        (Category("favourable", "mest gunstige tredel", "most favourable third"), _MIDDLE, _UNFAVOURABLE),
        (
            Category("not_unfavourable", "ikke minst gunstige tredel", "not in the least favourable third"),
            _UNFAVOURABLE,
        ),
    ),
}
"""By kind, the categories in full, and where there are three also in two."""

_FIXED = (
    Measure("participation", "participation", "Har svart på spørreskjemaet", "Answered the questionnaire",
            frozenset({"employment"})),
    Measure("absence", "absence", "Legemeldt fravær siste 365 dager", "Doctor-certified absence in the last 365 days",
            frozenset({"absence", "employment"})),
)  # fmt: skip
_OF_ANSWERS: frozenset[Source] = frozenset({"survey", "employment"})

MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        *_FIXED,
        *(
            Measure(name, "domain", DOMAIN_LABELS[name]["nb"], DOMAIN_LABELS[name]["en"], _OF_ANSWERS)
            for name in DOMAINS_TOLD
        ),
        *(
            Measure(one.name, "risk", one.label_nb, one.label_en, None)
            for one in OUTCOMES.values()
            if one.target == "event"
        ),
        *(Measure(name, "factor", one.label_nb, one.label_en, _OF_ANSWERS) for name, one in WORKPLACE_FACTORS.items()),
    )
}
"""All measures; ``participation`` counts who has answered and may be counted with it, of all whose employment may be."""

ALWAYS_TOLD = tuple(name for name, one in MEASURES.items() if one.kind != "risk")
"""The measures of every company; outcomes are those of the night."""


def made_of(source: Source) -> list[str]:
    """Return the measures that tell, or may tell, of a source: a risk of any, participation also of the answers."""
    return [
        name
        for name, one in MEASURES.items()
        if one.sources is None or source in one.sources or (name == "participation" and source == "survey")
    ]


_BANDS = {"lower": 0, "around": 1, "above": 2, "well_above": 2}


def of_band(band: str) -> int:
    """Return the category of a risk band (models.wording)."""
    return _BANDS[band]


def of_days(days: float) -> int:
    """Return the category of days of absence."""
    return 0 if days <= 0 else 1 if days <= LONG_ABSENCE_DAYS else 2


def merged(counts: Sequence[int]) -> tuple[int, int]:
    """Return the first categories as one, and the last."""
    return sum(counts[:-1]), counts[-1]
