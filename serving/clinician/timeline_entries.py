"""What stands on a person's timeline, from what may be used of the record: the same cut and consents as for the models.

Of an absence there is who certified it, how much and how long; never why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte
from data_contracts.time_windows import NO_DAY, calendar_date
from features.as_of import Known, company_events
from features.catalogue import feature
from features.feature import Feature
from features.gathering import EVENT_KINDS, GUIDANCE_DOMAINS, UNKNOWN
from features.sheet_layouts import SCALES
from models.wording import shown_value
from serving.clinician.language import Words
from serving.clinician.messages import N_
from serving.handlers.profile_measurements import shown_measurement

Kind = Literal["survey", "lab", "absence", "guidance", "workplace", "score", "decision"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_ABOUT = {
    "sleep": N_("Veiledning om søvn"),
    "stress": N_("Veiledning om stress"),
    "physical_activity": N_("Veiledning om fysisk aktivitet"),
    "diet": N_("Veiledning om kosthold"),
    "pain": N_("Veiledning om smerte"),
    "mental_health": N_("Veiledning om psykisk helse"),
    "work": N_("Veiledning om arbeid"),
}
_HAPPENED = {
    "leader_change": N_("Lederskifte på arbeidsplassen"),
    "reorganisation": N_("Omorganisering på arbeidsplassen"),
    "downsizing": N_("Nedbemanning på arbeidsplassen"),
    "intervention_session": N_("Felles samling i programmet"),
}


@dataclass(frozen=True)
class Entry:
    """One line: a day (of an absence the first), what happened, and what there is to open below it."""

    day: date
    kind: Kind
    text: str
    details: tuple[str, ...] = ()


def of_record(say: Words, known: Known) -> Iterator[Entry]:
    """Yield what a record tells of one person, in no order."""
    yield from _surveys(say, known)
    yield from _labs(say, known)
    yield from _absences(say, known)
    yield from _guidance(say, known)
    yield from _events(say, known)


def _surveys(say: Words, known: Known) -> Iterator[Entry]:
    scores: dict[int, list[str]] = defaultdict(list)
    for day, scale, score in _rows(known.scores, "day", "scale", "score"):
        one = feature(SCALES[scale].name)
        scores[day].append(f"{_label(say, one)}: {say.said(shown_value(one, score, False))}")
    sheets: dict[int, int] = defaultdict(int)
    for (day,) in _rows(known.sheets, "day"):
        sheets[day] += 1
    for day, n in sheets.items():
        text = say.plural("Ett spørreskjema besvart", "%(n)s spørreskjemaer besvart", n)
        yield Entry(calendar_date(day), "survey", text, tuple(scores[day]))


def _labs(say: Words, known: Known) -> Iterator[Entry]:
    # Of several results of a day the one that counts comes last: exact after bounds, later known after earlier.
    last = {(day, analyte): (value, sign)
            for day, analyte, value, sign in _rows(known.labs, "day", "analyte", "value", "comparator")}  # fmt: skip
    by_day: dict[int, list[str]] = defaultdict(list)
    for (day, analyte), (value, sign) in last.items():
        one = ANALYTES[analyte]
        by_day[day].append(f"{_label(say, one)}: {say.said(shown_measurement(one, value, sign))}")
    for day, results in by_day.items():
        text = say.plural("Ett prøvesvar eller mål", "%(n)s prøvesvar eller mål", len(results))
        yield Entry(calendar_date(day), "lab", text, tuple(results))


def _absences(say: Words, known: Known) -> Iterator[Entry]:
    columns = ("first", "last", "by_doctor", "grade", "is_running")
    for first, last, by_doctor, grade, is_running in _rows(known.absences, *columns):
        kind = say("Sykmelding") if by_doctor else say("Egenmelding")
        share = say("hele stillingen") if grade == 100 else say("gradert, %(n)s prosent", n=say.number(grade))
        days = say.plural("%(n)s dag", "%(n)s dager", last - first + 1)
        if is_running:
            when = say("pågår fra %(first)s, %(days)s så langt", first=_day(say, first), days=days)
        else:
            when = say("%(first)s–%(last)s, %(days)s", first=_day(say, first), last=_day(say, last), days=days)
        yield Entry(calendar_date(first), "absence", f"{kind}, {share}: {when}")


def _guidance(say: Words, known: Known) -> Iterator[Entry]:
    for day, domain in _rows(known.guidance, "day", "domain"):
        yield Entry(calendar_date(day), "guidance", say(_ABOUT[GUIDANCE_DOMAINS[domain]]))


def _events(say: Words, known: Known) -> Iterator[Entry]:
    """Yield what happened where and while the person worked there; two jobs in one place see it once."""
    seen = set()
    for company, unit, start, end in _rows(known.employments, "company", "unit", "start", "end"):
        rows = company_events(known, np.array([0]), np.array([company]))
        for day, kind, concerned in _rows(rows, "day", "kind", "unit"):
            if start <= day and (end == NO_DAY or day <= end) and concerned in (UNKNOWN, unit):
                seen.add((day, kind, company, concerned))
    for day, kind, *_ in sorted(seen):
        yield Entry(calendar_date(day), "workplace", say(_HAPPENED[EVENT_KINDS[kind]]))


def _rows(columns: dict[str, np.ndarray], *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(columns[name].tolist() for name in names), strict=True)


def _label(say: Words, one: Feature | Analyte) -> str:
    return say.said({"nb": one.label_nb, "en": one.label_en})


def _day(say: Words, number: int) -> str:
    return say.day(calendar_date(number))
