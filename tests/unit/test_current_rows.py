"""Which version counts on a morning, counted by hand."""

from __future__ import annotations

from datetime import date

import pytest

from data_contracts.current_rows import current_rows
from data_contracts.records import AbsenceSpell, WorkplaceEvent
from tests.lib.records import Row, event, spell, table

VERSIONS = [
    spell("2025-01-01", None, "2025-01-03"),
    spell("2025-01-01", "2025-01-20", "2025-01-10"),
    spell("2025-01-01", "2025-01-20", "2025-02-01", is_deleted=True),
]
OTHERS = [spell("2025-01-05", "2025-01-06", spell_id="B"), spell("2025-01-07", "2025-01-08", person_id="q")]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        # What became known on the third is not known on the morning of the third.
        ("2025-01-03", []),
        ("2025-01-04", [0]),
        ("2025-01-10", [0, 3, 4]),
        ("2025-01-11", [1, 3, 4]),
        ("2025-02-01", [1, 3, 4]),
        # A deletion takes the fact away and brings no older version back.
        ("2025-02-02", [3, 4]),
        (None, [3, 4]),
    ],
)
def test_the_latest_visible_version_counts_and_a_deletion_ends_the_fact(as_of: str | None, expected: list[int]) -> None:
    rows = table("absence_spells", [*VERSIONS, *OTHERS])
    assert current_rows(AbsenceSpell, rows, as_of and date.fromisoformat(as_of)).tolist() == expected


def test_the_order_of_rows_does_not_matter() -> None:
    rows = table("absence_spells", [*reversed(VERSIONS), *OTHERS])
    assert current_rows(AbsenceSpell, rows, date(2025, 1, 11)).tolist() == [1, 3, 4]


def test_an_empty_part_of_the_key_is_a_value_of_its_own() -> None:
    rows: list[Row] = [event("downsizing", "2025-01-01"), event("downsizing", "2025-01-01", unit_id="u")]
    assert current_rows(WorkplaceEvent, table("workplace_events", rows)).tolist() == [0, 1]
    assert current_rows(WorkplaceEvent, table("workplace_events", [])).tolist() == []
