"""Feature rows pass from part files to numpy's own format, byte for byte, and no half file is ever seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import row_files
from models.row_files import mapped, merged_rows, rows_between, rows_kept_in, rows_of, whole_or_nothing, write_npz


@pytest.fixture
def X():
    values = np.random.default_rng(5).normal(size=(103, 7)).astype(np.float32)
    values[::9, 2] = np.nan
    return values


OTHERS = {
    "y": np.array([0.0, np.nan, 1.0]),
    "person_ids": np.array(["ø", "longer"]),
    "status": np.array([], np.int8),
    "t": np.arange(5, dtype=np.int32),
}


@pytest.mark.parametrize("rows", [1, 10, 103, 1000])
def test_the_bytes_are_those_of_numpy(rows, X, tmp_path):
    np.savez(tmp_path / "numpy.npz", X=X, **OTHERS)
    pieces = merged_rows(np.zeros(len(X), np.int32), 7, lambda part, first, end: X[first:end], rows)
    write_npz(tmp_path / "ours.npz", pieces, X.shape, OTHERS)
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "numpy.npz").read_bytes()


def test_the_bytes_of_no_rows_are_those_of_numpy_too(tmp_path):
    none = np.zeros((0, 7), np.float32)
    np.savez(tmp_path / "numpy.npz", X=none, **OTHERS)
    pieces = list(merged_rows(np.zeros(0, np.int32), 7, lambda *_: none))
    assert [piece.shape for piece in pieces] == [(0, 7)]
    write_npz(tmp_path / "ours.npz", pieces, none.shape, OTHERS)
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "numpy.npz").read_bytes()


def test_no_piece_but_the_last_has_other_than_the_asked_number_of_rows(X):
    lengths = [len(piece) for piece in merged_rows(np.zeros(len(X), np.int32), 7, lambda _, a, b: X[a:b], 20)]
    assert lengths == [20] * 5 + [3]


@pytest.mark.parametrize("rows", [1, 10, 1000])
def test_parts_are_merged_into_the_common_order_from_their_files(rows, X, tmp_path):
    part = np.random.default_rng(1).integers(0, 4, len(X)).astype(np.int32)
    part[part == 2] = 3  # a part without rows
    for one in range(4):
        with rows_kept_in(tmp_path / f"{one}") as keep:
            theirs = X[part == one]
            keep(theirs[:3])
            keep(theirs[3:])

    def read(one, first, end):
        return rows_between(tmp_path / f"{one}", 7, first, end)

    assert np.concatenate(list(merged_rows(part, 7, read, rows))).tobytes() == X.tobytes()


def test_a_part_that_ends_too_early_is_noticed(X, tmp_path):
    with rows_kept_in(tmp_path / "0") as keep:
        keep(X)
    assert np.array_equal(rows_between(tmp_path / "0", 7, 100, 103), X[100:], equal_nan=True)
    with pytest.raises(OSError, match="ends before row 104"):
        rows_between(tmp_path / "0", 7, 100, 104)


def test_a_broken_off_write_leaves_what_was_there_and_no_more(tmp_path):
    (tmp_path / "file").write_text("old")

    def break_off() -> None:
        with whole_or_nothing(tmp_path / "file") as place:
            place.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with whole_or_nothing(tmp_path / "file") as one:
        with whole_or_nothing(tmp_path / "file") as other:
            one.write_text("long, and half of it")
            other.write_text("all")
        assert (tmp_path / "file").read_text() == "all"
        one.write_text("all again")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "all again")]


def test_rows_on_the_disk_are_those_that_were_written_also_after_the_file_was_replaced(X, tmp_path):
    others = {"y": np.arange(len(X), dtype=np.float64), "person_ids": np.array(["ø", "SYNTHETIC-1"])}
    path = tmp_path / "rows.npz"
    write_npz(path, [X], X.shape, others)
    found = mapped(path, "X")
    np.testing.assert_array_equal(found, X)
    for name, values in others.items():
        np.testing.assert_array_equal(mapped(path, name), values)
    with whole_or_nothing(path) as partial:
        write_npz(partial, [X + 1], X.shape, {})
    np.testing.assert_array_equal(found, X)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0


def test_no_rows_on_the_disk_are_no_rows_and_compressed_ones_are_refused(tmp_path):
    write_npz(tmp_path / "rows.npz", [np.empty((0, 3), dtype=np.float32)], (0, 3), {})
    assert mapped(tmp_path / "rows.npz", "X").shape == (0, 3)
    np.savez_compressed(tmp_path / "small.npz", X=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="compressed"):
        mapped(tmp_path / "small.npz", "X")


def test_chosen_rows_on_the_disk_are_copied_piece_by_piece_and_do_not_stay(tmp_path, monkeypatch):
    """All features of a population in memory, beside those that are learnt from, would not fit."""
    monkeypatch.setattr(row_files, "_COPIED_AT_ONCE", 1000)
    X = np.random.default_rng(3).normal(size=(20_000, 300)).astype(np.float32)
    write_npz(tmp_path / "rows.npz", [X], X.shape, {})
    on_disk, chosen = mapped(tmp_path / "rows.npz", "X"), np.arange(0, len(X), 3)[::-1]
    for some in (chosen, chosen[:1], chosen[:0]):
        found = rows_of(on_disk, some)
        np.testing.assert_array_equal(found, X[some])
        assert found.flags.writeable
        np.testing.assert_array_equal(rows_of(X, some), X[some])
    assert resident_bytes("rows.npz") < X.nbytes / 4


def resident_bytes(file: str) -> int:
    """What this process has in memory of the mapped file."""
    lines = iter(Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines())
    sizes = [next(line for line in lines if line.startswith("Rss:")) for line in lines if line.endswith(file)]
    assert sizes
    return sum(int(size.split()[1]) * 1024 for size in sizes)
