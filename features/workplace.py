"""The job at the index date, and what happened at the workplace before it.

Of several jobs on day t the *main* one has the largest position; among equals the one that began first, then the
company whose identifier sorts first. A known end of employment on or after t is honoured: it is a fact about t itself.
"""

from __future__ import annotations

import math

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.domains import Domain
from data_contracts.time_windows import NO_DAY, Days
from features.as_of import Known, Rows, company_events, employments_known, index_dates
from features.feature import Direction, Feature, FeatureGroup
from features.gathering import EVENT_KINDS, UNKNOWN
from features.histories import Histories
from features.segments import merged, run_numbers, run_starts

_SOURCE = SOURCES.index("employment")
_YEAR = 365
_DAYS_PER_YEAR = 365.25

_OCCUPATIONS = {
    "professional": ("Leder-, akademisk eller høyskoleyrke", "Manager, professional or technician", range(1, 4)),
    "clerical": ("Kontoryrke", "Clerical occupation", range(4, 5)),
    "service": ("Salgs-, service- eller omsorgsyrke", "Sales, service or care occupation", range(5, 6)),
    "manual": ("Håndverks-, drifts- eller hjelpeyrke", "Craft, operating or elementary occupation", range(6, 10)),
}
_INDUSTRIES = {
    "manufacturing": ("Industri, energi og vannforsyning", "Manufacturing, energy and water supply", range(5, 40)),
    "construction": ("Bygg og anlegg", "Construction", range(41, 44)),
    "trade": ("Varehandel", "Trade", range(45, 48)),
    "transport": ("Transport og lagring", "Transport and storage", range(49, 54)),
    "hospitality": ("Overnatting og servering", "Hospitality", range(55, 57)),
    "office": ("IT, finans og forretningsdrift", "Information, finance and business services", range(58, 83)),
    "public_administration": ("Offentlig administrasjon", "Public administration", range(84, 85)),
    "education": ("Undervisning", "Education", range(85, 86)),
    "health_and_social": ("Helse- og sosialtjenester", "Health and social services", range(86, 89)),
}
"""SN2007 divisions by group; Norwegian and English words."""


def _membership(groups: dict[str, tuple[str, str, range]], n_codes: int) -> np.ndarray:
    """One row per group, one column per code: 1 in it, 0 outside; the last column, NaN, is for a missing code (-1)."""
    table = [[float(code in members) for _, _, members in groups.values()] for code in range(n_codes)]
    return np.array([*table, [np.nan] * len(groups)], dtype=np.float32).T.copy()


_OCCUPATION_TABLE = _membership(_OCCUPATIONS, 10)
_INDUSTRY_TABLE = _membership(_INDUSTRIES, 100)
_TRIAL = "HelseIArbeid, trial report: "
_EVENTS: dict[str, tuple[str, str, Direction, str]] = {
    "leader_change": ("Lederskifter", "Changes of leader", 1, f"{_TRIAL}a leader who stays keeps absence down"),
    "reorganisation": ("Omorganiseringer", "Reorganisations", 0, ""),
    "downsizing": ("Nedbemanninger", "Downsizings", 1, f"{_TRIAL}with few hands, adapted work becomes a burden"),
    "intervention_session": (
        "Felles samlinger i programmet", "Joint sessions of the programme", -1,
        "HelseIArbeid, concept report 2016: less absence after information at the workplace (iBedrift trial)",
    ),
}  # fmt: skip
"""Norwegian and English words, expected direction and its source."""
assert tuple(_EVENTS) == EVENT_KINDS
_LEADER_CHANGE = EVENT_KINDS.index("leader_change")


def _job(
    name: str, unit: str, nb: str, en: str, meaning: str, work: bool = False, direction: Direction = 0,
    low: float = 0, high: float = 1, source: str = "",
) -> Feature:  # fmt: skip
    domain: Domain = "stress_and_work_environment" if work else "life_situation"
    return Feature(
        name, unit, nb, en, domain, work, direction, "employments", meaning, low=low, high=high, source=source
    )


