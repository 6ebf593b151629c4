"""The others at the workplace, counted by hand: a firm of twelve whose numbers can be added up on paper."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from data_contracts.consent import SOURCES
from data_contracts.time_windows import NO_DAY, calendar_date, day_number
from features.build import CONTEXT_COLUMNS, build_features, observation_days
from features.catalogue import FEATURE_NAMES, POSITIONS
from features.histories import Histories
from features.workplace_context import (
    FEATURES,
    VALID_DAYS,
    WorkplaceContext,
    from_document,
    is_current,
    merged,
    workplace_context,
)  # fmt: skip
from features.workplace_totals import COLUMNS, FIXED_POINT
from tests.lib.records import LONG_AGO, Rows, answer, consent, day, histories, job, person, record_of, rows_of, spell

S, T = "2025-11-01", "2026-03-01"
NAMES = [f"p{number:02}" for number in range(12)]


def firm(names: list[str] = NAMES, **others: list) -> Rows:
    """Everybody in c; each has been away as many days as their number says, and works in u but for the last."""
    tables: dict[str, Any] = {
        "persons": [person(name) for name in names],
        "employments": [job(person_id=name, unit_id="u" if name != NAMES[-1] else "v") for name in names],
        "absence_spells": [
            spell("2025-10-01", day("2025-10-01", NAMES.index(name) - 1), person_id=name)
            for name in names
            if name != NAMES[0]
        ],
    }
    return rows_of(**(tables | others))


IN_ONE_UNIT = [job(person_id=name, unit_id="u") for name in NAMES]


def firm_of(sizes: dict[str | None, int], company: str = "c") -> Rows:
    """A firm with so many people in each unit (None: in no unit), of whom nothing else is known."""
    people = [(f"{company}{unit}{number:02}", unit) for unit, size in sizes.items() for number in range(size)]
    employments = [job(person_id=name, company_id=company, unit_id=unit) for name, unit in people]
    return rows_of(persons=[person(name) for name, _ in people], employments=employments)


def both(one: Rows, other: Rows) -> Rows:
    return {table: [*one[table], *other[table]] for table in one}


def answered_by(rows: Rows, unit: str, persons: int) -> list:
    """An answer about work ability of the first so many people of a unit."""
    people = [row["person_id"] for row in rows["employments"] if row["unit_id"] == unit]
    return [answer("was", "item_1", 7, "2025-10-01", person_id=name) for name in people[:persons]]


def at(t: str, rows: Rows, s: str, **options: Any) -> dict[str, dict[str, float]]:
    """Features of everybody at t, in the light of day s, by person and name."""
    gathered = histories(rows, t, **options)
    matrix = build_features(gathered, day_number(t), workplace_context(gathered, day_number(s)))
    return by_name(gathered, matrix.values)


def by_name(gathered: Histories, values: np.ndarray) -> dict[str, dict[str, float]]:
    columns = FEATURE_NAMES[CONTEXT_COLUMNS]
    rows = values[:, CONTEXT_COLUMNS].tolist()
    return {
        name: dict(zip(columns, row, strict=True)) for name, row in zip(gathered.person_ids, rows, strict=True)
    }  # fmt: skip


def snapshot(rows: Rows, s: str = S) -> WorkplaceContext:
    return workplace_context(histories(rows, s, data_as_of=day_number(s)), day_number(s))


def test_the_mean_is_over_the_others():
    found = at(S, firm(), S)
    # 0 + 1 + .. + 11 = 66 days; without the third 64 over eleven, without the last 55 over eleven.
    assert found["p02"]["company_days_doctor_365"] == np.float32(64 / 11)
    assert found["p11"]["company_days_doctor_365"] == np.float32(55 / 11)
    assert {one["company_persons"] for one in found.values()} == {11}
    # The unit has 0 + .. + 10 = 55 days of eleven persons; alone in a unit is alone.
    assert found["p02"]["unit_days_doctor_365"] == np.float32(53 / 10)
    assert np.isnan(found["p11"]["unit_days_doctor_365"])


def test_ten_others_count_and_nine_do_not():
    eleven, ten = (at(S, firm(NAMES[:n]), S)["p00"] for n in (11, 10))
    assert eleven["company_days_doctor_365"] == 5.5
    assert eleven["company_persons"] == 10
    assert all(np.isnan(value) for value in ten.values())


def test_without_a_context_nothing_is_known_of_others():
    gathered = histories(firm(), S)
    assert np.isnan(build_features(gathered, day_number(S)).values[:, CONTEXT_COLUMNS]).all()


def test_scores_of_the_last_year_only():
    answered = [answer("was", "item_1", 10 if name < "p06" else 4, "2025-10-01", person_id=name) for name in NAMES]
    answered[0] |= {"answered_on": day(S, -365), "known_from": day(S, -365)}
    found = at(S, firm(survey_answers=answered), S)
    assert found["p11"]["company_was_work_ability"] == np.float32((6 * 10 + 5 * 4) / 11)
    answered[0] |= {"answered_on": day(S, -366), "known_from": day(S, -366)}
    found = at(S, firm(survey_answers=answered), S)
    assert found["p11"]["company_was_work_ability"] == np.float32((5 * 10 + 5 * 4) / 10)
    # Of the others of somebody else there are ten who have answered as well: without their own.
    assert np.isnan(found["p10"]["company_cbi_work"])
    assert found["p00"]["company_was_work_ability"] == np.float32((5 * 10 + 6 * 4) / 11)


def test_own_answers_do_not_move_own_numbers():
    away = [spell("2025-10-01", "2025-10-31", person_id="p03")]
    assert at(S, firm(absence_spells=away), S)["p03"]["company_days_doctor_365"] == 0
    assert at(S, firm(absence_spells=away), S)["p04"]["company_days_doctor_365"] == np.float32(31 / 11)


def test_days_of_pregnancy_count_in_no_mean():
    def away(diagnosis: str) -> float:
        rows = [spell("2025-10-01", "2025-10-22", person_id="p03", diagnosis=diagnosis)]
        return at(S, firm(absence_spells=rows), S)["p04"]["company_days_doctor_365"]

    assert (away("W78"), away("P76")) == (0, 2)


def test_who_refuses_a_source_is_no_part_of_it_and_is_told_nothing_of_it():
    consents = [consent(source, name) for name in NAMES for source in SOURCES if (source, name) != ("absence", "p11")]
    found = at(S, firm(consents=consents), S)
    assert found["p00"]["company_days_doctor_365"] == 5.5
    assert np.isnan(found["p11"]["company_days_doctor_365"])
    assert found["p11"]["company_persons"] == found["p00"]["company_persons"] == 11


def test_who_refuses_employment_data_has_no_workplace():
    consents = [
        consent(source, name) for name in NAMES for source in SOURCES if (source, name) != ("employment", "p11")
    ]
    found = at(S, firm(consents=consents), S)
    assert found["p00"]["company_persons"] == 10
    assert all(np.isnan(value) for value in found["p11"].values())


def test_a_unit_is_one_within_its_company():
    names = [*NAMES, *(f"q{number:02}" for number in range(12))]
    employments = [job(person_id=name, company_id="d" if name < "q" else "e", unit_id="u") for name in names]
    rows = rows_of(persons=[person(name) for name in names], employments=employments)
    rows["absence_spells"] = [spell("2025-10-01", "2025-10-10", person_id=name) for name in names if name < "q"]
    found = at(S, rows, S)
    assert found["p00"]["unit_days_doctor_365"] == 10
    assert found["q00"]["unit_days_doctor_365"] == 0


def test_a_day_after_the_index_date_is_an_error():
    gathered = histories(firm(), T)
    with pytest.raises(ValueError, match="a context of 2026-03-01 is of a day after an index date"):
        build_features(gathered, day_number(T) - np.arange(12) % 2, workplace_context(gathered, day_number(T)))


def test_an_old_context_tells_nothing():
    gathered, context = histories(firm(), T), snapshot(firm())
    assert VALID_DAYS == 183
    assert is_current(context, context.day + np.array([-1, 0, 183, 184])).tolist() == [False, True, True, False]
    t = context.day + 183 + np.arange(12) % 2
    values = build_features(gathered, t, context).values
    told = ~np.isnan(values[:, POSITIONS["company_persons"]])
    assert told.tolist() == [True, False] * 6
    assert np.isnan(build_features(gathered, context.day + 184, context).values[:, CONTEXT_COLUMNS]).all()
    days = observation_days(gathered, t, context)[:, CONTEXT_COLUMNS]
    is_known = ~np.isnan(values[:, CONTEXT_COLUMNS])
    assert 0 < is_known.sum() < is_known[::2].size, "nobody has answered a survey"
    assert (days[is_known] == context.day).all()
    assert (days[~is_known] == NO_DAY).all()


def test_colleagues_are_nothing_a_person_can_change():
    assert not any(one.modifiable for one in FEATURES)
    assert len(FEATURES) == 11


def test_the_meaning_says_from_how_many_on_something_is_told():
    assert all(
        "at least 11 persons" in one.meaning and "at least 10 of them are others" in one.meaning for one in FEATURES
    )
    jobs = [job(person_id=name, company_id="c" if name < "p10" else "d", unit_id="u") for name in NAMES]
    rows = firm(employments=jobs)
    moved = [jobs[11] | {"end_date": day(S, 5), "known_from": day(S, 5)}, job(day(S, 6), person_id="p11")]
    gathered = histories(rows | {"employments": [*jobs, *moved]}, T)
    whole = snapshot(rows)
    found, published = (
        by_name(gathered, build_features(gathered, day_number(T), some).values)["p11"]["company_persons"]
        for some in (whole, whole.published())
    )
    assert found == 10, "of exactly ten a newcomer would be told within the store"
    assert np.isnan(published), "but not of what may leave it, which training and the service see"


# --- a snapshot of an earlier day, and what has happened since -------------------------------------------------------


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


# --- totals ----------------------------------------------------------------------------------------------------------


def test_totals_of_two_halves_are_the_totals_of_all():
    halves = [snapshot(firm(NAMES[:5])), snapshot(firm(NAMES[5:]))]
    whole = snapshot(firm())
    for parts in (halves, halves[::-1]):
        together = merged(parts)
        assert together.places == whole.places == (("c", None), ("c", "u"), ("c", "v"))
        assert together.totals.tobytes() == whole.totals.tobytes()
    assert dict(zip(COLUMNS, whole.totals[0].tolist(), strict=True))["days_doctor_365_sum"] == 66


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [snapshot(firm()), snapshot(firm(), day(S, 1))],
        [snapshot(firm()), workplace_context(histories(firm(), S), day_number(S))],
    ],
    ids=["none", "of two days", "on other terms"],
)
def test_what_does_not_add_up(parts):
    with pytest.raises(ValueError, match="contexts add up"):
        merged(parts)


def test_nobody_is_at_work():
    context = workplace_context(histories(rows_of(persons=[]), S), day_number(S))
    assert (context.places, context.totals.shape) == ((), (0, len(COLUMNS)))
    assert build_features(histories(rows_of(persons=[]), T), day_number(T), context).values.shape[0] == 0


def test_a_published_context_has_no_cell_of_less_than_eleven():
    published = snapshot(both(firm(), firm_of({"w": 11}))).published()
    assert published.places == (("c", None), ("c", "w")), "one person in v, so that u is hidden too"
    assert published.totals[:, :6].tolist() == [[23, 0, 0, 0, 0, 23], [11, 0, 0, 0, 0, 11]]
    assert snapshot(firm(NAMES[:10])).published().places == ()
    answered = [answer("was", "item_1", 7, "2025-10-01", person_id=name) for name in NAMES[:10]]
    published = snapshot(firm(survey_answers=answered)).published()
    column = COLUMNS.index("was_work_ability_persons"), COLUMNS.index("was_work_ability_sum")
    assert published.totals[:, column].tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"a": 11, "b": 1}, {None: 12}),
        ({"a": 11, None: 1}, {None: 12}),
        ({"a": 11, "b": 5, "c": 5}, {None: 21}),
        ({"a": 11, None: 11}, {None: 22, "a": 11}),
        ({"a": 11, "b": 5, "c": 6}, {None: 22, "a": 11}),
        ({"a": 11, "b": 11}, {None: 22, "a": 11, "b": 11}),
        ({"a": 11, "b": 11, "c": 11}, {None: 33, "a": 11, "b": 11, "c": 11}),
        ({"a": 11, "b": 11, "c": 1}, {None: 23, "b": 11}),
        ({"a": 20, "b": 12, "c": 13, "d": 10}, {None: 55, "a": 20, "c": 13}),
        ({"a": 5, "b": 5}, {}),
    ],
)
def test_a_company_less_its_published_units_is_nobody_or_eleven(sizes, told):
    found = snapshot(firm_of(sizes)).published()
    persons = found.totals[:, COLUMNS.index("persons")].tolist()
    assert {unit: count for (_, unit), count in zip(found.places, persons, strict=True)} == told


def test_what_one_company_hides_hides_nothing_of_another():
    found = snapshot(both(firm_of({"a": 11, "b": 1}), firm_of({"a": 11, "b": 11}, "d"))).published()
    assert found.places == (("c", None), ("d", None), ("d", "a"), ("d", "b"))


def test_each_measure_is_hidden_for_itself():
    rows = firm_of({"a": 15, "b": 16})
    rows["survey_answers"] = answered_by(rows, "a", 11) + answered_by(rows, "b", 5)
    found = snapshot(rows).published()
    named = COLUMNS.index("persons"), COLUMNS.index("was_work_ability_persons"), COLUMNS.index("was_work_ability_sum")
    assert found.places == (("c", None), ("c", "a"), ("c", "b"))
    assert found.totals[:, named].tolist() == [[31, 16, 16 * 7 * FIXED_POINT], [15, 0, 0], [16, 0, 0]]


def test_of_a_unit_whose_persons_are_hidden_no_measure_is_shown():
    """All who answered are in two units of eleven; of the three units' persons the smallest count is hidden."""
    rows = firm_of({"a": 15, "b": 16, "c": 1})
    rows["survey_answers"] = answered_by(rows, "a", 11) + answered_by(rows, "b", 11)
    context = snapshot(rows)
    assert context.published().places == (("c", None), ("c", "b"))
    assert from_document(context.to_document()).to_document() == context.to_document()


