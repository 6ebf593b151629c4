"""The link of each event depends on key, event, number and every event before; texts from outside cannot break it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import MissingInputError, SettingsError
from serving.audit import chain
from serving.audit.event import COLUMNS, plain, row_of
from serving.audit.keys import create_audit_key, read_audit_key
from tests.lib.audit_writer import KEY, event

OTHER_KEY = bytes(reversed(KEY))
BEFORE = chain.first_link(KEY)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROW = row_of(event("r1", at=NOON))


def test_the_chain_is_the_documented_one():
    """Who changes a byte of it makes every log written so far unprovable."""
    assert chain.canonical(ROW) == (
        b'{"at":"2026-11-22T12:00:00.000000Z","caller":"dr-hansen","role":"clinician","organisations":"[\\"c1\\",\\"c2\\"]",'
        b'"purpose":"healthcare","action":"score","person_id":"person-7","decision":"allowed","reason":"",'
        b'"models":"[\\"burnout:3:0123456789ab\\"]","data_version":"2026-11-22","request_id":"r1"}'
    )
    assert chain.key_id(KEY) == "e5bbdc311ef440c9"
    assert BEFORE.hex() == "6be0d15a96fef6fb8a4793208e4987581b0f235a62b020aaf75d141367c264d5"
    assert chain.link(KEY, BEFORE, ROW, 1).hex() == "780cad95cbd8476401329ed730de662ad15137aefc57e824b9186f654544209b"


def test_a_link_depends_on_key_number_and_the_link_before():
    links = {
        chain.link(KEY, BEFORE, ROW, 1),
        chain.link(KEY, BEFORE, ROW, 2),
        chain.link(KEY, bytes(32), ROW, 1),
        chain.link(OTHER_KEY, BEFORE, ROW, 1),
    }
    assert len(links) == 4


@pytest.mark.parametrize("column", COLUMNS)
def test_a_link_depends_on_every_column(column):
    changed = tuple("x" if name == column else text for name, text in zip(COLUMNS, ROW, strict=True))
    assert chain.link(KEY, BEFORE, changed, 1) != chain.link(KEY, BEFORE, ROW, 1)


def test_no_person_and_a_person_without_letters_are_two_events():
    nobody = row_of(event("r1", at=NOON, person_id=None))
    assert chain.link(KEY, BEFORE, nobody, 1) != chain.link(KEY, BEFORE, row_of(event("r1", at=NOON, person_id="")), 1)


@given(st.lists(st.text(st.characters()), min_size=4, max_size=4))
def test_any_text_from_outside_can_be_stored_and_read_again(texts):
    """A NUL or half a surrogate in a token would make an access that nobody can log; a line break would forge a line."""
    caller, person, organisation, request = texts
    row = row_of(event(request, caller=caller, person_id=person, organisations=(organisation,)))
    assert all(text is None or text.isprintable() for text in row)
    assert all(len(text.encode()) < 2700 for text in row if text)
    assert list(json.loads(chain.canonical(row)).values()) == list(row)


def test_long_texts_stay_different_and_short_ones_as_they_are():
    assert plain("Kari Ås 7") == "Kari Ås 7"
    assert plain("a" * 10_000 + "b") != plain("a" * 10_000 + "c")


def test_times_are_stored_as_utc_and_sort_as_text():
    oslo = timezone(timedelta(hours=1))
    early = row_of(event("r", at=datetime(2026, 11, 22, 9, 30, tzinfo=oslo)))[0]
    late = row_of(event("r", at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC)))[0]
    assert early == "2026-11-22T08:30:00.000000Z"
    assert early < late


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        replace(event("r"), at=datetime(2026, 11, 22))


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "keys" / "audit.key"
    made = create_audit_key(path)
    assert len(made) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert create_audit_key(path) == read_audit_key(path) == made
    assert [one.name for one in path.parent.iterdir()] == ["audit.key"]


def test_a_missing_short_open_or_foreign_key_is_refused_in_words(tmp_path):
    path = tmp_path / "audit.key"
    with pytest.raises(MissingInputError, match="balance-risk audit key"):
        read_audit_key(path)
    for content, words in (
        (b"abcd", "fewer than 32"),
        (b"no key at all", "64 hexadecimal"),
        (b"\xff", "cannot be read"),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(SettingsError, match=words) as caught:
            read_audit_key(path)
        assert "abcd" not in str(caught.value)
    path.write_text(KEY.hex())
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_audit_key(path)
