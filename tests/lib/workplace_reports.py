"""Workplace reports for tests, in the body that the API answers: everything told, nothing told, one unit told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from serving.handlers.company_report_bodies import (
    CategoryShare,
    CompanyReport,
    EarlierMonth,
    IndustryShown,
    MeasureReport,
    MeasureShown,
)
from serving.responses import Texts
from serving.store.nights import ScoredPerson
from serving.workplace_measures import MEASURES, Measure
from tests.lib.stores import consents, scored

COMPANY, MONTH, BEFORE = "company-7", "2026-10", "2026-09"
CONTROL, ROLES, DEMANDS = "qpsnordic34_control", "qpsnordic34_role_clarity", "dcsq_demands"
WHY = Texts(nb="SYNTHETIC: for få.", en="SYNTHETIC: too few.")
COUNTED = consents() + consents(purpose="aggregate_reporting")
SHARES = {2: (65, 35), 3: (45, 35, 20)}


def categories(measure: Measure, percents: Sequence[int]) -> tuple[CategoryShare, ...]:
    """Shares in the categories of a measure, as many as there are percents."""
    told = zip(measure.categories(len(percents)), percents, strict=True)
    return tuple(
        CategoryShare(name=one.name, label=Texts(nb=one.label_nb, en=one.label_en), percent=n) for one, n in told
    )


def n_categories(measure: Measure) -> int:
    """Into how many categories a measure falls in full."""
    return 2 if measure.kind == "participation" else 3


def told(name: str, percents: Sequence[int] | None = None, size: str = "50 to 99", **changes: object) -> MeasureReport:
    """A measure with shares."""
    measure = MEASURES[name]
    shown = categories(measure, percents or SHARES[n_categories(measure)])
    fields = {"kind": measure.kind, "label": Texts(nb=measure.label_nb, en=measure.label_en), "group_size": size,
              "categories": shown, "industry": None, "why_not": None, "earlier": (), "workplace_measure": None}  # fmt: skip
    return MeasureReport.model_validate(fields | changes)


def untold(name: str) -> MeasureReport:
    """A measure without shares."""
    return told(name, categories=None, group_size=None, why_not=WHY)


def to_do(label: str, *, is_suggested: bool) -> MeasureShown:
    """A measure of the workplace."""
    texts = {"label": Texts(nb=label, en=f"{label} (en)"), "text": Texts(nb=f"{label}?", en=f"{label}!")}
    return MeasureShown(is_suggested=is_suggested, level="group", **texts)


Measures = Mapping[str, MeasureReport]


def report(
    measures: Measures | None = None, units: Mapping[str, Measures] | None = None, industry: str | None = None
) -> CompanyReport:
    """A report in which every measure that is not given is not told."""
    section = (
        IndustryShown(code=industry, label=Texts(nb="Transport (bransje)", en="Transport (industry)"))
        if industry
        else None
    )
    return CompanyReport(
        company_id=COMPANY, month=MONTH, industry=section,
        measures={name: untold(name) for name in MEASURES} | dict(measures or {}),
        units={unit: dict(shown) for unit, shown in (units or {}).items()},
    )  # fmt: skip


def everything() -> CompanyReport:
    """A report in which every measure is told, with a month before, the industry and two units."""
    to_try = {
        DEMANDS: ((20, 30, 50), to_do("Tempo", is_suggested=True)),
        ROLES: ((30, 35, 35), to_do("Roller", is_suggested=False)),
    }
    found = {}
    for name, measure in MEASURES.items():
        shown = categories(measure, SHARES[n_categories(measure)])
        before = EarlierMonth(month=BEFORE, categories=None if name == CONTROL else shown)
        percents, measure_shown = to_try.get(name, (None, None))
        found[name] = told(name, percents, earlier=(before,), industry=shown, workplace_measure=measure_shown)
    units = {
        unit: {name: told(name, (75, 25), "20 to 49") for name in (CONTROL, "sleep")} for unit in ("unit-a", "unit-b")
    }
    return report(found, units, "H")


def one_unit() -> CompanyReport:
    """A report in which one measure is told, and one unit."""
    return report({CONTROL: told(CONTROL, (55, 45))}, {"unit-a": {CONTROL: told(CONTROL, (70, 30))}})


def staff(n: int = 60, company: str = "c", n_unfavourable: int = 24) -> list[ScoredPerson]:
    """Persons who answer about control, of whom so many unfavourably; four answer about roles."""
    return [
        scored(
            f"{company}-{i}", 0.5 if i < 10 else 0.1, consents=COUNTED, companies=(company,),
            measures=((CONTROL, 2 if i < n_unfavourable else 0), *(((ROLES, 2),) if i < 4 else ())),
        )
        for i in range(n)
    ]  # fmt: skip
