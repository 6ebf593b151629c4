"""The rows that are compared: dates, and the same rows, labels and weights as a training set has."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from data_contracts.readers.parquet_files import write_tables
from data_contracts.time_windows import day_number
from models.monitoring.comparison import Sample
from models.outcomes import OUTCOMES
from models.outcomes.outcome import Status
from models.training_set import build_training_set
from pipeline.monitoring.inputs import GROWING, input_shifts, new_values, samples, watched
from pipeline.monitoring.matured import leaving_share, maturity, series, streams_of, tolerance_of
from pipeline.monitoring.windows import MEASURED, is_same_season, past_dates, reference_dates, window_of, window_start
from tests.lib.models import linear_model
from tests.lib.monitored import staff
from tests.lib.records import tables

LONG = OUTCOMES["long_sick_leave"]
FIRST, LAST = date(2022, 1, 1), date(2024, 1, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tables")
    rows = staff(30, absent=range(0, 30, 2))
    write_tables(directory, tables(rows), 3)
    return directory, rows


@pytest.mark.parametrize(
    ("on", "begun", "expected"),
    [
        (date(2026, 3, 1), date(2020, 1, 1), ["2022-03-01", "2023-03-01"]),
        (date(2026, 1, 1), date(2020, 1, 1), ["2022-01-01", "2023-01-01", "2024-01-01"]),
        (date(2026, 3, 1), date(2022, 6, 1), ["2023-03-01"]),  # before that a window would look empty
        (date(2026, 3, 1), date(2023, 6, 1), ["2024-01-01"]),  # no anniversary is left
        (date(2024, 2, 29), date(2020, 1, 1), ["2022-02-28", "2023-02-28"]),
    ],
)
def test_the_reference_is_the_same_season_of_the_training(on, begun, expected):
    found = reference_dates(on, FIRST, LAST, begun)
    assert [str(one) for one in found] == expected
    assert is_same_season(on, found) == (expected != ["2024-01-01"])


def test_windows_and_label_dates_by_hand():
    assert window_start(date(2026, 5, 31), 3) == date(2026, 2, 28)
    found = past_dates(date(2025, 1, 1), date(2025, 10, 1), 3)
    assert [str(one) for one in found] == ["2025-04-01", "2025-07-01", "2025-10-01"]
    assert [streams_of(OUTCOMES[name], 3) for name in ("long_sick_leave", "burnout")] == [4, 5]
    assert streams_of(LONG, 12) == 1


@pytest.mark.parametrize("name", ["long_sick_leave", "burnout", "absence_days", "long_sick_leave_mental"])
def test_rows_labels_and_weights_are_those_of_a_training_set(home, name):
    directory, rows = home
    dates, known = [date(2023, 1, 1), date(2023, 4, 1)], date(2026, 3, 1)
    built = build_training_set(tables(rows), OUTCOMES[name], dates, known)
    found = window_of(directory, OUTCOMES[name], dates, known)
    order = np.lexsort((found.person, found.t))
    assert found.person[order].tolist() == built.person_ids[built.person].tolist()
    for part in ("t", "status", "y", "followed_days"):
        assert np.array_equal(getattr(found, part)[order], getattr(built, part), equal_nan=part == "y")
    assert np.allclose(found.weight[order], np.where(built.weight == 0, found.weight[order] * 0, built.weight))
    own = [place for place, one in enumerate(built.feature_names) if not one.startswith(("company_", "unit_"))]
    assert np.array_equal(found.X[order][:, own], built.X[:, own], equal_nan=True)


def test_labels_that_are_not_known_yet_have_rows_and_no_label(home):
    found = window_of(home[0], LONG, [date(2025, 1, 1), date(2026, 1, 1)], date(2026, 3, 1))
    late = found.t == day_number("2026-01-01")
    assert (found.status[late] == Status.NOT_MATURE).all()
    assert np.isnan(found.y[late]).all()
    assert found.y[~late].sum() == 15
    counted = maturity(found, LONG, date(2026, 3, 1))
    assert [one["labels_known"] for one in counted["index_dates"]] == [30, 0]
    assert (counted["mature_dates"], counted["next_matures_on"]) == (1, "2027-02-01")
    model = linear_model()
    points = series(found, np.zeros(len(found)), model)
    assert [(one["expected"], one["observed"]) for one in points] == [(0.5, 0.5), (0.5, None)]


def test_the_share_that_left_is_of_those_without_the_event_and_rounded_up(home):
    """15 of 30 had the event; of the other 15, two left: 2 of 15 is 0.1334."""
    found = window_of(home[0], LONG, [date(2025, 1, 1)], date(2026, 3, 1))
    assert leaving_share(found) == 0.0
    status, y = found.status.copy(), found.y.copy()
    left = np.flatnonzero(y == 0)[:2]
    status[left], y[left] = Status.CENSORED, np.nan
    assert leaving_share(replace(found, status=status, y=y)) == 0.14
    assert tolerance_of(0.1, 0.2) == pytest.approx(0.1 + np.log(0.9 / 0.8))


def test_a_measured_value_counts_where_it_is_new_and_only_there(home):
    found = window_of(home[0], LONG, [date(2026, 3, 1), date(2026, 6, 1)], date(2026, 6, 1))
    values = new_values(found, 3, ("who5_wellbeing", "days_doctor_365"))
    march = found.t == day_number("2026-03-01")
    assert np.isfinite(values[march]).all()
    assert np.isnan(values[~march, 0]).all()  # the answers are of January
    assert np.isfinite(values[~march, 1]).all()  # counted, not measured
    assert np.isfinite(new_values(found, 5, ("who5_wellbeing",))).all()


def test_what_nobody_has_is_not_compared_and_age_never_is(home):
    found = window_of(home[0], LONG, [date(2023, 3, 1)], date(2026, 3, 1))
    names = watched(("age_years", "tenure_years", "company_days_doctor_365", "shift_work"))
    assert not {*GROWING, "company_days_doctor_365"} & set(names)
    assert len(names) == len(set(names))
    compared = {one.name for one in input_shifts(found, found, 3, names)}
    assert {"who5_wellbeing", "is_female"} <= compared
    assert not compared & {"hba1c", "bmi"}
    assert {"hba1c", "bmi"} <= set(MEASURED)


def test_a_person_is_the_same_in_both_samples(home):
    before, after = (window_of(home[0], LONG, [on], date(2026, 3, 1)) for on in (date(2022, 3, 1), date(2023, 3, 1)))
    first, second = samples(before, after.take(np.arange(29, -1, -1)), (np.zeros((30, 1)), np.ones((30, 1))), ("x",))
    assert isinstance(first, Sample)
    assert first.person.tolist() == second.person.tolist()[::-1]
