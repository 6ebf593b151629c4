import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from models.estimators import Candidate
from models.estimators.linear import LinearEstimator
from models.evaluation.cluster_folds import INDUSTRY
from models.evaluation.internal_external import Rows, _summary, internal_external, out_of_cluster
from models.outcomes.long_sick_leave import LongSickLeave
from models.risk_model import risk_of
from tests.lib.cohorts import random_training_set, split_of

PLAIN = random_training_set(1600)
SPLIT = split_of(PLAIN)
CANDIDATE = Candidate("short", ("was_work_ability", "days_doctor_365"), (LinearEstimator(),))


def with_industries(training_set):
    """Everybody of a company in one of two industries."""
    names = training_set.feature_names.tolist()
    columns = [place for place, name in enumerate(names) if name.startswith(INDUSTRY)]
    X = training_set.X.copy()
    X[:, columns] = 0
    X[np.arange(len(X)), np.array(columns)[training_set.company % 2]] = 1
    return replace(training_set, X=X)


DATA = with_industries(PLAIN)


@pytest.fixture(scope="module")
def found():
    return internal_external(DATA, SPLIT, CANDIDATE, LongSickLeave())


def test_a_model_of_what_companies_share_holds_in_companies_it_has_not_seen(found):
    pooled = found["by_company"]["pooled"]
    assert pooled["auroc"]["clusters"] == 20
    assert pooled["auroc"]["low"] > 0.65
    for name in ("observed_to_expected", "calibration_slope"):
        assert pooled[name]["low"] < 1 < pooled[name]["high"]
    for number in pooled.values():
        assert number["prediction_low"] <= number["low"] < number["value"] < number["high"] <= number["prediction_high"]


def test_companies_have_numbers_and_no_names(found):
    text = json.dumps(found, allow_nan=False)
    assert "company-0" not in text
    assert "person-" not in text
    clusters = found["by_company"]["clusters"]
    assert [one["number"] for one in clusters] == list(range(1, 21))
    assert [one["persons"] for one in clusters] == sorted((one["persons"] for one in clusters), reverse=True)
    assert all("name" not in one and one["persons"] >= 20 and one["persons_with_event"] >= 10 for one in clusters)


def test_counts_of_a_company_are_rounded_and_its_numbers_too(found):
    for one in [*found["by_company"]["clusters"], *found["by_industry"]["clusters"]]:
        assert {one[name] % 5 for name in ("persons", "rows", "events", "persons_with_event")} == {0}
        for name in ("auroc", "observed_to_expected", "calibration_slope"):
            assert all(end == round(end, 3) for end in one[name].values())


def in_groups(*persons: int) -> tuple[Rows, np.ndarray]:
    """Four rows per person, in groups of so many persons of whom a third has the event, at two dates; and their risks."""
    group = np.repeat(np.arange(len(persons)), persons)
    person = np.repeat(np.arange(len(group)), 4)
    had = (np.arange(len(group)) % 3 == 0)[person]
    y = (had & (np.tile(np.arange(4), len(group)) < 2)).astype(float)
    linear = np.where(had, -0.5, -2.0) + np.random.default_rng(1).normal(0, 1, len(y))
    return Rows(np.zeros((len(y), 1)), y, np.ones(len(y)), person, np.ones(len(y), dtype=bool)), linear, group[person]


def summary(*persons: int, unknown: int = -1) -> dict:
    rows, linear, group = in_groups(*persons)
    group = np.where(group == unknown, -1, group)
    linear = np.where(group < 0, np.nan, linear)
    return _summary(rows, linear, group, dict(enumerate("abcdef")))


def names(found: dict) -> list[str]:
    return sorted(one["name"] for one in found["clusters"])


def test_one_small_cluster_cannot_be_worked_out_from_the_total():
    assert names(summary(300, 240, 200)) == ["a", "b", "c"]
    found = summary(300, 240, 200, 9)
    assert names(found) == ["a", "b"]
    assert found["not_shown"]["clusters"] == 2
    assert found["not_shown"]["persons"] == 210
    assert found["pooled"]["auroc"]["clusters"] == 3


def test_a_few_persons_of_no_cluster_cannot_be_worked_out_either():
    found = summary(300, 240, 200, 9, unknown=3)
    assert names(found) == ["a", "b"]
    assert set(found["not_shown"]) == {"clusters"}


def test_no_small_cluster_of_the_average_is_hidden_alone():
    """Enough events are expected of c, and too few persons had one: the average less a, b and d would tell its numbers."""
    rows, linear, group = in_groups(300, 240, 200, 220, 150)
    group = np.where(group == 4, -1, group)  # enough persons of no cluster, so that c could hide among them
    few = (group == 2) & (rows.person >= np.unique(rows.person[group == 2])[25])
    y = np.where(few, 0.0, rows.y)
    found = _summary(replace(rows, y=y), linear, group, dict(enumerate("abcdef")))
    assert found["pooled"]["observed_to_expected"]["clusters"] == 4
    assert found["pooled_but_not_shown"] == 2
    assert names(found) == ["a", "b"]


def test_an_average_of_one_hidden_cluster_is_none():
    rows, linear, group = in_groups(200, 6, 6)
    y = np.where(rows.person > 25, 0.0, rows.y)
    found = _summary(replace(rows, y=y), linear, group, {})
    assert (found["clusters"], found["pooled"], found["pooled_but_not_shown"]) == ([], {}, 1)


def test_industries_have_names(found):
    names = [name.removeprefix(INDUSTRY) for name in DATA.feature_names.tolist() if name.startswith(INDUSTRY)]
    assert {one["name"] for one in found["by_industry"]["clusters"]} == set(names[:2])


