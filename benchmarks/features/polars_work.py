"""Life situation, job, workplace and the others at it, in Polars."""

from __future__ import annotations

import datetime as dt

import polars as pl
from polars_tables import Tables, current, in_order, of_consenting, stretches, with_zeros

_EDUCATION = {"basic": 1, "secondary": 2, "tertiary_short": 3, "tertiary_long": 4}
_OCCUPATIONS = {"professional": (1, 3), "clerical": (4, 4), "service": (5, 5), "manual": (6, 9)}
_INDUSTRIES = {
    "manufacturing": (5, 39), "construction": (41, 43), "trade": (45, 47), "transport": (49, 53), "hospitality": (55, 56),
    "office": (58, 82), "public_administration": (84, 84), "education": (85, 85), "health_and_social": (86, 88),
}  # fmt: skip
_EVENTS = ("leader_change", "reorganisation", "downsizing", "intervention_session")
_FEWEST_OTHERS, _YEAR = 10, 365
MEASURES = {
    "days_doctor_365": "absence",
    "cbi_work": "survey",
    "who5_wellbeing": "survey",
    "was_work_ability": "survey",
    "shc_musculoskeletal": "survey",
}
"""What is told of the others at a workplace, and the source whose consent it needs."""


def people(tables: Tables, t: int) -> pl.LazyFrame:
    """Birth year, sex and education as known at t."""
    known = current(tables["persons"], ["person"], t)
    return known.select(
        "person",
        "birth_year",
        is_female=pl.col("sex") == "female",
        education=pl.col("education_level")
        .cast(pl.String)
        .replace_strict(list(_EDUCATION), list(_EDUCATION.values()), return_dtype=pl.Int64),
    )


def life_situation(tables: Tables, persons: pl.LazyFrame, about: pl.LazyFrame, t: int) -> list[pl.LazyFrame]:
    """Return who the person is, and the guidance received."""
    year = (dt.date(1970, 1, 1) + dt.timedelta(days=t)).year
    facts = about.select(
        "person", "education", age_years=year - pl.col("birth_year"), is_female=pl.col("is_female").cast(pl.Int64)
    )
    sessions = of_consenting(tables["guidance_sessions"], persons, "survey")
    fact = ["person", "domain", "held_on"]
    held = current(sessions, fact, t).filter(pl.col("held_on") < t).unique(fact)
    day = pl.col("held_on")
    guidance = held.group_by("person").agg(
        *((day >= t - window).sum().alias(f"guidance_sessions_{window}") for window in (365, 90)),
        pl.col("domain").filter(day >= t - _YEAR).n_unique().alias("guidance_domains_365"),
        days_since_guidance=t - day.max(),
    )
    return [in_order(persons, facts), with_zeros(persons, guidance, "survey", ["days_since_guidance"])]


