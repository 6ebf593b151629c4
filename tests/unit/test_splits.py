import numpy as np
import pytest

from data_contracts.errors import NotEnoughDataError
from data_contracts.time_windows import day_number
from models.splits import person_folds, person_shares, temporal_split

IDS = [f"person-{i}" for i in range(200)]
DATES = ["2022-12-31", "2023-01-01", "2023-01-02", "2023-07-01", "2024-01-01", "2024-04-01"]
T = np.repeat([day_number(text) for text in DATES], len(IDS)).astype(np.int32)
PERSON = np.tile(np.arange(len(IDS), dtype=np.int32), len(DATES))


def split(**others):
    options = {"embargo_days": 365, "test_months": 6, "test_share": 0.35} | others
    return temporal_split(T, PERSON, IDS, **options)


def dates(rows) -> set[str]:
    return {DATES[row // len(IDS)] for row in rows}


def test_a_training_horizon_ends_before_the_first_test_date_to_the_day():
    assert dates(split().test) == {"2024-01-01", "2024-04-01"}
    assert dates(split().train) == {"2022-12-31", "2023-01-01"}, "2023-01-02 plus 365 days is one day too late"
    assert dates(split(embargo_days=366).train) == {"2022-12-31"}


def test_no_person_straddles():
    found = split()
    assert not set(PERSON[found.train]) & set(PERSON[found.test])


def test_every_row_is_somewhere_and_counted():
    found = split()
    assert len(found.train) + len(found.test) + sum(found.left_out.values()) == len(T)


def test_a_person_keeps_side_and_fold_whoever_else_is_there():
    some = IDS[5:9]
    assert person_shares(some, "test").tolist() == person_shares(IDS, "test")[5:9].tolist()
    assert person_folds(some, 5).tolist() == person_folds(IDS, 5)[5:9].tolist()


def test_folds_and_sides_are_independent_draws_of_about_the_asked_size():
    share, fold = person_shares(IDS, "test"), person_folds(IDS, 5)
    assert 0.25 < (share < 0.35).mean() < 0.45
    assert set(fold) == {0, 1, 2, 3, 4}
    assert abs(np.corrcoef(share, fold)[0, 1]) < 0.15


@pytest.mark.parametrize("impossible", [{"embargo_days": 1000}, {"test_share": 1e-9}])
def test_an_empty_side_is_an_error_that_names_the_setting(impossible):
    with pytest.raises(NotEnoughDataError, match=r"training\.first_index_date"):
        split(**impossible)


def test_an_empty_training_set_is_an_error():
    with pytest.raises(NotEnoughDataError, match="flow counts"):
        temporal_split(T[:0], PERSON[:0], IDS, embargo_days=1, test_months=1, test_share=0.5)
