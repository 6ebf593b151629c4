import numpy as np
import pytest

from models.comparison import ComparedCandidate, choose, leakage_note, onset_note
from models.out_of_fold import clustered_standard_error


def line(name: str, difference: float, error: float) -> ComparedCandidate:
    numbers = {"n_features": 1, "log_loss": 0.4 + difference, "auroc": 0.7, "average_precision": 0.2, "brier": 0.1}
    line_of = {"recalibration_intercept": 0.0, "recalibration_slope": 1.0, "settings": {}}
    return ComparedCandidate(
        name=name, difference=difference, standard_error=error, within_one_standard_error=False, chosen=False,
        **numbers, **line_of,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("differences", "errors", "expected"),
    [
        ((0.030, 0.002, 0.000), (0.010, 0.003, 0.0), "middle"),
        ((0.030, 0.004, 0.000), (0.010, 0.003, 0.0), "complex"),
        ((0.009, 0.002, 0.000), (0.010, 0.003, 0.0), "simple"),
        ((0.000, 0.010, 0.001), (0.0, 0.003, 0.010), "simple"),
        ((0.003, 0.003, 0.000), (0.003, 0.003, 0.0), "simple"),
    ],
)
def test_the_simplest_within_one_standard_error_of_the_best_is_chosen(differences, errors, expected):
    table = [line(*values) for values in zip(("simple", "middle", "complex"), differences, errors, strict=True)]
    chosen = [found.name for found in choose(table) if found.chosen]
    assert chosen == [expected]


def test_standard_error_by_hand():
    """Three persons with sums 1, 0 and -1 around the mean of six rows: sqrt(3/2 * 2) / 6."""
    values = np.array([0.5, 0.5, 0, 0, -0.5, -0.5])
    person = np.array([7, 7, 8, 8, 9, 9])
    assert clustered_standard_error(values, np.ones(6), person) == pytest.approx(np.sqrt(3) / 6)


def test_repeating_every_row_does_not_make_the_standard_error_smaller():
    values, person = np.random.default_rng(1).normal(size=50), np.arange(50)
    once = clustered_standard_error(values, np.ones(50), person)
    assert clustered_standard_error(np.tile(values, 4), np.ones(200), np.tile(person, 4)) == pytest.approx(once)


@pytest.mark.parametrize(("area", "warns"), [(0.82, False), (0.821, True), (float("nan"), False)])
def test_too_good_to_be_true_is_said_loudly(area, warns):
    assert ("SUSPECT LEAKAGE" in leakage_note("test", area)) is warns


def test_events_that_pile_up_on_the_index_date_are_prevalent_cases():
    """Three of thirty new cases on one day of 365 is no chance; one is."""
    y = np.concatenate([np.ones(30), np.zeros(300), [np.nan]])
    days = np.concatenate([np.arange(1, 31), np.zeros(301)]).astype(int)
    assert onset_note(y, days) == ""
    days[:1] = 0
    assert onset_note(y, days) == ""
    days[:3] = 0
    assert "10% of the 30 events begin on the index date" in onset_note(y, days)
    assert onset_note(y[20:], days[20:] * 0) == ""  # ten events are too few to tell
