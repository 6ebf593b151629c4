"""What was known of one person on a day, slowly and plainly: rows by their two clocks, and consent."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

from data_contracts.records import TABLES

Row = dict[str, Any]
NAN = math.nan
EPOCH = date(1970, 1, 1)


def number(text: str | None) -> int | None:
    return None if text is None else (date.fromisoformat(text) - EPOCH).days


class Known:
    """What is known of one person at t."""

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
