from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data_contracts.errors import ContractViolation
from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import FEATURES, POSITIONS
from features.histories import Histories
from tests.lib.records import (
    answers,
    consent,
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
    tables,
)

T = "2026-03-01"
ONE_OF_EACH = {
    "employments": [job()],
    "survey_answers": answers("who5", [3, 3, 3, 3, 3], "2026-02-01"),
    "lab_results": [lab("NPU27300", 40, "mmol/mol", "2026-02-01")],
    "absence_spells": [spell("2026-02-01", "2026-02-10")],
    "workplace_events": [event("downsizing", "2026-02-01")],
    "guidance_sessions": [session("2026-02-01")],
}
BLOCKS_OF = {
    "survey": ("scores", "guidance"),
    "lab": ("labs",),
    "absence": ("absences",),
    "employment": ("employments",),
}


def n_rows(gathered: Histories) -> dict[str, int]:
    return {name: len(getattr(gathered, name)["known_from"]) for names in BLOCKS_OF.values() for name in names}


@pytest.mark.parametrize("source", BLOCKS_OF)
def test_consent_for_one_source_lets_in_that_source_alone(source):
    gathered = histories(rows_of(consents=[consent(source)], **ONE_OF_EACH))
    assert {name for name, n in n_rows(gathered).items() if n} == set(BLOCKS_OF[source])
    assert gathered.consented.sum() == 1


def test_consent_for_another_purpose_is_no_consent():
    rows = rows_of(consents=[consent(source, purpose="model_training") for source in BLOCKS_OF], **ONE_OF_EACH)
    assert not any(n_rows(histories(rows)).values())
    assert all(n_rows(histories(rows, purpose="model_training")).values())


def test_case_10_who_has_withdrawn_is_out_of_training_with_all_earlier_rows():
    withdrawn = consent("survey", purpose="model_training", withdrawn_on="2026-02-25", known_from="2026-02-25")
    rows = rows_of(consents=[consent("survey", purpose="model_training"), withdrawn], **ONE_OF_EACH)
    as_of = day_number("2026-03-10")
    gathered = histories(rows, "2026-03-10", purpose="model_training", data_as_of=as_of)
    assert n_rows(gathered)["scores"] == 0
    assert np.isnan(build_features(gathered, day_number("2026-02-20")).values[0, POSITIONS["who5_wellbeing"]])


def test_a_withdrawal_that_was_not_known_yet_does_not_change_an_earlier_state_of_the_store():
    withdrawn = consent("survey", withdrawn_on="2026-02-25", known_from="2026-02-25")
    rows = rows_of(consents=[consent("survey"), withdrawn], **ONE_OF_EACH)
    gathered = histories(rows, "2026-02-26", data_as_of=day_number("2026-02-25"))
    assert n_rows(gathered)["scores"] == 1


def test_consent_is_permission_not_prediction_data_so_it_is_not_cut_at_the_index_date():
    late = rows_of(consents=[consent("absence", given_on="2026-05-01", known_from="2026-05-01")], **ONE_OF_EACH)
    gathered = histories(late, "2026-06-01")
    assert build_features(gathered, day_number(T)).values[0, POSITIONS["days_doctor_365"]] == 10


def test_a_store_as_of_a_day_has_only_rows_known_before():
    rows = rows_of(persons=[person("p"), person("q", known_from=T)], **ONE_OF_EACH)
    assert histories(rows, data_as_of=day_number(T)).person_ids == ("p",)
    assert not any(
        n for name, n in n_rows(histories(rows, data_as_of=day_number("2026-02-01"))).items() if name != "employments"
    )
    assert all(n_rows(histories(rows, data_as_of=date(2026, 2, 2))).values())


def test_everyone_in_persons_comes_sorted():
    rows = rows_of(persons=[person("q"), person("p"), person("q", known_from="2025-01-01")])
    assert histories(rows).person_ids == ("p", "q")


def test_persons_come_in_the_order_asked_for_and_strangers_have_empty_histories():
    rows = rows_of(persons=[person("p"), person("q", birth_year=1990)])
    gathered = histories(rows, person_ids=["x", "q", "p"])
    ages = build_features(gathered, day_number(T)).values[:, POSITIONS["age_years"]]
    np.testing.assert_array_equal(ages, np.array([np.nan, 36, 46], dtype=np.float32))
    assert not gathered.consented[0].any()


def test_the_same_person_twice_is_a_mistake():
    with pytest.raises(ValueError, match="distinct"):
        histories(rows_of(), person_ids=["p", "p"])


def test_nobody_asked_for_is_nobody():
    gathered = histories(rows_of(**ONE_OF_EACH), person_ids=[])
    assert build_features(gathered, day_number(T)).values.shape == (0, len(POSITIONS))


