"""The benchmarks of monitoring: what counts as seen, customers and coins, and the rules of thumb of others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.monitoring import detection, programmes, rivals, tables
from benchmarks.monitoring.null_samples import null_samples
from models.monitoring.comparison import Kind, Sample, Shift
from models.monitoring.false_discovery import Alarm
from pipeline.monitoring.windows import MEASURED, Window


def window(persons: list[str], t: int, company: str = "A") -> Window:
    n = len(persons)
    numbers = np.arange(n, dtype=np.float32)
    return Window(
        numbers[:, None], np.zeros((n, len(MEASURED)), dtype=np.int32), np.array(persons), np.full(n, company),
        np.full(n, t, dtype=np.int32), np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int8), np.zeros(n), np.ones(n),
        np.zeros(n, dtype=bool),
    )  # fmt: skip


def alarm(name: str, kind: Kind, difference: float, group: str = "stress") -> Alarm:
    return Alarm(group, 0.001, (Shift(name, kind, group, difference, None, None, 0.001, 50, 50),))


def test_only_a_rise_of_what_changed_counts_as_seen() -> None:
    seen = detection.names({"cbi_work"}, "level")
    assert seen([alarm("age_years", "level", 1.0), alarm("cbi_work", "level", 0.3)])
    assert not seen(
        [alarm("cbi_work", "level", -0.3), alarm("cbi_work", "missing", 0.3), alarm("age_years", "level", 1)]
    )
    assert detection.fewer_answers([alarm("sex: male", "missing", 0.2, "response")])
    assert not detection.fewer_answers([alarm("sex: male", "missing", -0.2, "response")])


def test_the_delay_is_the_number_of_the_first_month_with_the_alarm() -> None:
    assert detection.first_seen([False, True, True]) == 2
    assert detection.first_seen([False, False]) is None
    line = detection.row_of("x", "200", 2, [1, 2, 5, None], [None, 1])
    assert (line["seen"], line["median_months"], line["seen_in_base"]) == (0.5, 2, 0.5)


def test_a_coin_moves_all_rows_of_a_person_and_loses_none() -> None:
    staying = [f"p{number:03d}" for number in range(200)]
    before, after = window([*staying, "left"], 10), window([*staying, "new"], 20)
    first, second = detection.exchanged(before, after, np.random.default_rng(1))
    assert sorted([*first.person, *second.person]) == sorted([*before.person, *after.person])
    assert len(set(first.person)) == len(first)  # still once on each side
    assert 60 < (first.t[np.isin(first.person, staying)] == 20).sum() < 140


def test_customers_are_colleagues_and_nobody_is_in_two() -> None:
    rows = [window([f"{company}{number}" for number in range(4)], 10, company) for company in "BA"]
    both = replace(rows[0], **{name: np.concatenate([getattr(one, name) for one in rows]) for name in vars(rows[0])})
    cut = [set(one.person) for (one,) in programmes.firms((both,), 3)]
    assert cut == [{"A0", "A1", "A2"}, {"A3", "B0", "B1"}]


def test_the_stability_index_of_a_doubled_decile() -> None:
    before = np.arange(100.0)
    after = np.concatenate([before, np.full(100, 95.0)])
    # Nine bins fall from .10 to .05, one rises from .10 to .55.
    expected = 9 * (-0.05) * np.log(0.5) + 0.45 * np.log(5.5)
    assert rivals.stability_index(before, after) == pytest.approx(expected)
    assert rivals.stability_index(before, before) == 0


def test_rows_for_other_tools_come_date_by_date() -> None:
    sample = Sample(np.array([[1.0], [2.0], [11.0], [12.0]]), np.array([0, 0, 1, 1]), ("a",))
    assert rivals.by_date(sample, 2)[:, 0].tolist() == [1, 11, 2, 12]


def test_a_shifted_column_is_found_by_every_tool_that_runs_here() -> None:
    reference, current = null_samples(np.random.default_rng(4), 200, 200)
    moved = Sample(current.values + np.eye(1, current.values.shape[1]) * 5, current.person, current.names)
    for tool in (rivals.ours, lambda *pair: rivals.kolmogorov(*pair, 0.001), rivals.stability):
        assert tool(reference, moved)[0]
    assert not any(rivals.ours(reference, current))


def test_tables_say_who_did_not_run_and_what_was_never_seen() -> None:
    row = {
        "tool": "x",
        "persons": 20,
        "runs_with_alarm": 0.05,
        "low": 0.02,
        "high": 0.09,
        "columns_called_drifted": 0.01,
    }
    assert tables.rivals_table([row])[-1] == "| x | 5% (2% to 9%); 1.0% |"
    assert (
        tables.rivals_table([{"tool": "x", "persons": 20, "left_out": "x left out: no"}])[-1] == "| x | did not run |"
    )
    line = detection.row_of("late_registers", "3000", 2, [None], [None])
    assert "| never |" in tables.detection_table([line])[-1]


def test_the_page_holds_all_three_tables() -> None:
    line = detection.row_of("late_registers", "3000", 2, [1, 1], [None, None])
    null = detection.null_row("calibration", 200, [False] * 19 + [True], 0.05)
    tool = {"tool": "evidently", "persons": 20, "left_out": "no"}
    text = tables.page({"meta": {}, "detection": [line], "nulls": [null], "seeds": 2}, {"meta": {}, "rows": [tool]})
    assert "| `late_registers` | 3000 | 2 | 2 | 100% | 1 | 0% of 2 |" in text
    assert "| calibration | 200 | 20 | 5% | 5.0% (0.9% to 23.6%) |" in text
    assert "| evidently | did not run |" in text
    assert "SYNTHETIC" in text
