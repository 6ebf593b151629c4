"""Every number of a report has a name that MLflow takes, and no two share one."""

from models.registry_numbers import flat, flat_metrics
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