def test_a_document_whose_units_give_away_the_rest_is_refused():
    context = snapshot(firm_of({"a": 11, "b": 11}))
    document = context.to_document()
    for persons, is_refused in ((22, False), (23, True), (32, True), (33, False)):
        changed = _replaced(document, 0, 2 + COLUMNS.index("persons"), persons)
        if is_refused:
            with pytest.raises(ValueError, match="give away the rest"):
                from_document(changed)
        else:
            assert from_document(changed).to_document() == changed


def test_a_document_never_has_what_is_not_published():
    document = snapshot(firm()).to_document()
    assert [place[:2] for place in document["workplaces"]] == [["c", None]]
    document = snapshot(firm(employments=IN_ONE_UNIT)).to_document()
    assert [place[:2] for place in document["workplaces"]] == [["c", None], ["c", "u"]]
    assert document["day"] == document["consent_on"] == document["known_by"] == S
    with pytest.raises(ValueError, match="a snapshot has a date"):
        workplace_context(histories(firm(), S), day_number(S)).to_document()


def _replaced(document: dict, row: int, column: int, value: Any) -> dict:
    rows = [list(one) for one in document["workplaces"]]
    rows[row][column] = value
    return document | {"workplaces": rows}


def _was(document: dict, count: Any, total: Any) -> dict:
    named = {name: 2 + position for position, name in enumerate(COLUMNS)}
    changed = _replaced(document, 0, named["was_work_ability_persons"], count)
    return _replaced(changed, 0, named["was_work_ability_sum"], total)


