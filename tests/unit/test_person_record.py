"""What is sent to the service for one person: all that was known before the index date, and nobody else's rows."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data_contracts.readers.parquet_files import read_tables
from pipeline import ingest
from pipeline.person_record import person_record
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace
from tests.lib.source_files import employee, together, write_source

SPELL = {"spell_id": "s", "kind": "self_certified", "grade_percent": 100, "first_day": "2024-03-01"}
MOVED = {"company_id": "c", "kind": "leader_change", "occurred_on": "2024-01-01", "known_from": "2024-01-02"}


@pytest.fixture
def tables(tmp_path):
    spells = [
        SPELL | {"person_id": "p", "known_from": "2024-03-02"},
        SPELL | {"person_id": "p", "last_day": "2024-03-03", "known_from": "2024-03-05"},
        SPELL | {"person_id": "q", "spell_id": "other", "known_from": "2024-03-02"},
        SPELL | {"person_id": "p", "spell_id": "gone", "known_from": "2024-03-04", "is_deleted": True},
    ]
    events = [MOVED, MOVED | {"company_id": "elsewhere"}]
    rows = together(employee("p"), employee("q"), {"absence_spells": spells, "workplace_events": events})
    write_source(tmp_path / "data" / "source", rows)
    ingest.run(Workspace(tmp_path), IngestSettings(received_on=date(2025, 1, 1)))
    return read_tables(Workspace(tmp_path).tables)


def spells_sent(tables, index_date: str) -> list[tuple]:
    record = person_record(tables, "p", np.datetime64(index_date, "D"))
    return [(row["spell_id"], row.get("last_day"), row.get("is_deleted", False)) for row in record["absence_spells"]]


def test_all_versions_known_before_the_index_date_are_sent_and_no_later_one(tables):
    assert spells_sent(tables, "2024-03-02") == []
    assert spells_sent(tables, "2024-03-05") == [("s", None, False), ("gone", None, True)]
    assert spells_sent(tables, "2024-03-06") == [("s", None, False), ("s", "2024-03-03", False), ("gone", None, True)]


def test_only_events_of_the_persons_own_company_are_sent(tables):
    record = person_record(tables, "p", np.datetime64("2024-06-01", "D"))
    assert [row["company_id"] for row in record["workplace_events"]] == ["c"]


def test_nobody_elses_identifier_is_in_the_record(tables):
    record = person_record(tables, "p", np.datetime64("2024-06-01", "D"))
    owners = {
        row["person_id"] for rows in record.values() if isinstance(rows, list) for row in rows if "person_id" in row
    }
    assert owners == {"p"}
    assert record["person"]["person_id"] == "p"
