"""What bad input becomes once it is features: every case of docs/bad_input.md, and that none ends as a silent zero."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data_contracts.analytes import ANALYTES
from data_contracts.time_windows import day_number
from data_contracts.validation import check_record
from features.build import build_features
from features.catalogue import FEATURE_NAMES, FEATURES, POSITIONS
from features.histories import Histories
from features.record import RecordViolation
from tests.lib.records import (
    Rows,
    answer,
    answers,
    day,
    event,
    features_at,
    histories,
    job,
    lab,
    person,
    record_of,
    rows_of,
    session,
    spell,
)
from tests.lib.reference_features import Reference

T = "2026-03-01"
RECEIVED_ON = date(2026, 3, 1)
PAGE = Path(__file__).parents[2] / "docs" / "bad_input.md"
_COUNTING = (
    "days_", "weighted_days_", "starts_", "longest_", "running_", "bradford_", "trend_", "quota_", "guidance_",
    "survey_days_", "lab_bounds_", "analytes_measured_", "employed", "n_jobs",
)  # fmt: skip
COUNTS = tuple(name for name in FEATURE_NAMES if name.startswith(_COUNTING) and not name.startswith("days_since_"))
"""Zero where nothing happened and the source is consented; unknown, never zero, where it is not."""


def some_rows() -> Rows:
    return rows_of(
        employments=[job()],
        absence_spells=[spell("2026-01-01", "2026-01-20"), spell("2025-06-01", "2025-06-03", spell_id="B")],
        survey_answers=answers("who5", [3, 3, 4, 2, 3], "2026-02-01"),
        lab_results=[lab("NPU27300", 38, "mmol/mol", "2026-02-10")],
        guidance_sessions=[session("2026-01-15")],
        workplace_events=[event("reorganisation", "2026-01-15")],
    )


def values(rows: Rows, t: str = T, **options) -> np.ndarray:
    return build_features(histories(rows, t, **options), day_number(t)).values


def test_unsorted_rows_change_no_bit():
    rows = some_rows()
    backwards = {table: of_table[::-1] for table, of_table in rows.items()}
    assert values(backwards).tobytes() == values(rows).tobytes()


def test_duplicate_rows_change_no_bit():
    rows = some_rows()
    twice = {table: of_table * 2 for table, of_table in rows.items()}
    assert values(twice).tobytes() == values(rows).tobytes()


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        ("absence_spells", spell("2026-01-10", "2026-01-09"), "last_day"),
        ("absence_spells", spell("2026-02-30", None, known_from="2026-02-28"), "first_day"),
        ("absence_spells", spell("2026-02-20", None, known_from="2026-01-01"), "first_day"),
        ("lab_results", lab("NPU27300", 38, "mmol/mol", "2026-02-20", known_from="2026-02-19"), "sampled_on"),
        ("survey_answers", answer("who5", "item_1", 3, "1026-02-20", known_from="2026-02-20"), "answered_on"),
        ("employments", job("2026-02-01", "2026-01-01"), "end_date"),
    ],
)
def test_an_impossible_date_is_refused_by_name_and_never_becomes_a_feature(table, row, column):
    record = record_of(rows_of(**{table: [row]}))
    with pytest.raises(RecordViolation) as caught:
        Histories.from_record(record, consent_on=RECEIVED_ON, received_on=RECEIVED_ON)
    assert {(violation.origin, violation.row, violation.column) for violation in caught.value.violations} == {
        (f"record.{table}", 0, column)
    }


def test_a_person_without_rows_has_counts_of_zero_and_levels_unknown():
    known = features_at(rows_of(), T)
    assert {name for name, value in known.items() if value == 0} == set(COUNTS)
    unknown = [one.name for one in FEATURES if one.unit == "score" or one.name.startswith("days_since_")]
    assert np.isnan([known[name] for name in unknown]).all()


def test_a_person_without_rows_and_consents_is_unknown_but_for_what_is_always_known():
    known = features_at(rows_of(consents=[]), T)
    told = {name for name, value in known.items() if not np.isnan(value)}
    assert told == {"age_years", "is_female", "season_sin", "season_cos"}


def test_somebody_nobody_knows_anything_about_has_no_number_but_the_season():
    known = dict(zip(FEATURE_NAMES, values(rows_of(), person_ids=["stranger"])[0].tolist(), strict=True))
    assert {name for name, value in known.items() if not np.isnan(value)} == {"season_sin", "season_cos"}


def test_ten_thousand_rows_of_one_person_are_counted_like_ten():
    """Nobody has so many; a broken source may send them, and a slow or wrong answer must not follow."""
    draw = random.Random(5)
    starts = [draw.randrange(1, 3000) for _ in range(10_000)]
    spells = [
        spell(
            day(T, -start),
            day(T, -start + draw.randrange(0, 9)),
            spell_id=f"S{number}",
            kind=draw.choice(("doctor_certified", "self_certified")),
        )
        for number, start in enumerate(starts)
    ]
    rows = rows_of(absence_spells=spells)
    found = dict(zip(FEATURE_NAMES, values(rows)[0].tolist(), strict=True))
    expected = Reference(rows, "p", T).absence()
    names = [name for name in expected if name in POSITIONS]
    np.testing.assert_allclose([found[name] for name in names], [expected[name] for name in names], rtol=1e-6)


def test_rows_of_the_future_leave_a_person_as_if_without_rows():
    later = {
        "absence_spells": [spell("2026-03-01", "2026-03-20")],
        "survey_answers": answers("who5", [3, 3, 4, 2, 3], "2026-03-01"),
        "lab_results": [lab("NPU27300", 38, "mmol/mol", "2026-03-05")],
        "guidance_sessions": [session("2026-03-02")],
    }
    assert values(rows_of(**later)).tobytes() == values(rows_of()).tobytes()


def test_an_unanswered_item_is_missing_and_not_zero():
    rows = rows_of(survey_answers=answers("who5", [3, 3, float("nan"), 2, 3], "2026-02-01"))
    assert np.isnan(features_at(rows, T)["who5_wellbeing"])


@pytest.mark.parametrize("end", ["hard_low", "hard_high"])
@pytest.mark.parametrize("analyte", [one for one in ANALYTES if one.codes], ids=lambda one: one.name)
def test_the_most_extreme_value_that_is_let_in_gives_numbers_within_their_ranges(analyte, end):
    code = analyte.codes[0]
    value = (getattr(analyte, end) - code.offset) / code.factor
    sample = lab(code.code, value, code.unit, "2026-02-01", code_system=code.code_system)
    found = values(rows_of(lab_results=[sample]))[0]
    for one, number in zip(FEATURES, found.tolist(), strict=True):
        slack = 1e-6 * max(abs(one.low), abs(one.high)) if np.isfinite([one.low, one.high]).all() else 0.0
        assert np.isnan(number) or one.low - slack <= number <= one.high + slack, one.name


def test_values_beyond_the_hard_limits_and_values_that_are_no_number_are_refused():
    for value in (1e300, -1e300, float("nan"), float("inf")):
        record = record_of(rows_of(lab_results=[lab("NPU27300", value, "mmol/mol", "2026-02-01")]))
        assert check_record(record, RECEIVED_ON)[1], value


def test_an_unknown_instrument_is_refused_at_the_door_and_unknown_to_the_kernel():
    row = answer("tea_leaves", "item_1", 3, "2026-02-01")
    (violation,) = check_record(record_of(rows_of(survey_answers=[row])), RECEIVED_ON)[1]
    assert (violation.column, violation.rule) == ("instrument", "unknown instrument")
    assert values(rows_of(survey_answers=[row])).tobytes() == values(rows_of()).tobytes()


def test_two_persons_of_one_name_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="distinct"):
        histories(rows_of(persons=[person()]), T, person_ids=["p", "p"])


def test_a_list_that_was_left_out_is_unknown_and_an_empty_one_is_nought():
    record = record_of(rows_of(employments=[job()]))
    lists = [name for name in record if name not in ("person", "consents", "employments")]

    def counts(sent: dict) -> np.ndarray:
        gathered = Histories.from_record(sent, consent_on=RECEIVED_ON, received_on=RECEIVED_ON)
        found = build_features(gathered, day_number(T)).values[0, [POSITIONS[name] for name in COUNTS]]
        return found[[name not in ("employed", "n_jobs") for name in COUNTS]]

    nought = counts(record)
    assert (nought[~np.isnan(nought)] == 0).all()
    assert np.isnan(nought).sum() < 5
    assert np.isnan(counts({name: rows for name, rows in record.items() if name not in lists})).all()
    assert np.isnan(counts(record | dict.fromkeys(lists))).all()


def test_the_page_names_tests_that_exist():
    here = Path(__file__).read_text(encoding="utf-8")
    named = [word.strip("`") for word in PAGE.read_text(encoding="utf-8").split() if word.startswith("`test_")]
    assert len(named) >= 8
    assert [name for name in named if f"def {name}(" not in here] == []
