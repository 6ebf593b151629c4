"""The record of promotions is only ever added to, and whoever changes it is noticed."""

from __future__ import annotations

import json

import pytest

from data_contracts.errors import ArtifactError
from models.promotion_log import FILE, append, previous, read


def write(home, *events: tuple[str, str | None, str | None]) -> None:
    for what, before, after in events:
        append(home, what, before=before, after=after, reason="because")


A_B_C = (("promote", None, "A"), ("promote", "A", "B"), ("promote", "B", "C"))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ((), "B"),
        ((("rollback", "C", "B"),), "A"),
        ((("rollback", "C", "B"), ("rollback", "B", "A")), None),
        ((("rollback", "C", "B"), ("promote", "B", "D")), "B"),
        ((("promote", "C", "D"), ("interrupted", "C", "C")), "B"),
        ((("rollback", "C", "B"), ("interrupted", "C", "C")), "B"),
        ((("promote", "C", "A"),), "C"),
        ((("promote", "C", "A"), ("rollback", "A", "C"), ("rollback", "C", "B")), "A"),
    ],
)
def test_a_rollback_goes_back_and_never_forward(tmp_path, more, expected):
    write(tmp_path, *A_B_C, *more)
    assert previous(tmp_path) == expected


def test_without_a_record_there_is_nothing_to_go_back_to(tmp_path):
    assert read(tmp_path) == []
    assert previous(tmp_path) is None


def test_records_say_when_and_what(tmp_path):
    write(tmp_path, *A_B_C)
    records = read(tmp_path)
    assert [(one["what"], one["from"], one["to"], one["reason"]) for one in records] == [
        (what, before, after, "because") for what, before, after in A_B_C
    ]
    assert all(one["at"].endswith("+00:00") for one in records)


@pytest.mark.parametrize("damage", ["change", "leave out", "swap", "first", "not json"])
def test_an_altered_record_is_refused_by_all(tmp_path, damage):
    write(tmp_path, *A_B_C)
    lines = (tmp_path / FILE).read_bytes().splitlines(keepends=True)
    lines = {
        "change": [lines[0], lines[1].replace(b"because", b"so what"), lines[2]],
        "leave out": [lines[0], lines[2]],
        "swap": [lines[0], lines[2], lines[1]],
        "first": lines[1:],
        "not json": [b"{\n", *lines[1:]],
    }[damage]
    (tmp_path / FILE).write_bytes(b"".join(lines))
    for use in (lambda: read(tmp_path), lambda: write(tmp_path, A_B_C[0])):
        with pytest.raises(ArtifactError, match="altered"):
            use()


def test_half_a_line_was_never_a_record(tmp_path):
    write(tmp_path, *A_B_C[:2])
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole + b'{"at": "2026-')
    assert len(read(tmp_path)) == 2
    write(tmp_path, A_B_C[2])
    assert (tmp_path / FILE).read_bytes().startswith(whole)
    assert [json.loads(line)["to"] for line in (tmp_path / FILE).read_text().splitlines()] == ["A", "B", "C"]
