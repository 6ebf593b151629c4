"""Every feature once more, slowly and plainly: one person, row dicts, sets of days.

Written from the meanings in the catalogue, not from the code that it checks: no arrays, no sorting tricks, no shared
helpers except the declarations of questionnaires and analytes. Rows are as in ``tests.lib.records``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, canonical
from data_contracts.instruments import INSTRUMENTS, Instrument, Scale
from data_contracts.records import TABLES

Row = dict[str, Any]
NAN = math.nan
EPOCH = date(1970, 1, 1)
KINDS = ("doctor", "self", "mental", "musculoskeletal", "respiratory", "other_diagnosis", "any")
FOLLOWED = (
    "systolic_bp", "diastolic_bp", "bmi", "waist", "hba1c", "total_cholesterol", "hdl", "ldl", "triglycerides", "crp",
    "ferritin", "vitamin_d",
)  # fmt: skip
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
EVENT_KINDS = ("leader_change", "reorganisation", "downsizing", "intervention_session")

CONTEXT = (
    *(f"{level}_{measure}" for level in ("company", "unit")
      for measure in ("days_doctor_365", "cbi_work", "who5_wellbeing", "was_work_ability", "shc_musculoskeletal")),
    "company_persons",
)  # fmt: skip
"""What one person's rows cannot tell; see ``tests.lib.reference_context``."""


def number(text: str | None) -> int | None:
    return None if text is None else (date.fromisoformat(text) - EPOCH).days