def jobs(tables: Tables, persons: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """Employments begun by t, as known then, the main job first: the largest on day t, then the earliest, then by company."""
    rows = of_consenting(tables["employments"], persons, "employment").filter(pl.col("start_date") <= t)
    known = current(rows, ["person", "company_id", "start_date"], t)
    return known.with_columns(
        pl.col("company_id", "unit_id", "occupation_code", "industry_code").cast(pl.String),
        is_held=(pl.col("end_date") >= t).fill_null(True),
    ).sort(
        "person",
        "is_held",
        "position_percent",
        "start_date",
        "company_id",
        descending=[False, True, True, False, False],
    )


def main_jobs(known: pl.LazyFrame) -> pl.LazyFrame:
    """Return the main job of everybody who has one."""
    return known.filter("is_held").unique("person", keep="first", maintain_order=True)


def workplace(
    tables: Tables, persons: pl.LazyFrame, known: pl.LazyFrame, main: pl.LazyFrame, t: int
) -> list[pl.LazyFrame]:
    """Return the job on t and what happened at the workplace before."""
    held = known.filter("is_held").group_by("person").agg(
        employed=pl.lit(1), n_jobs=pl.len(), position_percent=pl.col("position_percent").sum().clip(upper_bound=100)
    )  # fmt: skip
    occupation = pl.col("occupation_code").str.slice(0, 1).cast(pl.Int64)
    industry = pl.col("industry_code").str.slice(0, 2).cast(pl.Int64)
    of_main = main.select(
        "person",
        "shift_work",
        "is_leader",
        *(occupation.is_between(*ends).alias(f"occupation_{name}") for name, ends in _OCCUPATIONS.items()),
        *(industry.is_between(*ends).alias(f"industry_{name}") for name, ends in _INDUSTRIES.items()),
    )
    return [
        with_zeros(persons, held, "employment", ["position_percent"]),
        in_order(persons, of_main),
        in_order(persons, _tenure(known, main, t)),
        in_order(persons, _events(tables, main, t)),
    ]


def _tenure(known: pl.LazyFrame, main: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """Years of unbroken employment in the company of the main job."""
    same = known.join(main.select("person", "company_id"), on=["person", "company_id"], how="semi")
    last = pl.min_horizontal(pl.col("end_date"), pl.lit(t))
    unbroken = stretches(same.select(group="person", first="start_date", last=last)).filter(pl.col("last") == t)
    return unbroken.select(person=pl.col("group").cast(pl.UInt32), tenure_years=(t - pl.col("first")) / 365.25)


def _events(tables: Tables, main: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """Events in the company of the main job, in its unit or in all units."""
    seen = tables["workplace_events"].filter(pl.col("occurred_on") < t)
    fact = ["company_id", "unit_id", "kind", "occurred_on"]
    known = (
        current(seen, fact, t)
        .unique(fact)
        .select(
            pl.col("company_id").cast(pl.String), "kind", "occurred_on", event_unit=pl.col("unit_id").cast(pl.String)
        )
    )
    at_workplace = main.select("person", "company_id", "unit_id").join(known, on="company_id", how="left")
    concerned = pl.col("kind").is_not_null() & (
        pl.col("event_unit").is_null() | (pl.col("event_unit") == pl.col("unit_id")).fill_null(False)
    )
    recent = concerned & (pl.col("occurred_on") >= t - _YEAR)
    changed = concerned & (pl.col("kind") == "leader_change")
    return at_workplace.group_by("person").agg(
        *((recent & (pl.col("kind") == kind)).sum().alias(f"events_{kind}_365") for kind in _EVENTS),
        days_since_leader_change=t - pl.when(changed).then("occurred_on").max(),
    )


def context(own: pl.DataFrame) -> pl.DataFrame:
    """Return what the others at the workplace are like, without the person.

    Parameters
    ----------
    own : DataFrame
        Of everybody: company_id and unit_id of the main job, the measures (null where they do not count), and the consents.

    Returns
    -------
    DataFrame
        In the order of ``own``.
    """
    company, unit = ["company_id"], ["company_id", "unit_id"]
    wanted = [
        _of_others(pl.col(measure), level).alias(f"{name}_{measure}")
        for name, level in (("company", company), ("unit", unit))
        for measure in MEASURES
    ]
    others = pl.col("company_id").count().over(company) - 1
    with_totals = own.select(*wanted, *sorted(set(MEASURES.values())), "company_id", "unit_id", company_persons=others)
    enough = pl.when(pl.col("company_id").is_not_null() & (pl.col("company_persons") >= _FEWEST_OTHERS))
    has_unit = pl.col("unit_id").is_not_null()
    return with_totals.select(
        *(pl.when(source).then(f"company_{measure}") for measure, source in MEASURES.items()),
        *(pl.when(pl.col(source) & has_unit).then(f"unit_{measure}") for measure, source in MEASURES.items()),
        enough.then("company_persons").alias("company_persons"),
    )


def _of_others(measure: pl.Expr, level: list[str]) -> pl.Expr:
    """Mean over the others of a place, if at least ten contribute; the own part is taken away from the sum."""
    others = measure.count().over(level) - measure.is_not_null()
    total = measure.sum().over(level) - measure.fill_null(0)
    return pl.when(pl.col("company_id").is_not_null() & (others >= _FEWEST_OTHERS)).then(total / others)