_MAIN = "in the main job (largest position on day t)"
_SHIFTS = (
    "Airaksinen et al., Scand J Work Environ Health 2018;44:274: shift and night work among the predictors of absence"
)
_JOB_FEATURES = (
    _job("employed", "1", "I arbeid", "In work", "1 if an employment known at t covers day t, else 0"),
    _job("n_jobs", "1", "Antall arbeidsforhold", "Number of jobs", "employments known at t that cover day t",
         high=math.inf),
    _job("position_percent", "%", "Stillingsprosent i alt", "Position in all, percent",
         "sum over the jobs on day t, at most 100; NaN without a job", high=100),
    _job("tenure_years", "a", "År i bedriften", "Years in the company",
         "(t - first day)/365.25 of the unbroken employment in the company of the main job", high=math.inf),
    _job("shift_work", "1", "Skift- eller turnusarbeid", "Shift work", f"1 if shifts are worked {_MAIN}", True, 1,
         source=_SHIFTS),
    _job("is_leader", "1", "Personalansvar", "Responsible for staff", f"1 if responsible for personnel {_MAIN}"),
    *(_job(f"occupation_{name}", "1", nb, en,
           f"1 if the STYRK-08 major group {_MAIN} is {codes.start}-{codes.stop - 1}, else 0")
      for name, (nb, en, codes) in _OCCUPATIONS.items()),
    *(_job(f"industry_{name}", "1", nb, en,
           f"1 if the SN2007 division {_MAIN} is {codes.start:02}-{codes.stop - 1:02}, else 0")
      for name, (nb, en, codes) in _INDUSTRIES.items()),
)  # fmt: skip


def _event_features() -> tuple[Feature, ...]:
    where = "in the company of the main job, in its unit or in all units; NaN without a job"
    counts = (
        Feature(
            f"events_{kind}_{_YEAR}", "1", f"{nb} på arbeidsplassen siste {_YEAR} dager",
            f"{en} at the workplace, last {_YEAR} days", "stress_and_work_environment", False, direction,
            "workplace_events", f"events of this kind in [t-{_YEAR}, t) {where}", low=0, source=source,
        )
        for kind, (nb, en, direction, source) in _EVENTS.items()
    )  # fmt: skip
    since = Feature(
        "days_since_leader_change", "d", "Dager siden siste lederskifte på arbeidsplassen",
        "Days since the last change of leader at the workplace", "stress_and_work_environment", False, -1,
        "workplace_events", f"t minus the day of the last leader change before t {where}; NaN: none recorded", low=1,
        source=_EVENTS["leader_change"][-1],
    )  # fmt: skip
    return (*counts, since)


FEATURES = (*_JOB_FEATURES, *_event_features())
ONE_OF_SEVERAL = frozenset((
    *(f"occupation_{name}" for name in _OCCUPATIONS), *(f"industry_{name}" for name in _INDUSTRIES),
))  # fmt: skip
"""Names of the groups of which somebody is in one: that it is none of the others is no news."""
_OCCUPATION_COLUMNS = slice(6, 6 + len(_OCCUPATIONS))
_INDUSTRY_COLUMNS = slice(_OCCUPATION_COLUMNS.stop, _OCCUPATION_COLUMNS.stop + len(_INDUSTRIES))


def compute(known: Known) -> np.ndarray:
    """Number the job and the workplace.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, n_features); NaN where unknown or without consent for employment data.
    """
    n, rows = len(known), known.employments
    columns = np.full((len(FEATURES), n), np.nan, dtype=np.float32)
    columns[:2] = 0
    jobs = _covering(rows, known.t)
    if len(jobs):
        person = rows["person"][jobs]
        main = _largest(rows, jobs, person)
        has_job = person if len(main) == len(jobs) else rows["person"][main]
        of_job = np.empty((len(_JOB_FEATURES), len(main)), dtype=np.float32)
        of_job[0] = 1
        of_job[1] = np.bincount(person)[has_job]
        of_job[2] = np.minimum(np.bincount(person, rows["position_percent"][jobs])[has_job], 100)
        of_job[3] = _tenure_years(known, main, has_job)
        of_job[4], of_job[5] = rows["shift_work"][main], rows["is_leader"][main]
        of_job[4:6][of_job[4:6] == UNKNOWN] = np.nan
        of_job[_OCCUPATION_COLUMNS] = _OCCUPATION_TABLE[:, rows["occupation"][main]]
        of_job[_INDUSTRY_COLUMNS] = _INDUSTRY_TABLE[:, rows["division"][main]]
        columns[: len(_JOB_FEATURES), has_job] = of_job
        if known.events_sent:
            columns[len(_JOB_FEATURES) :] = _events(known, main, has_job)
    refused = (~known.consented[:, _SOURCE]).nonzero()[0]
    if len(refused):
        columns[:, refused] = np.nan
    return columns.T


def employed_on(histories: Histories, t: Days, known_at: Days | None = None) -> np.ndarray:
    """Say who is employed on day ``t``, as known on the morning of ``known_at`` (by default of ``t``).

    Parameters
    ----------
    histories : Histories of N persons
    t, known_at : int or int array of shape (N,)

    Returns
    -------
    bool array, shape (N,); False without consent for employment data.
    """
    rows = employments_known(histories, t if known_at is None else known_at, begun_by=t)
    employed = np.zeros(len(histories), dtype=bool)
    employed[rows["person"][_covering(rows, index_dates(histories, t))]] = True
    return employed