class Reference:
    """What is known of one person at t, and the features that follow."""

    def __init__(
        self,
        rows: dict[str, list[Row]],
        person_id: str,
        t: str,
        *,
        purpose: str = "risk_scoring",
        consent_on: str | None = None,
        data_as_of: str | None = None,
    ) -> None:
        self.t = number(t)
        self.year = date.fromisoformat(t).year
        self.person_id = person_id
        limit = number(data_as_of)
        self.rows = {
            table: [row for row in of_table if limit is None or number(row["known_from"]) < limit]
            for table, of_table in rows.items()
        }
        self.consented = self.sources_in_force(purpose, number(consent_on or t))

    def features(self) -> dict[str, float]:
        own = self.life_situation() | self.absence() | self.survey() | self.labs() | self.workplace()
        return own | dict.fromkeys(CONTEXT, NAN)

    # --- the two clocks

    def sources_in_force(self, purpose: str, on: int) -> set[str]:
        rows = self.latest("consents", lambda row: True)
        return {
            row["source"]
            for row in rows
            if row["purpose"] == purpose
            and number(row["given_on"]) <= on
            and not (row.get("withdrawn_on") is not None and number(row["withdrawn_on"]) <= on)
        }

    def latest(self, table: str, is_seen: Callable[[Row], bool]) -> list[Row]:
        """The last version of each fact of the person (or company), if it is not a deletion."""
        facts: dict[tuple, list[Row]] = {}
        for row in self.rows[table]:
            if is_seen(row) and row.get("person_id", self.person_id) == self.person_id:
                facts.setdefault(tuple(row.get(name) for name in TABLES[table].natural_key), []).append(row)
        last = [max(versions, key=lambda row: row["known_from"]) for versions in facts.values()]
        return [row for row in last if not row.get("is_deleted")]

    def known(self, table: str) -> list[Row]:
        source = TABLES[table].consent_source
        if source is not None and source not in self.consented:
            return []
        return self.latest(table, lambda row: number(row["known_from"]) < self.t)

    def without_consent(self, source: str, features: dict[str, float]) -> dict[str, float]:
        return features if source in self.consented else dict.fromkeys(features, NAN)

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

    # --- labs

    def labs(self) -> dict[str, float]:
        features, days, n_bounds, n_measured = {}, {}, 0, 0
        for analyte in ANALYTES:
            measured = self.measured(analyte)
            latest = max(measured, key=lambda one: one["rank"]) if measured else None
            computed = self.computed(analyte.name)
            day = max(computed, default=-math.inf)
            # An exact result holds its own day, a bound does not.
            if computed and (latest is None or day + (latest["comparator"] is not None) > latest["day"]):
                latest = {"day": day, "value": computed[day], "comparator": None, "limits": None}
            features[analyte.name] = latest["value"] if latest else NAN
            if analyte.name not in ("height", "weight"):
                features[f"{analyte.name}_distance"] = self.distance(analyte, latest) if latest else NAN
            if analyte.name in FOLLOWED:
                features |= self.course(analyte.name, computed | self.by_day(analyte.name))
            n_bounds += latest is not None and latest["comparator"] is not None
            n_measured += any(one["day"] >= self.t - 730 for one in measured)
            if latest:
                days[analyte.name] = latest["day"]
        counts = {"lab_bounds_count": n_bounds, "analytes_measured_730": n_measured}
        return self.without_consent("lab", features | self.examinations(days) | counts)

    def examinations(self, days: dict[str, int]) -> dict[str, float]:
        pressures, measures = ("systolic_bp", "diastolic_bp", "heart_rate"), ("bmi", "waist", "height", "weight")
        last = {"blood_sample": -math.inf, "blood_pressure": -math.inf, "body_measure": -math.inf}
        for name, day in days.items():
            kind = "blood_pressure" if name in pressures else "body_measure" if name in measures else "blood_sample"
            last[kind] = max(last[kind], day)
        return {f"{kind}_age_days": NAN if day == -math.inf else self.t - day for kind, day in last.items()}

    @staticmethod
    def course(name: str, values: dict[int, float]) -> dict[str, float]:
        """Change and slope of values by day."""
        days = sorted(values)[-3:]
        change, slope = NAN, NAN
        if len(days) > 1:
            change = values[days[-1]] - values[days[-2]]
        if len(days) == 3 and days[2] - days[0] >= 90:
            # Counted from the latest: the slope is the same, and 0 where the three are the same.
            x, y = ([one - ones[-1] for one in ones] for ones in (days, [values[day] for day in days]))
            numerator = 3 * sum(a * b for a, b in zip(x, y, strict=True)) - sum(x) * sum(y)
            slope = numerator / (3 * sum(a * a for a in x) - sum(x) ** 2) * 365.25
        return {f"{name}_change": change, f"{name}_slope": slope}

    def measured(self, analyte: Analyte) -> list[Row]:
        """Results of an analyte in its canonical unit; ``limits`` are the laboratory's own, None without."""
        return self.all_measured.get(analyte.name, [])

    @cached_property
    def all_measured(self) -> dict[str, list[Row]]:
        results: dict[str, list[Row]] = {}
        for row in self.known("lab_results"):
            found = canonical(row["code_system"], row["code"], row["unit"])
            if found is not None and number(row["sampled_on"]) < self.t:
                position, factor, offset = found
                own = [row.get("reference_low"), row.get("reference_high")]
                limits = [None if limit is None else limit * factor + offset for limit in own]
                results.setdefault(ANALYTES[position].name, []).append({
                    "rank": (row["sampled_on"], row.get("comparator") is None, row["known_from"], row["code"]),
                    "day": number(row["sampled_on"]),
                    "value": row["value"] * factor + offset,
                    "comparator": row.get("comparator"),
                    "limits": None if own == [None, None] else limits,
                })  # fmt: skip
        return results

    def by_day(self, name: str) -> dict[int, float]:
        """The value to compute with on each day: no bound, and of several the one known last."""
        (analyte,) = [one for one in ANALYTES if one.name == name]
        results = sorted(self.measured(analyte), key=lambda one: one["rank"])
        return {one["day"]: one["value"] for one in results if one["comparator"] is None}

    def computed(self, name: str) -> dict[int, float]:
        """Day and value of every result that follows from others."""
        formulas = {"bmi": self.bmi, "egfr": self.egfr, "non_hdl": self.non_hdl, "ldl": self.ldl}
        if name not in formulas:
            return {}
        (analyte,) = [one for one in ANALYTES if one.name == name]
        return {day: value for day, value in formulas[name]().items() if analyte.hard_low <= value <= analyte.hard_high}

    def bmi(self) -> dict[int, float]:
        heights, found = self.by_day("height"), {}
        for day, weight in self.by_day("weight").items():
            earlier = [other for other in heights if other <= day]
            if heights:
                height = heights[max(earlier) if earlier else min(heights)]
                found[day] = weight / ((height / 100) * (height / 100))
        return found

    def egfr(self) -> dict[int, float]:
        """CKD-EPI 2009 as in Table 2 of Levey, Ann Intern Med 2009;150:604, in mg/dL, for white and other persons."""
        found = {}
        for day, micromoles in self.by_day("creatinine").items():
            for row in self.known("persons"):
                factor, limit, below = (144, 0.7, -0.329) if row["sex"] == "female" else (141, 0.9, -0.411)
                ratio, age = micromoles / 88.4 / limit, self.age_on(day)
                if age >= 18:
                    found[day] = factor * ratio ** (below if ratio <= 1 else -1.209) * 0.993**age
        return found

    def non_hdl(self) -> dict[int, float]:
        hdl = self.by_day("hdl")
        return {
            day: total - hdl[day] for day, total in self.by_day("total_cholesterol").items() if hdl.get(day, 99) < total
        }

    def ldl(self) -> dict[int, float]:
        hdl, fat = self.by_day("hdl"), self.by_day("triglycerides")
        totals = self.by_day("total_cholesterol")
        return {
            day: totals[day] - hdl[day] - fat[day] / 2.2 for day in totals if day in hdl and fat.get(day, 99) <= 4.5
        }

    def age_on(self, day: int) -> float:
        persons = self.known("persons")
        return (EPOCH + timedelta(days=day)).year - persons[0]["birth_year"] if persons else NAN

    def distance(self, analyte: Analyte, latest: Row) -> float:
        if latest["limits"] is not None:
            value, comparator, (low, high) = latest["value"], latest["comparator"], latest["limits"]
            is_known = comparator is None or self.is_decided(comparator, value, low, high)
            return self.distance_from(value, low, high) if is_known else NAN
        sexes = [row["sex"] for row in self.known("persons")] or ["female", "male"]
        distances = {self.from_fallback(analyte, sex, latest) for sex in sexes}
        return distances.pop() if len(distances) == 1 else NAN

    def from_fallback(self, analyte: Analyte, sex: str, latest: Row) -> float:
        """With the age unknown, a limit counts that is the same at all ages from 18."""
        intervals = [one for one in analyte.reference_intervals if one.sex in (sex, "both")]
        age = self.age_on(latest["day"])
        if not math.isnan(age):
            intervals = [one for one in intervals if one.age_from <= age <= (one.age_to or 200)]
        low, high = ({(getattr(one, end), one.open in (end, "both")) for one in intervals} for end in ("low", "high"))
        (low, low_is_open), (high, high_is_open) = (
            ends.pop() if len(ends) == 1 else (None, False) for ends in (low, high)
        )
        if latest["comparator"] is not None:
            # To single precision: the conversion of a unit may change the last bits of a bound that is on a limit.
            rounded = [None if one is None else float(np.float32(one)) for one in (latest["value"], low, high)]
            if not self.is_decided(latest["comparator"], *rounded, low_is_open, high_is_open):
                return NAN
        return self.distance_from(latest["value"], low, high)

    @staticmethod
    def distance_from(value: float, low: float | None, high: float | None) -> float:
        if low is None and high is None:
            return NAN
        # A value on a limit is inside, whatever the conversion of its unit did to the last bits.
        if high is not None and value > high and not math.isclose(value, high, rel_tol=1e-7):
            return (value - high) / high if high > value / 1e6 else NAN
        if low is not None and value < low and not math.isclose(value, low, rel_tol=1e-7):
            return (value - low) / low
        return 0.0

    @staticmethod
    def is_decided(
        comparator: str,
        value: float,
        low: float | None,
        high: float | None,
        low_is_open: bool = False,
        high_is_open: bool = False,
    ) -> bool:
        """Whether all that a bound leaves possible lies outside, or all inside."""
        if low is None and high is None:
            return False
        is_strict = comparator in ("<", ">")
        on_low, on_high = value == low, value == high
        if comparator in ("<", "<="):
            is_outside = low is not None and (value < low or (on_low and (is_strict or low_is_open)))
            # A lower limit of 0 is none: an amount below it there is not.
            no_low = low is None or (low <= 0 and not low_is_open)
            is_inside = no_low and (high is None or value < high or (on_high and (is_strict or not high_is_open)))
        else:
            is_outside = high is not None and (value > high or (on_high and (is_strict or high_is_open)))
            is_inside = high is None and (value > low or (on_low and (is_strict or not low_is_open)))
        return is_outside or is_inside

    # --- workplace

    def workplace(self) -> dict[str, float]:
        begun = [row for row in self.known("employments") if number(row["start_date"]) <= self.t]
        jobs = [row for row in begun if row.get("end_date") is None or number(row["end_date"]) >= self.t]
        jobs.sort(key=lambda row: (-row["position_percent"], row["start_date"], row["company_id"]))
        main = jobs[0] if jobs else {}
        features = {
            "employed": float(bool(jobs)),
            "n_jobs": len(jobs),
            "position_percent": min(sum(row["position_percent"] for row in jobs), 100) if jobs else NAN,
            "tenure_years": self.tenure(main, begun) if jobs else NAN,
            "shift_work": NAN if main.get("shift_work") is None else float(main["shift_work"]),
            "is_leader": NAN if main.get("is_leader") is None else float(main["is_leader"]),
        }
        features |= self.groups("occupation", main.get("occupation_code"), 1, {
            "professional": (1, 2, 3), "clerical": (4,), "service": (5,), "manual": (6, 7, 8, 9),
        })  # fmt: skip
        features |= self.groups("industry", main.get("industry_code"), 2, {
            "manufacturing": range(5, 40), "construction": range(41, 44), "trade": range(45, 48),
            "transport": range(49, 54), "hospitality": (55, 56), "office": range(58, 83),
            "public_administration": (84,), "education": (85,), "health_and_social": (86, 87, 88),
        })  # fmt: skip
        return self.without_consent("employment", features | self.events(main))

    def tenure(self, main: Row, begun: list[Row]) -> float:
        days: set[int] = set()
        for row in begun:
            if row["company_id"] == main["company_id"]:
                end = number(row.get("end_date"))
                last = self.t if end is None else min(end, self.t)
                days |= set(range(number(row["start_date"]), last + 1))
        first = self.t
        while first - 1 in days:
            first -= 1
        return (self.t - first) / 365.25

    @staticmethod
    def groups(prefix: str, code: str | None, digits: int, groups: dict[str, Any]) -> dict[str, float]:
        return {
            f"{prefix}_{name}": NAN if code is None else float(int(code[:digits]) in members)
            for name, members in groups.items()
        }

    def events(self, main: Row) -> dict[str, float]:
        names = [f"events_{kind}_365" for kind in EVENT_KINDS]
        if not main:
            return dict.fromkeys([*names, "days_since_leader_change"], NAN)
        events = [
            row
            for row in self.known("workplace_events")
            if row["company_id"] == main["company_id"]
            and row.get("unit_id") in (None, main.get("unit_id"))
            and number(row["occurred_on"]) < self.t
        ]
        recent = [row["kind"] for row in events if number(row["occurred_on"]) >= self.t - 365]
        changes = [number(row["occurred_on"]) for row in events if row["kind"] == "leader_change"]
        counts = {name: float(recent.count(kind)) for name, kind in zip(names, EVENT_KINDS, strict=True)}
        return counts | {"days_since_leader_change": self.t - max(changes) if changes else NAN}
