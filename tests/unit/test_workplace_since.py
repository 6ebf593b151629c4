"""A snapshot of the workplace of an earlier day, and what has happened since."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from data_contracts.consent import SOURCES
from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import POSITIONS
from features.histories import Histories
from features.workplace_context import from_document
from tests.lib.firm_of_twelve import NAMES, S, T, both, by_name, firm, firm_of, snapshot
from tests.lib.records import LONG_AGO, answer, consent, day, histories, job, person, record_of, spell


def since(**changes: list) -> dict[str, dict[str, float]]:
    """Features at T with the snapshot of S of a store to which rows were added, all known on S or later."""
    rows = firm()
    later = {table: [*of_table, *changes.get(table, [])] for table, of_table in rows.items()}
    gathered = histories(later, T)
    kept = snapshot(rows)
    assert snapshot(later).totals.tobytes() == kept.totals.tobytes()
    return by_name(gathered, build_features(gathered, day_number(T), kept).values)


def test_nothing_has_happened_since():
    assert since()["p02"]["company_days_doctor_365"] == np.float32(64 / 11)


def newcomer(start: str, consents_known: str = LONG_AGO, **others: list) -> dict[str, float]:
    return since(
        persons=[person("z", S)],
        employments=[job(start, person_id="z")],
        consents=[consent(source, "z", known_from=consents_known) for source in SOURCES],
        **others,
    )["z"]


def test_somebody_who_came_later_is_no_part_of_the_snapshot():
    new = newcomer(day(S, 1))
    assert new["company_days_doctor_365"] == np.float32(66 / 12)
    assert new["company_persons"] == 12


def test_who_has_worked_there_since_before_the_day_and_is_not_seen_there_then_is_told_nothing():
    """The history may only have lost what was said before: on its first day, and with the person row of the day."""
    assert all(np.isnan(value) for value in newcomer(S).values())
    rows = firm(persons=[person(name, S if name == "p11" else LONG_AGO) for name in NAMES])
    gathered = histories(rows, T)
    found = by_name(gathered, build_features(gathered, day_number(T), snapshot(rows)).values)
    assert all(np.isnan(value) for value in found["p11"].values())
    assert found["p10"]["company_persons"] == 10


def test_who_has_come_with_a_past_of_their_own_is_told_all_but_what_it_may_have_added():
    new = newcomer(day(S, 1), absence_spells=[spell("2025-10-01", "2025-10-20", S, person_id="z")])
    assert np.isnan(new["company_days_doctor_365"])
    assert new["company_persons"] == 12
    new = newcomer(day(S, 1), absence_spells=[spell(S, day(S, 9), S, person_id="z")])
    assert new["company_days_doctor_365"] == np.float32(66 / 12), "a spell since then was no part of it"


def test_a_record_of_what_holds_today_does_not_hide_the_person_among_the_others():
    """Twelve were each away on paper for as many days as their number; the app knows since when it has its copy."""
    rows = firm()
    kept = snapshot(rows)
    for copied, told in ((day(S, -1), 64 / 11), (S, np.nan), (day(T, -1), np.nan)):
        record = record_of(rows, "p02")
        for row in (record["person"], *record["employments"], *record["consents"], *record["absence_spells"]):
            row["known_from"] = max(row["known_from"], copied)
        gathered = Histories.from_record(record, consent_on=date.fromisoformat(T), received_on=date(2026, 3, 1))
        found = by_name(gathered, build_features(gathered, day_number(T), kept).values)["p02"]
        np.testing.assert_equal(found["company_days_doctor_365"], np.float32(told))
        np.testing.assert_equal(found["company_persons"], np.nan if np.isnan(told) else 11)


@pytest.mark.parametrize("table", ["persons", "employments", "consents"])
def test_one_kind_of_rows_without_its_past_suffices_to_tell_nothing(table):
    rows = firm()
    kept = snapshot(rows)
    rows[table] = [row | {"known_from": day(S, 7)} if row["person_id"] == "p02" else row for row in rows[table]]
    gathered = histories(rows, T)
    found = by_name(gathered, build_features(gathered, day_number(T), kept).values)
    assert all(np.isnan(value) for value in found["p02"].values())
    assert found["p03"]["company_days_doctor_365"] == np.float32(63 / 11)
    same_day = by_name(gathered, build_features(gathered, kept.day + np.arange(12) // 11 * 30, kept).values)
    told = same_day["p02"]["company_persons"]
    assert told == 12 if table != "employments" else np.isnan(told), "on the day itself a later row plays no part"


def test_of_scores_and_spells_known_since_only_their_own_measure_is_unknown():
    def answered(name: str, instrument: str, item: str, known_from: str) -> dict:
        return answer(instrument, item, 4, "2025-10-01", person_id=name, known_from=known_from)

    early = [answered(name, "was", "item_1", "2025-10-01") for name in NAMES]
    rows = firm(survey_answers=early)
    kept = snapshot(rows)
    rows["survey_answers"] = [row | {"known_from": S} if row["person_id"] == "p02" else row for row in early]
    # An answer to another questionnaire of the same day says nothing about this one; nor does one long ago.
    rows["survey_answers"] += [answered("p03", "srh", "item_1", S), answered("p04", "was", "item_1", S)]
    rows["survey_answers"].append(answer("was", "item_1", 9, "2024-10-31", person_id="p05", known_from=S))
    rows["survey_answers"].append(answered("p06", "was", "item_1", day(S, 5)) | {"answer": 5})
    gathered = histories(rows, T)
    found = by_name(gathered, build_features(gathered, day_number(T), kept).values)
    unknown = {name for name in NAMES if np.isnan(found[name]["company_was_work_ability"])}
    assert unknown == {"p02", "p06"}
    assert {one["company_persons"] for one in found.values()} == {11}
    assert found["p02"]["company_days_doctor_365"] == np.float32(64 / 11)
    assert found["p03"]["company_was_work_ability"] == 4


def test_somebody_who_moved_is_asked_about_where_they_are_now():
    moved = [
        job(end="2025-12-31", person_id="p02", unit_id="u", known_from="2025-12-01"),
        job("2026-01-01", person_id="p02", company_id="d"),
    ]
    found = since(employments=moved)["p02"]
    assert all(np.isnan(value) for value in found.values())
    unit = [
        job(end="2025-12-31", person_id="p11", unit_id="v", known_from="2025-12-01"),
        job("2026-01-01", person_id="p11", unit_id="u"),
    ]
    found = since(employments=unit)["p11"]
    assert found["company_days_doctor_365"] == 5
    assert found["unit_days_doctor_365"] == 5, "all eleven of the unit are others"


def test_a_unit_of_the_same_name_in_another_company_is_another_unit():
    names = [*NAMES, "z"]
    rows = firm(persons=[person(name) for name in names])
    rows["employments"].append(job(person_id="z", company_id="d", unit_id="u"))
    rows["absence_spells"].append(spell("2025-10-01", "2025-10-31", person_id="z"))
    kept = snapshot(rows)
    ended = job(end="2025-12-31", person_id="z", company_id="d", unit_id="u", known_from="2025-12-01")
    rows["employments"] += [ended, job("2026-01-01", person_id="z", unit_id="u")]
    gathered = histories(rows, T)
    found = by_name(gathered, build_features(gathered, day_number(T), kept).values)["z"]
    assert found["unit_days_doctor_365"] == 5, "of eleven in the unit, none of whom is z"


def test_own_rows_known_since_make_their_measure_unknown():
    late = spell("2025-09-01", "2025-09-30", S, "late", person_id="p02")
    corrected = spell("2025-10-01", "2025-10-20", S, person_id="p02")
    for row in (late, corrected, late | {"known_from": day(T, -1)}, late | {"kind": "self_certified"}):
        found = since(absence_spells=[row])["p02"]
        assert np.isnan(found["company_days_doctor_365"])
        assert np.isnan(found["unit_days_doctor_365"])
        assert found["company_persons"] == 11
    for row in (late | {"known_from": T}, spell(S, day(S, 3), S, "new", person_id="p02")):
        assert since(absence_spells=[row])["p02"]["company_days_doctor_365"] == np.float32(64 / 11)


@pytest.mark.parametrize("refused", ["absence", "employment"])
def test_of_a_source_whose_consent_is_not_shown_on_the_day_nothing_is_told(refused):
    consents = [consent(source, name) for name in NAMES for source in SOURCES if (source, name) != (refused, "p11")]
    rows = firm(consents=consents)
    kept = snapshot(rows)
    rows["consents"].append(consent(refused, "p11", given_on=S, known_from=day(S, 3)))
    gathered = histories(rows, T)
    found = by_name(gathered, build_features(gathered, day_number(T), kept).values)
    assert np.isnan(found["p11"]["company_days_doctor_365"]), "the consent of that day may have been left out"
    np.testing.assert_equal(found["p11"]["company_persons"], 11 if refused == "absence" else np.nan)
    assert found["p00"]["company_days_doctor_365"] == (5.5 if refused == "absence" else np.float32(55 / 10))


def test_consent_withdrawn_and_given_again_since():
    since_then = [
        consent("absence", "p11", withdrawn_on=day(S, 10), known_from=day(S, 10)),
        consent("absence", "p11", given_on=day(S, 20), known_from=day(S, 20)),
    ]
    assert since(consents=since_then)["p11"]["company_days_doctor_365"] == 5
    assert np.isnan(since(consents=since_then[:1])["p11"]["company_days_doctor_365"])


def test_a_snapshot_of_another_purpose_is_an_error():
    context = snapshot(firm())
    gathered = histories(firm(), T, purpose="model_training")
    with pytest.raises(ValueError, match="cannot tell who had consented"):
        build_features(gathered, day_number(T), context)


def test_one_record_and_a_snapshot_that_was_sent():
    # Eleven in the unit u, and twelve in v, who are all left over.
    rows = both(firm(), firm_of({"v": 11}))
    sent = from_document(json.loads(json.dumps(snapshot(rows).to_document())))
    gathered = Histories.from_record(
        record_of(rows, "p02"), consent_on=date.fromisoformat(T), received_on=date(2026, 3, 1)
    )
    values = build_features(gathered, day_number(T), sent).values
    assert values[0, POSITIONS["company_days_doctor_365"]] == np.float32(64 / 22)
    assert values[0, POSITIONS["unit_days_doctor_365"]] == np.float32(53 / 10)
