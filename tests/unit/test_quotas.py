"""Explanations are counted by caller; the count cannot be shaken off by clocks, threads or many names."""

from __future__ import annotations

import threading

import pytest

from serving.access import quotas
from serving.access.policy import Action
from serving.access.quotas import DENIED, LIMITS, Quotas, Rate


@pytest.fixture
def clock():
    return [1000.0]


def quotas_at(clock, **limits):
    chosen = {Action(name): rate for name, rate in limits.items()} or LIMITS
    return Quotas(chosen, now=lambda: clock[0])


def taken(counter, times, subject="ann", action=Action.EXPLAIN):
    return sum(counter.take(subject, action) is None for _ in range(times))


@pytest.mark.parametrize(("action", "a_minute"), [(Action.EXPLAIN, 60), (Action.WHAT_IF, 30)])
def test_over_an_hour_nobody_gets_more_than_the_rate(clock, action, a_minute):
    counter = quotas_at(clock)
    got = 0
    for _ in range(3600 * 2):
        got += taken(counter, 3, action=action)
        clock[0] += 0.5
    burst = LIMITS[action].burst
    assert 60 * a_minute <= got <= 60 * a_minute + burst
    assert burst <= a_minute


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_all_workers_together_give_the_rate_and_each_a_burst(clock, workers):
    """Counted whole in each process, two workers gave twice what access.md says."""
    counters = [Quotas({Action.EXPLAIN: Rate(60, 20)}, now=lambda: clock[0], workers=workers) for _ in range(workers)]
    assert [taken(counter, 30) for counter in counters] == [20] * workers, "a caller who stays with one has the burst"
    got = 0
    for _ in range(600):
        clock[0] += 1.0
        got += sum(taken(counter, 3) for counter in counters)
    assert 600 - workers <= got <= 600
    wait = counters[0].take("ann", Action.EXPLAIN)
    clock[0] += wait + 0.01
    assert counters[0].take("ann", Action.EXPLAIN) is None, "the wait that is told is that of this process"


def test_the_wait_that_is_told_is_the_wait_that_is_needed(clock):
    counter = quotas_at(clock, explain=Rate(60, 2))
    assert taken(counter, 5) == 2
    wait = counter.take("ann", Action.EXPLAIN)
    assert wait == pytest.approx(1.0)
    clock[0] += wait - 0.01
    assert counter.take("ann", Action.EXPLAIN) is not None
    clock[0] += 0.02
    assert counter.take("ann", Action.EXPLAIN) is None


def test_asking_while_refused_costs_nothing(clock):
    counter = quotas_at(clock, explain=Rate(60, 1))
    taken(counter, 1000)
    clock[0] += 1.0
    assert counter.take("ann", Action.EXPLAIN) is None


def test_callers_and_actions_are_counted_apart(clock):
    counter = quotas_at(clock, explain=Rate(60, 1), what_if=Rate(60, 1))
    assert taken(counter, 2) == 1
    assert taken(counter, 2, subject="bob") == 1
    assert taken(counter, 2, action=Action.WHAT_IF) == 1


def test_a_pause_saves_up_no_more_than_the_burst(clock):
    counter = quotas_at(clock, explain=Rate(60, 5))
    taken(counter, 1)
    clock[0] += 1e9
    assert taken(counter, 100) == 5


def test_a_clock_that_goes_back_gives_nothing_and_locks_nobody_out(clock):
    counter = quotas_at(clock, explain=Rate(60, 1))
    assert taken(counter, 1) == 1
    clock[0] -= 900.0
    assert taken(counter, 1) == 0
    clock[0] += 1.0
    assert taken(counter, 1) == 1


def test_risks_have_no_quota(clock):
    counter = quotas_at(clock)
    assert taken(counter, 20_000, action=Action.SCORE) == 20_000


def test_all_without_a_token_share_one_count_and_take_none_of_the_callers(clock):
    counter = quotas_at(clock)
    assert sum(counter.take_denied("") is None for _ in range(DENIED.burst + 50)) == DENIED.burst
    wait = counter.take_denied("")
    assert wait is not None
    assert 0 < wait <= 60 / DENIED.per_minute
    assert counter.take("", Action.EXPLAIN) is None
    clock[0] += 60.0
    assert counter.take_denied("") is None


def test_memory_is_bounded_and_the_busy_are_not_forgotten(clock, monkeypatch):
    monkeypatch.setattr(quotas, "MOST_CALLERS", 100)
    counter = quotas_at(clock, explain=Rate(0.001, 1))
    counter.take("ann", Action.EXPLAIN)
    for number in range(1000):
        counter.take(f"caller-{number}", Action.EXPLAIN)
        assert counter.take("ann", Action.EXPLAIN) is not None, "a crowd has made the service forget"
    assert len(counter._buckets) == 100


def test_threads_take_no_more_than_there_is(clock):
    counter = quotas_at(clock, explain=Rate(60, 500))
    got = []
    threads = [threading.Thread(target=lambda: got.append(taken(counter, 400))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 500
