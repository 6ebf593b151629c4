from __future__ import annotations

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, day_number
from features import build
from features.as_of import as_of
from features.build import build_features, observation_days
from features.catalogue import COLUMNS, FEATURE_NAMES, FEATURES, GROUPS, POSITIONS
from tests.lib.records import answers, histories, job, lab, person, rows_of, session, spell

T = "2026-03-01"


def some_persons(n: int = 5):
    names = [f"p{number}" for number in range(n)]
    return histories(
        rows_of(
            persons=[person(name) for name in names],
            employments=[job(person_id=name) for name in names],
            absence_spells=[
                spell("2026-02-01", f"2026-02-{2 * length + 1:02}", person_id=name) for length, name in enumerate(names)
            ],
            survey_answers=[row for name in names[1:] for row in answers("srh", [3], "2026-02-01", person_id=name)],
            lab_results=[lab("NPU27300", 40, "mmol/mol", "2026-02-01", person_id=names[2])],
            guidance_sessions=[session("2026-02-01", person_id=names[3])],
        )
    )


def test_the_matrix_has_one_row_per_person_and_one_column_per_feature():
    matrix = build_features(some_persons(), day_number(T))
    assert matrix.values.shape == (5, len(FEATURE_NAMES))
    assert matrix.values.dtype == np.float32
    assert matrix.names == FEATURE_NAMES
    assert len(matrix) == 5
    assert matrix.values[:, FEATURE_NAMES.index("days_doctor_365")].tolist() == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
def test_chunks_change_no_bit(monkeypatch, chunk):
    whole = build_features(some_persons(), day_number(T)).values
    monkeypatch.setattr(build, "CHUNK", chunk)
    assert build_features(some_persons(), day_number(T)).values.tobytes() == whole.tobytes()


def test_each_group_computes_float32_columns_in_the_order_of_its_features():
    known = as_of(some_persons(), day_number(T))
    for group in GROUPS:
        columns = group.compute(known)
        assert columns.shape == (5, len(group.features))
        assert columns.dtype == np.float32


def test_a_group_of_observations_gives_a_day_before_t_for_each_of_its_numbers_that_can_grow_old():
    gathered, t = some_persons(), day_number(T)
    known = as_of(gathered, t)
    observing = [(group, columns) for group, columns in COLUMNS if group.observed_on is not None]
    assert [group.name for group, _ in observing] == ["survey_scores", "survey_response", "labs"]
    for group, columns in observing:
        days, numbers = group.observed_on(known), group.compute(known)
        assert days.shape == (5, len(group.features))
        assert days.dtype == np.int32
        grows_old = np.array([one.valid_days is not None for one in FEATURES[columns]])
        is_known = ~np.isnan(numbers[:, grows_old])
        assert is_known.any()
        assert (days[:, grows_old][is_known] == day_number("2026-02-01")).all()
        assert ((days == NO_DAY) | (days < t)).all()


def test_observation_days_are_those_of_the_groups_and_no_day_for_the_rest():
    days = observation_days(some_persons(), day_number(T))
    assert days.shape == (5, len(FEATURE_NAMES))
    assert days.dtype == np.int32
    on = {name: days[:, POSITIONS[name]].tolist() for name in ("srh_self_rated_health", "hba1c", "days_doctor_365")}
    first, none = day_number("2026-02-01"), NO_DAY
    assert on == {
        "srh_self_rated_health": [none, first, first, first, first],
        "hba1c": [none, none, first, none, none],
        "days_doctor_365": [none] * 5,
    }


def test_nothing_is_infinite():
    assert not np.isinf(build_features(some_persons(), day_number(T)).values).any()


def test_an_index_date_of_the_wrong_shape_is_a_mistake():
    with pytest.raises(ValueError, match="broadcast"):
        build_features(some_persons(), np.array([day_number(T)] * 3))