OF_TABLES = {
    "employments": {"employed", "n_jobs", "events_downsizing_365"},
    "survey_answers": {"survey_days_730"},
    "lab_results": {"lab_bounds_count", "analytes_measured_730"},
    "absence_spells": {"days_doctor_365", "starts_any_365", "running_doctor", "bradford_365"},
    "guidance_sessions": {"guidance_sessions_365", "guidance_sessions_90", "guidance_domains_365"},
    "workplace_events": {"events_downsizing_365", "events_leader_change_365"},
}
"""Counts of each table, which are 0 for a person with a job of whom the table has no row."""


def by_name(gathered: Histories) -> dict[str, float]:
    matrix = build_features(gathered, day_number(T))
    return dict(zip(matrix.names, matrix.values[0].tolist(), strict=True))


@pytest.mark.parametrize("absent", OF_TABLES)
def test_a_table_that_was_not_sent_is_unknown_and_one_without_rows_is_nought(absent):
    rows = rows_of(employments=[job()])
    whole = by_name(histories(rows))
    sent = {name: table for name, table in tables(rows).items() if name != absent}
    record = record_of(rows)
    on = date(2026, 3, 1)
    doors = [
        Histories.from_tables(sent, purpose="risk_scoring", consent_on=on),
        Histories.from_record({k: v for k, v in record.items() if k != absent}, consent_on=on, received_on=on),
        Histories.from_record(record | {absent: None}, consent_on=on, received_on=on),
    ]
    for gathered in doors:
        found = by_name(gathered)
        of_table = {
            one.name for one in FEATURES if one.table == absent and one.name not in ("season_sin", "season_cos")
        }
        assert OF_TABLES[absent] <= of_table | {"events_downsizing_365"}
        assert all(whole[name] >= 0 for name in OF_TABLES[absent])
        assert all(np.isnan(found[name]) for name in of_table | OF_TABLES[absent])
        others = {name for counts in OF_TABLES.values() for name in counts} - OF_TABLES[absent]
        depend_on_a_job = {one.name for one in FEATURES if one.table == "workplace_events"}
        for name in others - (depend_on_a_job if absent == "employments" else set()):
            assert found[name] == whole[name]
        assert gathered.consented.all(), "consent is not what is missing"
        assert absent not in gathered.delivered


def test_of_somebody_at_all_whose_tables_were_not_sent_nothing_is_nought():
    only = {name: table for name, table in tables(rows_of()).items() if name in ("persons", "consents")}
    found = by_name(Histories.from_tables(only, purpose="risk_scoring", consent_on=date(2026, 3, 1)))
    assert {name for name, value in found.items() if value == value} == {
        "age_years", "is_female", "season_sin", "season_cos",
    }  # fmt: skip


def test_a_table_without_rows_gives_the_same_columns_as_one_without_a_usable_row():
    # The first takes a shorter way through the gathering; a type of its own would show up in other sums and bits.
    def kinds(gathered):
        return [
            {name: (column.dtype, column.shape) for name, column in getattr(gathered, block).columns.items()}
            for blocks in BLOCKS_OF.values()
            for block in blocks
        ]

    assert kinds(histories(rows_of())) == kinds(histories(rows_of(**ONE_OF_EACH, consents=[])))


def test_the_json_record_gives_the_same_bits_as_the_tables():
    rows = rows_of(**ONE_OF_EACH)
    gathered = Histories.from_record(record_of(rows), consent_on=date(2026, 3, 1), received_on=date(2026, 3, 1))
    expected = build_features(histories(rows), day_number(T)).values
    assert build_features(gathered, day_number(T)).values.tobytes() == expected.tobytes()


def test_a_record_that_breaks_the_contract_is_refused_with_its_violations():
    rows = rows_of(lab_results=[lab("NPU27300", 40, "mmol/mol", "2026-05-01", known_from="2026-02-20")])
    with pytest.raises(ContractViolation, match="1 place") as refused:
        Histories.from_record(record_of(rows), consent_on=date(2026, 3, 1), received_on=date(2026, 3, 1))
    assert [violation.rule for violation in refused.value.violations] == ["event after known_from"]
    assert "p" not in str(refused.value).split()


def test_an_event_of_a_company_reaches_only_those_who_consented_to_employment_data():
    rows = rows_of(
        persons=[person("p"), person("q")],
        consents=[consent("employment", "p"), consent("absence", "q")],
        employments=[job(), job(person_id="q")],
        workplace_events=[event("downsizing", "2026-02-01")],
    )
    counts = build_features(histories(rows), day_number(T)).values[:, POSITIONS["events_downsizing_365"]]
    np.testing.assert_array_equal(counts, [1, np.nan])


def test_taken_persons_share_the_events_of_their_companies():
    rows = rows_of(**ONE_OF_EACH)
    twice = histories(rows).take(np.array([0, 0]))
    assert twice.person_ids == ("p", "p")
    assert build_features(twice, day_number(T)).values[1, POSITIONS["events_downsizing_365"]] == 1


def test_features_at_is_what_the_tests_say_it_is():
    assert features_at(rows_of(), T)["age_years"] == 46
