"""By what persons are divided when a model is judged for each group: one declaration per attribute, and nowhere else.

Immigrant background, pregnancy and disability are not collected, so no table here can show harm to these groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from features.catalogue import FEATURE_NAMES, feature
from features.workplace_totals import FEWEST_OTHERS
from models.evaluation.held_out import HeldOut
from models.evaluation.suppression import hidden_groups

NOT_KNOWN = -1
"""Position of rows for which the attribute is not known; they form a group of their own."""

NOT_EXAMINED = ("immigrant background", "pregnancy", "disability")
"""What the standards ask for and no source holds."""


@dataclass(frozen=True)
class Group:
    """One group of an attribute, with its words in Norwegian and English."""

    name: str
    label_nb: str
    label_en: str


UNKNOWN_GROUP = Group("not_known", "Ikke kjent", "Not known")


@dataclass(frozen=True)
class Attribute:
    """A way of dividing the rows.

    Parameters
    ----------
    name, label_nb, label_en : str
    groups : tuple of Group
    of : callable
        Takes the held-out rows, returns the position of each row's group, int (n,), ``NOT_KNOWN`` where it is not known.
    """

    name: str
    label_nb: str
    label_en: str
    groups: tuple[Group, ...]
    of: Callable[[HeldOut], np.ndarray]


AGES = (18, 30, 40, 50, 60, 71)
"""First year of each age band, and the first year that nobody of the cohort has."""

PARTICIPANTS = (FEWEST_OTHERS + 1, 50)
"""Fewest participants of the companies whose number is told."""


def _bands(values: np.ndarray, starts: Sequence[float]) -> np.ndarray:
    position = np.searchsorted(starts, values, side="right") - 1
    return np.where(np.isnan(values), NOT_KNOWN, position)


def _level(name: str, first: int) -> Callable[[HeldOut], np.ndarray]:
    """Return what reads a feature of whole numbers that begin with ``first``."""

    def of(rows: HeldOut) -> np.ndarray:
        values = rows.column(name)
        return np.where(np.isnan(values), NOT_KNOWN, np.nan_to_num(values) - first).astype(int)

    return of


def _one_of(prefix: str) -> tuple[tuple[Group, ...], Callable[[HeldOut], np.ndarray]]:
    """Groups of the yes/no features with this prefix, and "other" for the rows that are none of them."""
    names = [name for name in FEATURE_NAMES if name.startswith(prefix)]
    groups = [Group(name.removeprefix(prefix), feature(name).label_nb, feature(name).label_en) for name in names]

    def of(rows: HeldOut) -> np.ndarray:
        is_in = np.stack([rows.column(name) for name in names], axis=1)
        position = np.where((is_in == 1).any(axis=1), (is_in == 1).argmax(axis=1), len(names))
        return np.where(np.isnan(is_in).any(axis=1), NOT_KNOWN, position)

    return (*groups, Group("other", "Andre", "Other")), of


def _part_time(rows: HeldOut) -> np.ndarray:
    return _bands(-rows.column("position_percent"), (-100, -99.5))


def _participants(rows: HeldOut) -> np.ndarray:
    """Who of the company takes part, not its employees: most firms take part in part. The feature tells of no small one."""
    told = rows.column("company_persons") + 1
    return np.where(rows.company < 0, NOT_KNOWN, np.where(np.isnan(told), 0, 1 + _bands(told, PARTICIPANTS)))


def _survey(rows: HeldOut) -> np.ndarray:
    """Answered (0), consented and never answered (1), consent refused or withdrawn (2)."""
    refused = np.isnan(rows.column("survey_days_730"))
    return np.where(refused, 2, np.isnan(rows.column("days_since_survey")).astype(int))


def _labs(rows: HeldOut) -> np.ndarray:
    """Measured within two years (0), consented and not measured (1), consent refused or withdrawn (2)."""
    measured = rows.column("analytes_measured_730")
    return np.where(np.isnan(measured), 2, (measured == 0).astype(int))


def _absence(rows: HeldOut) -> np.ndarray:
    """Visible (0), or consent refused or withdrawn (1)."""
    return np.isnan(rows.column("days_doctor_365")).astype(int)


_REFUSED = Group("no_consent", "Uten samtykke til kilden", "No consent for the source")
_INDUSTRIES, _industry = _one_of("industry_")
_OCCUPATIONS, _occupation = _one_of("occupation_")

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("sex", "Kjønn", "Sex", (Group("male", "Menn", "Men"), Group("female", "Kvinner", "Women")),
              _level("is_female", 0)),
    Attribute("age", "Alder", "Age",
              tuple(Group(f"{low}-{end - 1}", f"{low}–{end - 1} år", f"{low}–{end - 1} years")
                    for low, end in pairwise(AGES)),
              lambda rows: _bands(np.clip(rows.column("age_years"), AGES[0], AGES[-1] - 1), AGES[:-1])),
    Attribute("education", "Utdanning", "Education",
              (Group("basic", "Grunnskole", "Basic"), Group("secondary", "Videregående", "Secondary"),
               Group("tertiary", "Høyere, inntil fire år", "Tertiary up to four years"),
               Group("long_tertiary", "Høyere, mer enn fire år", "Tertiary above four years")), _level("education", 1)),
    Attribute("position", "Stilling", "Position",
              (Group("full_time", "Heltid", "Full time"), Group("part_time", "Deltid", "Part time")), _part_time),
    Attribute("occupation", "Yrke", "Occupation", _OCCUPATIONS, _occupation),
    Attribute("industry", "Næring", "Industry", _INDUSTRIES, _industry),
    Attribute("company_participants", "Deltakere fra bedriften", "Participants of the company",
              (Group("under_11", "Under 11, eller ikke oppgitt", "Under 11, or not told"),
               Group("11-49", "11–49", "11–49"), Group("50+", "50 eller flere", "50 or more")),
              _participants),
    Attribute("survey", "Spørreskjema", "Survey",
              (Group("known", "Besvart", "Answered"), Group("unanswered", "Aldri besvart", "Never answered"), _REFUSED),
              _survey),
    Attribute("labs", "Blodprøver og målinger", "Laboratory and body measurements",
              (Group("known", "Målt siste to år", "Measured within two years"),
               Group("unmeasured", "Ikke målt siste to år", "Not measured within two years"), _REFUSED), _labs),
    Attribute("absence_data", "Fraværsdata", "Absence data",
              (Group("known", "Kjent", "Known"), _REFUSED), _absence),
)  # fmt: skip

COLUMNS: tuple[str, ...] = (
    "is_female", "age_years", "education", "position_percent", "survey_days_730", "days_since_survey",
    "analytes_measured_730", "days_doctor_365", "company_persons",
    *(name for name in FEATURE_NAMES if name.startswith(("industry_", "occupation_"))),
)  # fmt: skip
"""The features that the attributes read."""


def group_rows(attribute: Attribute, held_out: HeldOut) -> tuple[list[tuple[Group, np.ndarray]], dict[int, str]]:
    """Return the groups that have rows, each with its rows (bool, (n,)), and the reason for each position that is hidden."""
    position = attribute.of(held_out)
    named = [*enumerate(attribute.groups), (NOT_KNOWN, UNKNOWN_GROUP)]
    members = [(group, position == place) for place, group in named if (position == place).any()]
    return members, hidden_groups(held_out.y, held_out.person, [chosen for _, chosen in members])
