"""Consent is in force from the day it is given until the day it is withdrawn; the latest version of each counts.

The second half goes through every door that lets data in: tables, a record of the API, the verb score, a training set.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data_contracts.consent import SOURCES, in_doubt
from data_contracts.readers.parquet_files import write_tables
from data_contracts.time_windows import day_number
from features.consents import Terms, in_force
from features.histories import Histories
from models.outcomes import OUTCOMES
from models.training_set import build_training_set
from pipeline import score
from pipeline.workspace import Workspace
from tests.lib.models import linear_model
from tests.lib.nights import promote
from tests.lib.records import Row, answers, consent, job, person, record_of, rows_of, spell, tables
from tests.lib.sound_rows import changed, checked, raw


def scoring(on: str | list[str], *rows: dict[str, str], purpose: str = "risk_scoring") -> list[list[bool]]:
    """Who has which consent on a day, for the persons p1 and p2."""
    table = checked(
        "consents", *(changed("consents", withdrawn_on="", known_from="2025-03-01") | row for row in rows)
    ).table
    days = day_number(on) if isinstance(on, str) else np.array([day_number(one) for one in on], dtype=np.int32)
    gathered = Histories.from_tables({"consents": table}, purpose=purpose, consent_on=0, person_ids=["p1", "p2"])
    return in_force(gathered.consents, days).tolist()


NOBODY = [False] * 4
SURVEY = [True, False, False, False]


def test_the_columns_are_the_sources_in_this_order():
    assert SOURCES == ("survey", "lab", "absence", "employment")
    held = scoring("2025-06-01", {"source": "lab"}, {"source": "employment", "person_id": "p2"})
    assert held == [[False, True, False, False], [False, False, False, True]]


def test_in_force_from_the_day_it_is_given():
    assert scoring("2024-12-31", {})[0] == NOBODY
    assert scoring("2025-01-01", {})[0] == SURVEY


def test_no_longer_in_force_on_the_day_it_is_withdrawn():
    withdrawn = {"withdrawn_on": "2025-02-25"}
    assert scoring("2025-02-24", withdrawn)[0] == SURVEY
    assert scoring("2025-02-25", withdrawn)[0] == NOBODY


def test_consent_for_one_purpose_is_none_for_another():
    assert scoring("2025-06-01", {}, purpose="model_training")[0] == NOBODY


def test_the_latest_version_counts_in_any_order_of_rows():
    first, withdrawal = {}, {"withdrawn_on": "2025-02-25", "known_from": "2025-03-02"}
    assert scoring("2025-06-01", first, withdrawal)[0] == NOBODY
    assert scoring("2025-06-01", withdrawal, first)[0] == NOBODY


def test_a_deleted_consent_is_gone():
    assert scoring("2025-06-01", {}, {"is_deleted": "true", "known_from": "2025-03-02"})[0] == NOBODY


def test_a_new_consent_after_a_withdrawal_is_in_force():
    old, new = {"withdrawn_on": "2025-02-01"}, {"given_on": "2025-02-10"}
    assert scoring("2025-02-05", old, new)[0] == NOBODY
    assert scoring("2025-02-10", old, new)[0] == SURVEY


def test_versions_of_two_consents_known_in_turns_are_not_mixed_up():
    one, other = {}, {"given_on": "2025-01-10", "withdrawn_on": "2025-02-01", "known_from": "2025-03-02"}
    withdrawal = {"withdrawn_on": "2025-02-25", "known_from": "2025-03-03"}
    assert scoring("2025-06-01", one, other, withdrawal)[0] == NOBODY


def test_each_person_may_have_a_day_of_their_own():
    assert scoring(["2024-12-31", "2025-01-01"], {}, {"person_id": "p2"}) == [NOBODY, SURVEY]


def test_rows_of_persons_of_no_interest_are_ignored():
    assert scoring("2025-06-01", {"person_id": "p3"}) == [NOBODY, NOBODY]


def test_nobody_has_consented_in_an_empty_table():
    gathered = Histories.from_tables({}, purpose="risk_scoring", consent_on=0, person_ids=["p1"])
    assert gathered.consented.tolist() == [NOBODY]


def test_what_was_in_force_as_it_was_known_on_an_earlier_morning():
    rows = [
        consent("survey", known_from="2025-03-01"),
        consent("survey", withdrawn_on="2025-02-25", known_from="2025-03-10"),
        consent("survey", given_on="2025-06-01", known_from="2025-06-01"),
    ]
    gathered = Histories.from_tables(
        tables(rows_of(consents=rows)), purpose="risk_scoring", consent_on=day_number("2026-03-01")
    )

    def held(on: str, known_by: str) -> bool:
        return bool(gathered.consented_on(Terms("risk_scoring", day_number(on), day_number(known_by)))[0, 0])

    assert gathered.consented[0, 0]
    assert [held("2025-03-05", known_by) for known_by in ("2025-03-01", "2025-03-02", "2025-03-10", "2025-03-11")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not held("2025-05-31", "2025-06-02")
    assert held("2025-06-01", "2025-06-02")


def test_histories_do_not_know_of_consent_for_another_purpose_or_after_their_own_end():
    gathered = Histories.from_tables(tables(rows_of()), purpose="risk_scoring", consent_on=100, data_as_of=100)
    for terms in (Terms("model_training", 100, 100), Terms("risk_scoring", 100, 101), Terms("risk_scoring", 100)):
        with pytest.raises(ValueError, match="cannot tell who had consented"):
            gathered.consented_on(terms)


# --- every door -------------------------------------------------------------------------------------------------------

T, DAY_BEFORE = "2026-03-01", "2026-02-28"


@pytest.mark.parametrize(
    ("refused", "doubtful"),
    [
        ({}, ["survey scoring"]),
        ({"source": "lab"}, ["lab scoring"]),
        # What cannot be read stands for all of its kind, for this person only.
        ({"source": "surveys"}, ["survey scoring", "lab scoring"]),
        ({"source": ""}, ["survey scoring", "lab scoring"]),
        ({"purpose": "trainig"}, ["survey scoring", "survey training"]),
        ({"source": "?", "purpose": "?"}, ["survey scoring", "survey training", "lab scoring"]),
        ({"person_id": "p2"}, []),
        ({"person_id": ""}, []),
        ({"source": "absence"}, []),
    ],
)
def test_a_refused_row_puts_what_it_names_in_doubt(refused, doubtful):
    rows = {
        "survey scoring": {},
        "survey training": {"purpose": "model_training"},
        "lab scoring": {"source": "lab"},
        "another's": {"person_id": "p3"},
    }
    table = checked("consents", *(changed("consents", withdrawn_on="", **row) for row in rows.values())).table
    found = in_doubt(table, raw("consents", changed("consents", withdrawn_on="2025-06-31", **refused)))
    assert [name for name, is_doubtful in zip(rows, found, strict=True) if is_doubtful] == doubtful


def given(source: str = "survey", purpose: str = "risk_scoring", **others: str) -> Row:
    return consent(source, purpose=purpose, **others)


WITHDRAWN = given(withdrawn_on=T, known_from=DAY_BEFORE)
"""Told the day before: from the first on, no more."""

CASES: dict[str, tuple[list[Row], str, bool]] = {
    "given long ago": ([given()], T, True),
    "never given": ([], T, False),
    "given on the index date itself": ([given(given_on=T, known_from=T)], T, True),
    "given a day after it": ([given(given_on=T, known_from=T)], DAY_BEFORE, False),
    "withdrawn on the index date itself": ([given(), WITHDRAWN | {"known_from": T}], T, False),
    "withdrawn a day after it": ([given(), WITHDRAWN | {"known_from": T}], DAY_BEFORE, True),
    "withdrawn for training only": ([given(), given(purpose="model_training", withdrawn_on="2025-01-01",
                                                    known_from="2025-01-01")], T, True),
    "withdrawn for scoring only": ([given(withdrawn_on="2025-01-01", known_from="2025-01-01"),
                                    given(purpose="model_training")], T, False),
    "given again after a withdrawal": ([given(withdrawn_on="2025-01-01", known_from="2025-01-01"),
                                        given(given_on="2025-06-01", known_from="2025-06-01")], T, True),
    "given again, on a later day than asked for": ([given(withdrawn_on="2025-01-01", known_from="2025-01-01"),
                                                    given(given_on=T, known_from=T)], DAY_BEFORE, False),
    "given in time, known later than the index date": ([given(known_from="2026-03-05")], T, True),
    "withdrawn in time, known later than the index date": (
        [given(), given(withdrawn_on=DAY_BEFORE, known_from="2026-03-05")], T, False),
    "deleted": ([given(), given(is_deleted=True, known_from="2025-01-01")], T, False),
    "of another source": ([given("lab")], T, False),
}  # fmt: skip


@pytest.mark.parametrize("door", ["tables", "record"])
@pytest.mark.parametrize("case", CASES)
def test_scoring_uses_a_source_if_and_only_if_its_consent_is_in_force_on_the_index_date(case, door):
    consents, t, is_used = CASES[case]
    rows = rows_of(consents=consents, survey_answers=answers("who5", [3, 3, 3, 3, 3], "2026-02-01"))
    if door == "tables":
        gathered = Histories.from_tables(tables(rows), purpose="risk_scoring", consent_on=day_number(t))
    else:
        gathered = Histories.from_record(record_of(rows), consent_on=day_number(t), received_on=date(2026, 4, 1))
    assert bool(gathered.consented[0, SOURCES.index("survey")]) is is_used
    assert bool(len(gathered.scores["known_from"])) is is_used


@pytest.mark.parametrize(
    ("index_date", "dates", "why_not"),
    [
        (DAY_BEFORE, {"given_on": T, "known_from": T}, "no consent for any source"),
        (T, {"given_on": T, "known_from": T}, None),
        # Who has withdrawn since is not scored for a past morning either: consent must still hold on the day of the asking.
        (DAY_BEFORE, {"withdrawn_on": T, "known_from": T}, "no consent for any source"),
        (DAY_BEFORE, {}, None),
    ],
)
def test_the_verb_score_asks_on_the_index_date_and_today(tmp_path, monkeypatch, index_date, dates, why_not):
    monkeypatch.setattr("models.bundle.trial_parse", lambda files: None)  # tried in test_bundle
    consents = [given(source, **dates) for source in SOURCES]
    consents += [given(source, purpose="model_training") for source in SOURCES]
    workspace = Workspace(tmp_path)
    write_tables(workspace.tables, tables(rows_of(consents=consents, employments=[job()])))
    promote(workspace, linear_model())
    (found,) = score.run(workspace, date.fromisoformat(index_date), ["long_sick_leave"], "p")["outcomes"].values()
    assert found.get("not_scored_because") == why_not


AS_OF = "2026-03-01"

TRAINING: dict[str, tuple[list[Row], bool]] = {
    "given": ([], True),
    "withdrawn for scoring only": ([given("absence", withdrawn_on="2024-06-01", known_from="2024-06-01")], True),
    "withdrawn for training": (
        [given("absence", "model_training", withdrawn_on="2026-02-25", known_from="2026-02-25")], False),
    "withdrawn for training from that day on, told before": (
        [given("absence", "model_training", withdrawn_on=AS_OF, known_from="2026-02-28")], False),
    "withdrawn for training a day later, told before": (
        [given("absence", "model_training", withdrawn_on="2026-03-02", known_from="2026-02-28")], True),
    "withdrawn and given again": (
        [given("absence", "model_training", withdrawn_on="2025-02-01", known_from="2025-02-01"),
         given("absence", "model_training", given_on="2025-03-01", known_from="2025-03-01")], True),
    "deleted": ([given("absence", "model_training", is_deleted=True, known_from="2025-01-01")], False),
    "withdrawn for the survey only": (
        [given("survey", "model_training", withdrawn_on="2025-02-01", known_from="2025-02-01")], True),
}  # fmt: skip


@pytest.mark.parametrize("case", TRAINING)
def test_a_training_set_has_only_who_consents_to_training_on_the_day_of_its_data(case):
    changes, is_in = TRAINING[case]
    everyone = [given(source, purpose) for source in SOURCES for purpose in ("risk_scoring", "model_training")]
    others = [row | {"person_id": "q"} for row in everyone]
    absences = [spell("2023-02-01", "2023-02-10", person_id=name, spell_id=name) for name in "pq"]
    rows = rows_of(
        persons=[person("p"), person("q")], employments=[job(), job(person_id="q")], absence_spells=absences,
        consents=[*everyone, *others, *changes],
    )  # fmt: skip
    built = build_training_set(tables(rows), OUTCOMES["long_sick_leave"], [date(2024, 3, 1)], date.fromisoformat(AS_OF))
    assert built.person_ids.tolist() == (["p", "q"] if is_in else ["q"])