def employment_end(histories: Histories, t: Days, d: Days) -> np.ndarray:
    """Last day of the unbroken employment around day ``t``, in any companies, as known on the morning of ``d``.

    Parameters
    ----------
    histories : Histories of N persons
    t, d : int or int array of shape (N,)
        ``t <= d``.

    Returns
    -------
    int32 array, shape (N,): ``NO_DAY`` where it is open or lasts to day ``d`` or beyond; ``t - 1`` where, as it is
    known at ``d``, the person was not employed on day ``t`` at all.
    """
    t, d = index_dates(histories, t), index_dates(histories, d)
    rows = employments_known(histories, d, begun_by=d)
    person, first, last = merged(rows["person"], rows["start"], _end_by(rows, d))
    around = (first <= t[person]) & (t[person] <= last)
    end = t - np.int32(1)
    end[person[around]] = np.where(last >= d[person], np.int32(NO_DAY), last)[around]
    return end


def companies_on(histories: Histories, t: Days) -> np.ndarray:
    """Company of each person's main job on day ``t``, as known that morning.

    Returns
    -------
    int32 array, shape (N,): position in ``histories.companies``, -1 without a job or without consent for employment data.
    """
    rows = employments_known(histories, t, begun_by=t)
    main = main_jobs(rows, index_dates(histories, t))
    company = np.full(len(histories), UNKNOWN, dtype=np.int32)
    company[rows["person"][main]] = rows["company"][main]
    company[~histories.consented[:, _SOURCE]] = UNKNOWN
    return company


def main_jobs(employments: Rows, t: np.ndarray) -> np.ndarray:
    """Return the positions of the main jobs on day ``t`` among the employments begun by then, sorted by person."""
    jobs = _covering(employments, t)
    return _largest(employments, jobs, employments["person"][jobs])


def _covering(rows: Rows, t: np.ndarray) -> np.ndarray:
    """Positions of the employments, begun by ``t``, that last on day ``t``."""
    return ((rows["end"] == NO_DAY) | (rows["end"] >= t[rows["person"]])).nonzero()[0]


def _end_by(rows: Rows, day: np.ndarray) -> np.ndarray:
    """Last day of each employment, or ``day`` where it lasts beyond."""
    day = day[rows["person"]]
    return np.where(rows["end"] == NO_DAY, day, np.minimum(rows["end"], day))


def _largest(rows: Rows, jobs: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Position of the main job of each person who has one; jobs are sorted by start and company within a person."""
    starts = run_starts(person)
    if len(starts) == len(jobs):
        return jobs
    position = rows["position_percent"][jobs]
    largest = np.maximum.reduceat(position, starts)
    candidates = (position == largest[run_numbers(starts, len(jobs))]).nonzero()[0]
    return jobs[candidates[run_starts(person[candidates])]]


def _tenure_years(known: Known, main: np.ndarray, has_job: np.ndarray) -> np.ndarray:
    """Years of unbroken employment in the company of each main job."""
    rows = known.employments
    company = np.full(len(known), UNKNOWN)
    company[has_job] = rows["company"][main]
    same = (rows["company"] == company[rows["person"]]).nonzero()[0]
    if len(same) == len(main):
        return (known.t[has_job] - rows["start"][main]) / _DAYS_PER_YEAR
    person, first, last = merged(rows["person"][same], rows["start"][same], _end_by(rows, known.t)[same])
    tenure = known.t[person] - first
    return tenure[last == known.t[person]] / _DAYS_PER_YEAR


def _events(known: Known, main: np.ndarray, has_job: np.ndarray) -> np.ndarray:
    """Counts per kind in the last year and days since the last leader change, shape (n_kinds + 1, n_persons)."""
    n, n_kinds, jobs = len(known), len(EVENT_KINDS), known.employments
    result = np.full((n_kinds + 1, n), np.nan)
    result[:n_kinds, has_job] = 0
    rows = company_events(known, has_job, jobs["company"][main])
    if not len(rows["person"]):
        return result
    unit = np.full(n, UNKNOWN)
    unit[has_job] = jobs["unit"][main]
    concerned = ((rows["unit"] == UNKNOWN) | (rows["unit"] == unit[rows["person"]])).nonzero()[0]
    person, kind = rows["person"][concerned], rows["kind"][concerned].astype(np.int64)
    days_ago = known.t[person] - rows["day"][concerned]
    counts = np.bincount(kind * n + person, days_ago <= _YEAR, n_kinds * n).reshape(n_kinds, n)
    result[:n_kinds, has_job] = counts[:, has_job]
    is_change = (kind == _LEADER_CHANGE).nonzero()[0]
    result[n_kinds, person[is_change]] = days_ago[is_change]  # of the events of a person the last one is set last
    return result


GROUP = FeatureGroup("workplace", FEATURES, compute)