BAD = {
    "no object": lambda document: [document],
    "another format": lambda document: document | {"format": 2},
    "another field": lambda document: document | {"note": ""},
    "a field is missing": lambda document: {name: value for name, value in document.items() if name != "day"},
    "another purpose": lambda document: document | {"purpose": "curiosity"},
    "purpose is a list": lambda document: document | {"purpose": []},
    "other columns": lambda document: document | {"columns": document["columns"][::-1]},
    "no date": lambda document: document | {"day": "2025-11-31"},
    "a date in another form": lambda document: document | {"day": "20251101"},
    "a number for a date": lambda document: document | {"known_by": 20000},
    "no list": lambda document: document | {"workplaces": {"c": 1}},
    "a short row": lambda document: document | {"workplaces": [document["workplaces"][0][:-1]]},
    "a company without a name": lambda document: _replaced(document, 0, 0, None),
    "an empty name": lambda document: _replaced(document, 1, 1, ""),
    "a long name": lambda document: _replaced(document, 1, 1, "u" * 65),
    "a number for a name": lambda document: _replaced(document, 1, 1, 7),
    "a place twice": lambda document: _replaced(document, 1, 1, None),
    "out of order": lambda document: document | {"workplaces": document["workplaces"][::-1]},
    "true for one": lambda document: _replaced(document, 0, 2, True),
    "a fraction": lambda document: _replaced(document, 0, 8, 66.0),
    "a text": lambda document: _replaced(document, 0, 8, "66"),
    "null": lambda document: _replaced(document, 0, 8, None),
    "not a number": lambda document: _replaced(document, 0, 8, float("nan")),
    "more than 64 bits": lambda document: _replaced(document, 0, 8, 1 << 80),
    "a negative count": lambda document: _replaced(document, 0, 3, -12),
    "ten contributors": lambda document: _was(document, 10, 10 * FIXED_POINT),
    "more contributors than persons": lambda document: _was(document, 13, 0),
    "a sum of nobody": lambda document: _was(document, 0, 1),
    "a sum above the scale": lambda document: _was(document, 11, 110 * FIXED_POINT + 1),
    "a sum below the scale": lambda document: _was(document, 11, -1),
    "more days than a year has": lambda document: _replaced(document, 0, 8, 12 * 365 + 1),
    "a workplace of nobody": lambda document: (
        document | {"workplaces": [document["workplaces"][0], ["c", "u", *[0] * len(COLUMNS)]]}
    ),
    "persons who are none": lambda document: _replaced(document, 1, 7, 0),
}


