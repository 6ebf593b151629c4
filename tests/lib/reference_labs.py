"""Features of laboratory results once more, slowly and plainly, as in ``tests.lib.reference_features``."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import cached_property

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, canonical
from tests.lib.reference_known import EPOCH, NAN, Known, Row, number

FOLLOWED = (
    "systolic_bp", "diastolic_bp", "bmi", "waist", "hba1c", "total_cholesterol", "hdl", "ldl", "triglycerides", "crp",
    "ferritin", "vitamin_d",
)  # fmt: skip


class Labs(Known):
    """Results, what follows from them, and how far they lie from their limits."""

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
