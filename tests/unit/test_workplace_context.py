"""The others at the workplace, counted by hand: a firm of twelve whose numbers can be added up on paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data_contracts.consent import SOURCES
from data_contracts.time_windows import NO_DAY, day_number
from features.build import CONTEXT_COLUMNS, build_features, observation_days
from features.catalogue import POSITIONS
from features.workplace_context import FEATURES, VALID_DAYS, is_current, workplace_context
from tests.lib.firm_of_twelve import NAMES, S, T, by_name, firm, snapshot
from tests.lib.records import Rows, answer, consent, day, histories, job, person, rows_of, spell


def at(t: str, rows: Rows, s: str, **options: Any) -> dict[str, dict[str, float]]:
    """Features of everybody at t, in the light of day s, by person and name."""
    gathered = histories(rows, t, **options)
    matrix = build_features(gathered, day_number(t), workplace_context(gathered, day_number(s)))
    return by_name(gathered, matrix.values)


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