@pytest.mark.parametrize("damage", BAD)
def test_a_document_that_cannot_be_true_is_refused(damage):
    document = snapshot(firm(employments=IN_ONE_UNIT)).to_document()
    with pytest.raises(ValueError, match=r"."):
        from_document(BAD[damage](document))


def test_a_document_that_could_be_true_is_not_refused():
    document = snapshot(firm(employments=IN_ONE_UNIT)).to_document()
    for possible in (document, _was(document, 11, 110 * FIXED_POINT), document | {"workplaces": []}):
        assert from_document(possible).to_document() == possible
    assert calendar_date(from_document(document).day).isoformat() == S


def test_companies_and_units_have_their_names_wherever_persons_are_taken():
    jobs = [job(person_id=name, company_id=f"c{NAMES.index(name) % 3}", unit_id="u") for name in NAMES[:4]]
    gathered = histories(firm(NAMES[:4], employments=[*jobs, job(person_id="elsewhere", company_id="a")]), S)
    assert (gathered.companies, gathered.units) == (("a", "c0", "c1", "c2"), ("u",))
    for some, expected in ((gathered.take(np.array([3, 1])), ["c0", "c1"]), (gathered.between(1, 3), ["c1", "c2"])):
        assert [some.companies[rank] for rank in some.employments["company"]] == expected
        assert len(some.consents.offsets) == len(some) + 1
