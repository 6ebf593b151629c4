"""The comparison of two tools' features: it must see what differs, or the benchmark would praise the wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.features.verify import Verdict, compare, same

NAMES = ["days", "level", "never_known"]
PERSONS = ["a", "b", "c"]
OURS = {"days": [0.0, 10.0, np.nan], "level": [1.5, np.nan, 3.25], "never_known": [np.nan] * 3}


def written(path: Path, persons: list[str], columns: dict[str, list[float]]) -> Path:
    numbers = {name: pa.array(np.array(values, dtype=np.float32)) for name, values in columns.items()}
    pq.write_table(pa.table({"person_id": persons} | numbers), path)
    return path


def verdict(tmp_path: Path, columns: dict[str, list[float]], persons: list[str] = PERSONS) -> Verdict:
    ours = written(tmp_path / "ours.parquet", PERSONS, OURS)
    return compare(NAMES, ours, written(tmp_path / "theirs.parquet", persons, columns))


def test_the_same_numbers_in_another_order_are_equal(tmp_path: Path) -> None:
    turned = {name: values[::-1] for name, values in OURS.items()}
    found = verdict(tmp_path, turned, PERSONS[::-1])
    assert found.is_equal
    assert found.compared == 3


def test_a_different_number_is_found_with_its_person(tmp_path: Path) -> None:
    found = verdict(tmp_path, OURS | {"days": [0.0, 10.01, np.nan]})
    assert not found.is_equal
    assert found.different == {"days": 1}
    assert found.examples["days"][0][0] == "b"


@pytest.mark.parametrize("theirs", [[0.0, np.nan, np.nan], [0.0, 10.0, 0.0]])
def test_unknown_is_no_number(tmp_path: Path, theirs: list[float]) -> None:
    assert verdict(tmp_path, OURS | {"days": theirs}).different == {"days": 1}


def test_only_what_nobody_has_may_be_left_out(tmp_path: Path) -> None:
    without = verdict(tmp_path, {name: OURS[name] for name in ("days", "level")})
    assert without.is_equal
    assert without.left_out_unknown_for_all == ("never_known",)
    assert without.compared == 2
    assert not verdict(tmp_path, {"days": OURS["days"]}).is_equal


def test_persons_must_be_the_same(tmp_path: Path) -> None:
    assert verdict(tmp_path, OURS, ["a", "b", "d"]).persons_differ == 2
    two = {name: values[:2] for name, values in OURS.items()}
    assert not verdict(tmp_path, two, PERSONS[:2]).is_equal


def test_two_units_in_the_last_place_are_allowed_and_three_are_not() -> None:
    one = np.array([100.0], dtype=np.float32)
    steps = [one]
    for _ in range(3):
        steps.append(np.nextafter(steps[-1], np.float32(np.inf)))
    assert [bool(same(one, step)[0]) for step in steps] == [True, True, True, False]


def test_the_remainder_of_a_subtraction_counts_as_zero() -> None:
    zero = np.zeros(2, dtype=np.float32)
    assert same(zero, np.array([1e-10, 1e-8], dtype=np.float32)).tolist() == [True, False]