def test_only_training_rows_with_a_label_take_part(found):
    assert found["rows"] == found["rows_learnt_from"] == DATA.observed[SPLIT.train].sum()
    y = DATA.y.copy()
    y[SPLIT.test] = 1 - y[SPLIT.test]
    assert internal_external(replace(DATA, y=y), SPLIT, CANDIDATE, LongSickLeave()) == found


def test_a_company_that_is_worse_off_is_seen():
    y = DATA.y.copy()
    of_two = np.isin(DATA.company, (4, 9)) & DATA.observed
    y[of_two] = np.random.default_rng(1).random(len(DATA.person_ids))[DATA.person[of_two]] < 0.5
    changed = internal_external(replace(DATA, y=y), SPLIT, CANDIDATE, LongSickLeave())["by_company"]
    ratios = sorted(one["observed_to_expected"]["value"] for one in changed["clusters"])
    assert ratios[-2] > 1.7 > 1.5 > ratios[-3]
    assert changed["pooled"]["observed_to_expected"]["prediction_high"] > 1.5


def test_small_companies_count_together_and_are_not_shown():
    """One company of seven persons, and one of some more of whom too few have the event."""
    company = DATA.company.copy()
    company[DATA.person < 7] = 0
    company[(DATA.person >= 7) & (DATA.person < 27)] = 1
    company[DATA.person >= 27] = 2 + DATA.person[DATA.person >= 27] % 18
    found = internal_external(replace(DATA, company=company), SPLIT, CANDIDATE, LongSickLeave())["by_company"]
    hidden = found["not_shown"]["clusters"]
    assert hidden >= 2
    assert len(found["clusters"]) == 20 - hidden
    assert min(one["persons"] for one in found["clusters"]) >= 20


def test_where_all_are_small_it_says_so_and_judges_them_together():
    tiny = replace(DATA, company=DATA.person // 5)
    ids = np.array([f"company-{one}" for one in range(320)])
    found = internal_external(replace(tiny, company_ids=ids), SPLIT, CANDIDATE, LongSickLeave())["by_company"]
    assert found["clusters"] == []
    assert "10 independent rows" in found["reason"]
    assert found["not_shown"]["auroc"]["value"] > 0.65


def test_one_company_or_days_have_a_reason():
    alone = replace(DATA, company=np.zeros_like(DATA.company))
    assert internal_external(alone, SPLIT, CANDIDATE, LongSickLeave())["by_company"] == {
        "reason": "1 companies: at least 2 are needed to leave some out."
    }

    class Days(LongSickLeave):
        target = "days"

    assert "days" in internal_external(DATA, SPLIT, CANDIDATE, Days())["reason"]


class Watchful(BaseEstimator):
    """Refuses to be asked about anybody from whom it has learnt."""

    def fit(self, X, y, sample_weight, *, groups):
        assert np.array_equal(
            groups, X[:, 0]
        )  # the rows of one person are not independent: it must know whose they are
        self.seen_ = X[:, 0]
        return self

    def decision_function(self, X):
        assert not np.isin(X[:, 0], self.seen_).any()
        return np.sin(X[:, 0])


def test_nobody_who_moves_between_companies_is_on_both_sides():
    random = np.random.default_rng(2)
    person = np.repeat(np.arange(200), 2)
    cluster = random.integers(-1, 6, 400)
    y = (random.random(400) < 0.4).astype(np.float64)
    rows = Rows(person[:, None].astype(np.float32), y, np.ones(400), person, np.ones(400, dtype=bool))
    linear = out_of_cluster(rows, cluster, Candidate("watchful", ("id",), (Watchful(),)), 3)
    assert (np.isnan(linear) == (cluster < 0)).all()


def test_without_events_in_the_rest_nothing_is_learnt():
    """All events are in one company."""
    cluster = np.repeat([0, 1], 100)
    rows = Rows(
        np.zeros((200, 1)), (cluster == 0).astype(float), np.ones(200), np.arange(200), np.ones(200, dtype=bool)
    )
    assert out_of_cluster(rows, cluster, CANDIDATE, 2) is None


def test_the_line_of_a_fold_comes_from_the_other_folds():
    """What is common in one company is told to the other: nobody's own events set the level of the own risks."""
    cluster, person = np.repeat([0, 1], 1000), np.arange(2000)
    y = (np.random.default_rng(3).random(2000) < np.where(cluster == 0, 0.2, 0.6)).astype(np.float64)
    rows = Rows(person[:, None].astype(np.float32), y, np.ones(2000), person, np.ones(2000, dtype=bool))
    risks = risk_of(out_of_cluster(rows, cluster, Candidate("watchful", ("id",), (Watchful(),)), 2))
    assert [risks[cluster == one].mean() for one in (0, 1)] == pytest.approx([0.6, 0.2], abs=0.05)


class AsItIs(Watchful):
    """Serves what it says, without a line."""

    recalibrates = False


def test_what_is_served_without_a_line_is_judged_without_one():
    cluster, person = np.repeat([0, 1, -1], 100), np.arange(300)
    y = (np.random.default_rng(3).random(300) < 0.4).astype(np.float64)
    rows = Rows(person[:, None].astype(np.float32), y, np.ones(300), person, np.ones(300, dtype=bool))
    linear = out_of_cluster(rows, cluster, Candidate("as_it_is", ("id",), (AsItIs(),)), 2)
    assert linear[:200] == pytest.approx(np.sin(person[:200]), abs=1e-6)
    assert np.isnan(linear[200:]).all()
