"""Every feature once more, slowly and plainly: one person, row dicts, sets of days.

Written from the meanings in the catalogue, not from the code that it checks: no arrays, no sorting tricks, no shared
helpers except the declarations of questionnaires and analytes. Rows are as in ``tests.lib.records``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, canonical
from data_contracts.instruments import INSTRUMENTS, Instrument, Scale
from data_contracts.records import TABLES

Row = dict[str, Any]
NAN = math.nan
EPOCH = date(1970, 1, 1)
KINDS = ("doctor", "self", "mental", "musculoskeletal", "other_diagnosis")
EVENT_KINDS = ("leader_change", "reorganisation", "downsizing", "intervention_session")


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
        return self.life_situation() | self.absence() | self.survey() | self.labs() | self.workplace()

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
        held = [number(session["held_on"]) for session in self.known("guidance_sessions")]
        held = [day for day in held if day < self.t]
        education = row.get("education_level")
        return {
            "age_years": self.year - row["birth_year"] if row else NAN,
            "is_female": float(row["sex"] == "female") if row else NAN,
            "education": levels.index(education) + 1 if education else NAN,
        } | self.without_consent(
            "survey",
            {
                "guidance_sessions_365": sum(day >= self.t - 365 for day in held),
                "days_since_guidance": self.t - max(held) if held else NAN,
            },
        )

    # --- absence

    def absence(self) -> dict[str, float]:
        spells = [row for row in self.known("absence_spells") if number(row["first_day"]) < self.t]
        doctor = [row for row in spells if row["kind"] == "doctor_certified"]
        own = [row for row in spells if row["kind"] == "self_certified"]
        days = {
            "doctor": self.graded_days(doctor),
            "mental": self.graded_days([row for row in doctor if self.chapter(row) == "P"]),
            "musculoskeletal": self.graded_days([row for row in doctor if self.chapter(row) == "L"]),
            "other_diagnosis": self.graded_days([row for row in doctor if self.chapter(row) not in ("P", "L")]),
        }
        days["self"] = {day: grade for day, grade in self.graded_days(own).items() if day not in days["doctor"]}
        features = {}
        for kind in KINDS:
            features |= self.of_kind(kind, days[kind])
        features["running_doctor"] = float(any(self.runs(row) for row in doctor))
        features["running_self"] = float(any(self.runs(row) for row in own))
        return self.without_consent("absence", features)

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
            return {"F": "P", "M": "L"}.get(spell["diagnosis"][0], "?")
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
            for scale in instrument.scales:
                features |= self.of_scale(scale, self.scored(instrument, scale))
        return features

    def scored(self, instrument: Instrument, scale: Scale) -> list[tuple[int, float]]:
        """Day and score of every occasion that can be scored, by day."""
        sheets: dict[int, dict[str, float]] = {}
        items = [item.id for item in instrument.items]
        for row in self.known("survey_answers"):
            if row["instrument"] == instrument.name and row["item"] in items and number(row["answered_on"]) < self.t:
                sheets.setdefault(number(row["answered_on"]), {})[row["item"]] = row["answer"]
        scores = ((day, self.score(instrument, scale, sheet)) for day, sheet in sorted(sheets.items()))
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

    def of_scale(self, scale: Scale, scored: list[tuple[int, float]]) -> dict[str, float]:
        return {
            scale.name: scored[-1][1] if scored else NAN,
            f"{scale.name}_change": scored[-1][1] - scored[-2][1] if len(scored) > 1 else NAN,
            f"{scale.name}_age_days": self.t - scored[-1][0] if scored else NAN,
        }

    # --- labs

    def labs(self) -> dict[str, float]:
        features = {}
        for analyte in ANALYTES:
            measured = self.measured(analyte)
            latest = max(measured, key=lambda one: one["rank"]) if measured else None
            computed = self.computed(analyte.name)
            day = max(computed, default=-math.inf)
            # An exact result holds its own day, a bound does not.
            if computed and (latest is None or day + (latest["comparator"] is not None) > latest["day"]):
                latest = {"day": day, "value": computed[day], "comparator": None, "limits": None}
            features |= self.of_analyte(analyte, latest)
        return features

    def measured(self, analyte: Analyte) -> list[Row]:
        """Results of an analyte in its canonical unit; ``limits`` are the laboratory's own, None without."""
        results = []
        for row in self.known("lab_results"):
            found = canonical(row["code_system"], row["code"], row["unit"])
            if found is not None and ANALYTES[found[0]] is analyte and number(row["sampled_on"]) < self.t:
                _, factor, offset = found
                own = [row.get("reference_low"), row.get("reference_high")]
                limits = [None if limit is None else limit * factor + offset for limit in own]
                results.append({
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
                found[day] = weight / (height / 100) ** 2
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

    def of_analyte(self, analyte: Analyte, latest: Row | None) -> dict[str, float]:
        names = (analyte.name, f"{analyte.name}_age_days", f"{analyte.name}_outside")
        if latest is None:
            return dict.fromkeys(names, NAN)
        if latest["limits"] is not None:
            verdict = self.outside(latest["value"], latest["comparator"], *latest["limits"])
        else:
            sexes = [row["sex"] for row in self.known("persons")] or ["female", "male"]
            verdicts = {self.against_fallback(analyte, sex, latest) for sex in sexes}
            verdict = verdicts.pop() if len(verdicts) == 1 else NAN
        return dict(zip(names, (latest["value"], self.t - latest["day"], verdict), strict=True))

    def against_fallback(self, analyte: Analyte, sex: str, latest: Row) -> float:
        """With the age unknown, a limit counts that is the same at all ages from 18."""
        intervals = [one for one in analyte.reference_intervals if one.sex in (sex, "both")]
        age = self.age_on(latest["day"])
        if not math.isnan(age):
            intervals = [one for one in intervals if one.age_from <= age <= (one.age_to or 200)]
        low, high = ({(getattr(one, end), one.open in (end, "both")) for one in intervals} for end in ("low", "high"))
        (low, low_is_open), (high, high_is_open) = (
            ends.pop() if len(ends) == 1 else (None, False) for ends in (low, high)
        )
        # To single precision, as features are: the conversion of a unit may change the last bits of a value on a limit.
        value, low, high = (None if one is None else float(np.float32(one)) for one in (latest["value"], low, high))
        return self.outside(value, latest["comparator"], low, high, low_is_open, high_is_open)

    @staticmethod
    def outside(
        value: float,
        comparator: str | None,
        low: float | None,
        high: float | None,
        low_is_open: bool = False,
        high_is_open: bool = False,
    ) -> float:
        """Of a bound: 1 if all that is possible lies outside, 0 if all lies inside, else unknown."""
        if low is None and high is None:
            return NAN
        is_strict = comparator in ("<", ">")
        on_low, on_high = value == low, value == high
        if comparator in ("<", "<="):
            is_outside = low is not None and (value < low or (on_low and (is_strict or low_is_open)))
            is_inside = low is None and (value < high or (on_high and (is_strict or not high_is_open)))
        elif comparator in (">", ">="):
            is_outside = high is not None and (value > high or (on_high and (is_strict or high_is_open)))
            is_inside = high is None and (value > low or (on_low and (is_strict or not low_is_open)))
        else:
            is_below = low is not None and (value < low or (on_low and low_is_open))
            is_above = high is not None and (value > high or (on_high and high_is_open))
            is_outside = is_below or is_above
            is_inside = not is_outside
        return 1.0 if is_outside else 0.0 if is_inside else NAN

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
