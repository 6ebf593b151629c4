"""Every number of a report has a name that MLflow takes, and no two share one."""

from models.registry_numbers import flat, flat_counts, flat_metrics, shown
from tests.lib.promotions import sound_report


def test_every_interval_of_every_model_and_difference_is_there():
    found = flat_metrics(sound_report())
    assert [found[f"champion.auroc{end}"] for end in ("", ".low", ".high")] == [0.72, 0.71, 0.73]
    assert {
        "prior_absence.auroc.low",
        "roelen.auroc",
        "differences.roelen.net_benefit_at_0.20.high",
        "test.events",
    } <= {*found}
    assert "champion" not in found
    assert "synthetic" not in found


def test_what_is_no_finite_number_is_left_out():
    assert flat({"a": None, "b": float("nan"), "c": [1, 2], "d": True, "e": "x", "f": {"value": 1, "low": None}}) == {
        "f": 1.0
    }


def test_signs_that_mlflow_refuses_do_not_make_two_names_one():
    names = [*flat({"<30": 1, ">30": 2, "30": 3, "no consent, so none": 4, "a/../b": 5}, "age")]
    assert len({*names}) == 5
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-.: ") for name in names)


def test_counts_of_one_to_nine_are_no_metrics_and_no_tags():
    exits = {"left": 3, "lost": 0, "events": 9, "persons": 10, "rows": {"value": 4, "low": 2, "high": 12}}
    days = {"30": {"left_before_event": {"value": 0.03}}}
    found = flat({"competing_exits": exits | {"days": days}, "auroc": 1})
    assert found == {
        "competing_exits.lost": 0,
        "competing_exits.persons": 10,
        "competing_exits.rows.high": 12,
        "competing_exits.days.30.left_before_event": 0.03,
        "auroc": 1,
    }
    assert flat_counts({"no consent": 9, "under 18": 10, "burnt out": 1}, "flow") == {"flow.under 18": 10.0}
    assert [shown("events", 5), shown("events", 50), shown("folds", 5)] == ["<10", "50", "5"]
