"""Every feature once more, slowly and plainly: one person, row dicts, sets of days.

Written from the meanings in the catalogue, not from the code that it checks: no arrays, no sorting tricks, no shared
helpers except the declarations of questionnaires and analytes. Rows are as in ``tests.lib.records``.
"""

from __future__ import annotations

import math
from datetime import timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np

from data_contracts.instruments import INSTRUMENTS, Instrument, Scale
from tests.lib.reference_known import EPOCH, NAN, Row, number
from tests.lib.reference_labs import Labs
from tests.lib.reference_workplace import Work

KINDS = ("doctor", "self", "mental", "musculoskeletal", "respiratory", "other_diagnosis", "any")
CORE = (
    "cbi", "who5", "hscl10", "was", "bis", "shc", "pain_sites", "oss3", "srh", "audit_c", "ipaq_sf", "qpsnordic34",
)  # fmt: skip
NOT_FOLLOWED = (
    "bis_case", "ipaq_category", "shc_complaints_count", "shc_substantial_count", "shc_pain_regions_count",
    "shc_groups_count",
)  # fmt: skip
ICD10 = {
    "F32.1": "P", "R45": "P", "M54.5": "L", "S82.1": "L", "J06.9": "R", "R05": "R", "C34": "R", "L20": "S", "M10.9": "T",
    "R53": "A", "O80": "W", "Z34": "W",
}  # fmt: skip
"""ICPC-2 chapter of the ICD-10 codes that histories are drawn from, looked up by hand in NAV's conversion of certificates."""

CONTEXT = (
    *(f"{level}_{measure}" for level in ("company", "unit")
      for measure in ("days_doctor_365", "cbi_work", "who5_wellbeing", "was_work_ability", "shc_musculoskeletal")),
    "company_persons",
)  # fmt: skip
"""What one person's rows cannot tell; see ``tests.lib.reference_context``."""


