"""Features of a person's own work once more, slowly and plainly, as in ``tests.lib.reference_features``."""

from __future__ import annotations

from typing import Any

from tests.lib.reference_known import NAN, Known, Row, number

EVENT_KINDS = ("leader_change", "reorganisation", "downsizing", "intervention_session")


class Work(Known):
    """Jobs, and what happened in the company."""

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
