"""Work on two threads: the same results in the same order, and no piece that disturbs another."""

import threading
import time
import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from models.estimators import TreesEstimator, TreeSize, grow, grown_by
from models.estimators.trees import BinnedRows
from models.side_by_side import memory_of_this_machine, side_by_side, without_expected_warnings, workers


def test_results_come_in_the_order_of_the_items_however_long_each_takes():
    def slow(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    assert list(side_by_side(slow, [0.05, 0.0, 0.02, 0.0])) == [0.05, 0.0, 0.02, 0.0]


@pytest.mark.parametrize(("own", "file"), [
    ("0::/", "memory.max"),
    ("0::/system.slice/train.service", "system.slice/train.service/memory.max"),
    ("0::/system.slice/train.service", "system.slice/memory.max"),
    ("5:cpu,cpuacct:/\n4:memory:/docker/abc", "memory/docker/abc/memory.limit_in_bytes"),
    ("4:memory:/docker/abc", "memory/memory.limit_in_bytes"),
])  # fmt: skip
def test_the_memory_of_a_container_or_a_service_is_its_own_share(tmp_path, own, file):
    limit, told = tmp_path / "groups" / file, tmp_path / "own"
    limit.parent.mkdir(parents=True)
    told.write_text(own)
    whole = memory_of_this_machine(tmp_path / "groups", told)
    assert whole > 2**28
    for said, found in (("max\n", whole), (f"{2**27}\n", 2**27), (f"{2**60}\n", whole)):
        limit.write_text(said)
        assert memory_of_this_machine(tmp_path / "groups", told) == found
    assert memory_of_this_machine(tmp_path / "groups", tmp_path / "no Linux") == whole


def test_two_pieces_run_at_the_same_time_and_one_inside_another_does_not_start_more():
    both = threading.Barrier(2, timeout=10)

    def meets(piece: int) -> list[str]:
        both.wait()
        return list(side_by_side(lambda inner: threading.current_thread().name, [1, 2]))

    found = list(side_by_side(meets, [1, 2]))
    assert all(len(set(names)) == 1 for names in found)


def test_one_worker_works_in_the_callers_thread():
    with workers(1):
        found = set(side_by_side(lambda piece: threading.current_thread(), range(3)))
    assert found == {threading.current_thread()}


def test_every_piece_has_one_thread_for_its_sums_and_the_limit_ends_with_the_work():
    before = [one["num_threads"] for one in threadpool_info()]
    seen = list(side_by_side(lambda piece: max(one["num_threads"] for one in threadpool_info()), range(4)))
    assert seen == [1, 1, 1, 1]
    assert [one["num_threads"] for one in threadpool_info()] == before


def test_the_error_of_a_piece_is_raised_and_what_waits_is_not_begun():
    begun = []

    def fails(piece: int) -> None:
        begun.append(piece)
        time.sleep(0.02)
        raise ValueError(f"piece {piece}")

    with pytest.raises(ValueError, match="piece 0"):
        list(side_by_side(fails, range(50)))
    assert len(begun) < 10


def test_who_leaves_first_does_not_take_the_silence_from_who_is_still_inside():
    """The mistake of two overlapping ``warnings.catch_warnings``: the second thread warns, or nobody ever does again."""
    entered, left = threading.Event(), threading.Event()

    def first() -> None:
        with without_expected_warnings():
            entered.set()
            time.sleep(0.01)
        left.set()

    other = threading.Thread(target=first)
    other.start()
    entered.wait()
    with without_expected_warnings():
        left.wait()
        warnings.warn("Missing values detected", UserWarning, stacklevel=1)
    other.join()
    with pytest.warns(UserWarning, match="Missing values"):
        warnings.warn("Missing values detected", UserWarning, stacklevel=1)


def test_trees_have_the_same_bits_grown_two_at_a_time_or_one_after_the_other():
    random = np.random.default_rng(5)
    X = random.normal(size=(3000, 20)).astype(np.float32)
    y = (random.random(3000) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)

    def text(seed: int) -> str:
        return str(TreesEstimator(TreeSize(n_estimators=20), seed=seed).fit(X, y, np.ones(3000)).parts_["booster_text"])

    together = list(side_by_side(text, range(4)))
    with workers(1):
        assert list(side_by_side(text, range(4))) == together
    assert len(set(together)) == 4


def test_trees_grown_elsewhere_are_grown_one_after_the_other():
    """A cluster that is given two fits at a time mixes up their parts."""
    inside, most = [], []

    def elsewhere(*arguments) -> str:
        inside.append(1)
        most.append(len(inside))
        text = grow(*arguments)
        inside.pop()
        return text

    X, y = np.random.default_rng(1).normal(size=(400, 3)).astype(np.float32), np.arange(400) % 2.0
    fit = TreesEstimator(TreeSize(n_estimators=3)).fit
    with grown_by(elsewhere):
        list(side_by_side(lambda piece: fit(X, y, np.ones(400)).parts_, range(4)))
    assert most == [1, 1, 1, 1]


def test_rows_that_are_binned_once_give_the_trees_of_a_fit_to_them():
    """All rows: the same bits. Some: a label or weight of other rows would show in the trees."""
    random = np.random.default_rng(5)
    # Few values, so that the bins of some rows are those of all.
    X = np.round(random.normal(size=(2000, 4)), 1).astype(np.float32)
    y, weight = (random.random(2000) < 1 / (1 + np.exp(-X[:, 0]))).astype(float), random.uniform(0.5, 2, 2000)
    estimator = TreesEstimator(TreeSize(n_estimators=10))
    binned = BinnedRows(estimator, X)

    def trees(fitted: TreesEstimator) -> str:
        return fitted.parts_["booster_text"].partition("end of trees")[0]

    everybody = np.arange(2000)
    assert trees(binned.fitted(everybody, y, weight)) == trees(estimator.fit(X, y, weight))
    some = np.flatnonzero(random.random(2000) < 0.6)
    direct = TreesEstimator(TreeSize(n_estimators=10)).fit(X[some], y[some], weight[some])
    found = binned.fitted(some, y[some], weight[some])
    assert found.decision_function(X) == pytest.approx(direct.decision_function(X), abs=0.15)
    drawn = list(side_by_side(lambda _: trees(binned.fitted(some, y[some], weight[some])), range(3)))
    assert drawn == [trees(found)] * 3