class Reference(Labs, Work):
    """What is known of one person at t, and the features that follow."""

    def features(self) -> dict[str, float]:
        own = self.life_situation() | self.absence() | self.survey() | self.labs() | self.workplace()
        return own | dict.fromkeys(CONTEXT, NAN)

    # --- life situation

    def life_situation(self) -> dict[str, float]:
        (row,) = self.known("persons") or [{}]
        levels = ["basic", "secondary", "tertiary_short", "tertiary_long"]
        held = [(number(one["held_on"]), one["domain"]) for one in self.known("guidance_sessions")]
        held = [(day, domain) for day, domain in held if day < self.t]
        education = row.get("education_level")
        return {
            "age_years": self.year - row["birth_year"] if row else NAN,
            "is_female": float(row["sex"] == "female") if row else NAN,
            "education": levels.index(education) + 1 if education else NAN,
        } | self.without_consent(
            "survey",
            {
                "guidance_sessions_365": sum(day >= self.t - 365 for day, _ in held),
                "guidance_sessions_90": sum(day >= self.t - 90 for day, _ in held),
                "guidance_domains_365": len({domain for day, domain in held if day >= self.t - 365}),
                "days_since_guidance": self.t - max(day for day, _ in held) if held else NAN,
            },
        )

    # --- absence

    def absence(self) -> dict[str, float]:
        spells = [row for row in self.known("absence_spells") if number(row["first_day"]) < self.t]
        spells = [row for row in spells if self.chapter(row) != "W"]  # pregnancy and birth count in nothing
        doctor = [row for row in spells if row["kind"] == "doctor_certified"]
        own = [row for row in spells if row["kind"] == "self_certified"]
        days = {
            "doctor": self.graded_days(doctor),
            "mental": self.graded_days([row for row in doctor if self.chapter(row) == "P"]),
            "musculoskeletal": self.graded_days([row for row in doctor if self.chapter(row) == "L"]),
            "respiratory": self.graded_days([row for row in doctor if self.chapter(row) == "R"]),
            "other_diagnosis": self.graded_days([row for row in doctor if self.chapter(row) not in ("P", "L", "R")]),
            "any": self.graded_days(spells),
        }
        days["self"] = {day: grade for day, grade in self.graded_days(own).items() if day not in days["doctor"]}
        features = {}
        for kind in KINDS:
            features |= self.of_kind(kind, days[kind])
        features["running_self"] = float(any(self.runs(row) for row in own))
        features |= self.running_certificates([row for row in doctor if self.runs(row)], set(days["doctor"]))
        features |= self.frequency(set(days["any"])) | self.gaps(set(days["doctor"]))
        for kind in ("doctor", "self"):
            in_year = self.days_between(set(days[kind]), 365, 0)
            features[f"trend_days_{kind}"] = in_year - self.days_between(set(days[kind]), 730, 365)
        features["quota_days_used_365"] = min(features["days_self_365"] / 24, 1)
        features["quota_times_used_365"] = min(features["starts_self_365"] / 4, 1)
        return self.without_consent("absence", features) | self.season()

    def running_certificates(self, running: list[Row], days: set[int]) -> dict[str, float]:
        first = self.t - 1
        while first - 1 in days:
            first -= 1
        return {
            "running_doctor": float(bool(running)),
            "running_days_doctor": self.t - first if running else 0,
            "running_grade": max((row["grade_percent"] for row in running), default=0),
        }

    def days_between(self, days: set[int], since: int, until: int) -> int:
        """Days in [t-since, t-until)."""
        return sum(self.t - since <= day < self.t - until for day in days)

    def frequency(self, days: set[int]) -> dict[str, float]:
        n_stretches = sum(any(day >= self.t - 365 for day in stretch) for stretch in self.stretches(days))
        return {
            "bradford_365": n_stretches**2 * self.days_between(days, 365, 0),
            "days_any_same_season": self.days_between(days, 365, 275),
        }

    def gaps(self, days: set[int]) -> dict[str, float]:
        gaps = [(later[0], later[0] - earlier[-1] - 1) for earlier, later in pairwise(self.stretches(days))]
        recent = [gap for begins, gap in gaps if begins >= self.t - 730]
        return {
            "gap_last_doctor": gaps[-1][1] if gaps else NAN,
            "gap_mean_doctor_730": sum(recent) / len(recent) if recent else NAN,
        }

    @staticmethod
    def stretches(days: set[int]) -> list[list[int]]:
        found: list[list[int]] = []
        for day in sorted(days):
            if day - 1 in days:
                found[-1].append(day)
            else:
                found.append([day])
        return found

    def season(self) -> dict[str, float]:
        angle = 2 * math.pi * (EPOCH + timedelta(days=self.t)).timetuple().tm_yday / 365.25
        return {"season_sin": math.sin(angle), "season_cos": math.cos(angle)}

    def runs(self, spell: Row) -> bool:
        last = number(spell.get("last_day"))
        return last is None or last >= self.t

    def graded_days(self, spells: list[Row]) -> dict[int, int]:
        """Each absent day before t, with the highest grade covering it."""
        grades: dict[int, int] = {}
        for spell in spells:
            last = self.t - 1 if self.runs(spell) else number(spell["last_day"])
            for day in range(number(spell["first_day"]), last + 1):
                grades[day] = max(grades.get(day, 0), spell["grade_percent"])
        return grades

    @staticmethod
    def chapter(spell: Row) -> str:
        if spell.get("diagnosis_system") == "ICD-10":
            return ICD10[spell["diagnosis"]]
        return (spell.get("diagnosis") or "?")[0]

    def of_kind(self, kind: str, grades: dict[int, int]) -> dict[str, float]:
        features: dict[str, float] = {f"days_since_{kind}": self.t - max(grades) if grades else NAN}
        for window in (30, 90, 180, 365, 730):
            inside = {day: grade for day, grade in grades.items() if day >= self.t - window}
            features[f"days_{kind}_{window}"] = len(inside)
            features[f"weighted_days_{kind}_{window}"] = sum(inside.values()) / 100
            features[f"starts_{kind}_{window}"] = sum(day - 1 not in grades for day in inside)
            features[f"longest_{kind}_{window}"] = self.longest(set(inside))
        return features

    @staticmethod
    def longest(days: set[int]) -> int:
        longest = 0
        for day in days:
            length = 0
            while day + length in days:
                length += 1
            longest = max(longest, length)
        return longest

    # --- survey

    def survey(self) -> dict[str, float]:
        features = {}
        for instrument in INSTRUMENTS.values():
            days = []
            for scale in instrument.scales:
                scored = self.scored(instrument, scale)
                days += [day for day, _ in scored]
                features[scale.name] = scored[-1][1] if scored else NAN
                if instrument.name in CORE and scale.name not in NOT_FOLLOWED:
                    features |= self.course(scale.name, dict(scored))
            features[f"{instrument.name}_age_days"] = self.t - max(days) if days else NAN
        return features | self.without_consent("survey", self.response())

    def response(self) -> dict[str, float]:
        """How questionnaires were answered, on the latest day with an answer to any."""
        answers = {name: self.sheets(instrument) for name, instrument in INSTRUMENTS.items()}
        days = {day for sheets in answers.values() for day in sheets}
        names = ("days_since_survey", "instruments_answered", "survey_items_missing_share", "straight_lining_share")
        features = {"survey_days_730": len([day for day in days if day >= self.t - 730])} | dict.fromkeys(names, NAN)
        if days:
            latest = {name: sheets[max(days)] for name, sheets in answers.items() if max(days) in sheets}
            n_items = sum(len(INSTRUMENTS[name].items) for name in latest)
            alike = [len(set(sheet.values())) == 1 for sheet in latest.values() if len(sheet) >= 5]
            features |= {
                "days_since_survey": self.t - max(days),
                "instruments_answered": len(latest),
                "survey_items_missing_share": 1 - sum(len(sheet) for sheet in latest.values()) / n_items,
                "straight_lining_share": sum(alike) / len(alike) if alike else NAN,
            }
        return features

    def sheets(self, instrument: Instrument) -> dict[int, dict[str, float]]:
        """The answers in force, by day and item."""
        sheets: dict[int, dict[str, float]] = {}
        items = [item.id for item in instrument.items]
        for row in self.answers:
            if row["instrument"] == instrument.name and row["item"] in items and number(row["answered_on"]) < self.t:
                sheets.setdefault(number(row["answered_on"]), {})[row["item"]] = row["answer"]
        return sheets

    @cached_property
    def answers(self) -> list[Row]:
        return self.known("survey_answers")

    def scored(self, instrument: Instrument, scale: Scale) -> list[tuple[int, float]]:
        """Day and score of every occasion that can be scored, by day."""
        scores = ((day, self.score(instrument, scale, sheet)) for day, sheet in sorted(self.sheets(instrument).items()))
        return [(day, score) for day, score in scores if score is not None]

    @staticmethod
    def score(instrument: Instrument, scale: Scale, sheet: dict[str, float]) -> float | None:
        codes = {item.id: item.answers for item in instrument.items}
        given = {item: sheet[item] for item in scale.items if item in sheet}
        if len(given) < scale.fewest_answers:
            return None
        if scale.function is not None:
            columns = {item: np.array([sheet.get(item, NAN)]) for item in codes}
            (found,) = scale.function(columns).tolist()
            return None if math.isnan(found) else found
        for item in scale.reversed_items:
            if item in given:
                given[item] = min(codes[item]) + max(codes[item]) - given[item]
        if scale.method == "criteria":
            return float(all(any(given.get(i, -1) >= least for i in group) for group, least in scale.criteria))
        n_counted = len(scale.items) if scale.method == "sum" else 1
        return sum(given.values()) * scale.multiplier * n_counted / len(given)
