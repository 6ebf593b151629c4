import numpy as np
import pytest

from data_contracts.errors import NotEnoughDataError
from models import booster
from models.risk_model import RiskModel
from models.shap_summary import draw_summary, shap
from tests.lib.models import boosted_model, linear_model, random_rows


def by_tree_explainer(model: RiskModel, X: np.ndarray) -> np.ndarray:
    """The contributions of boosted trees once more, as shap computes them; the base in the last column."""
    explainer = shap.TreeExplainer(booster.parse(model.booster_text))
    # Left alone, shap asks LightGBM for the very numbers that are to be checked; "internal" makes it walk the trees.
    explainer.model.model_type = "internal"
    values = np.asarray(explainer.shap_values(X))
    base = np.full((len(X), 1), float(np.ravel(explainer.expected_value)[-1]))
    terms = model.recalibration_slope * np.concatenate([values, base], axis=1)
    terms[:, -1] += model.recalibration_intercept
    return terms


def test_the_contributions_that_are_served_are_shaps():
    rows = random_rows(30)
    served = boosted_model().contributions(rows)
    assert by_tree_explainer(boosted_model(), rows) == pytest.approx(served, abs=1e-9)
    assert served.sum(axis=1) == pytest.approx(boosted_model().log_odds(rows), abs=1e-9)


@pytest.mark.parametrize("model", [linear_model(), boosted_model()], ids=["linear", "lightgbm"])
def test_the_picture_is_the_same_bytes_every_time_and_disturbs_no_other_draw(model, tmp_path):
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    for name in ("a.png", "b.png"):
        draw_summary(model, random_rows(60), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002


def test_too_few_rows_could_show_a_person(tmp_path):
    with pytest.raises(NotEnoughDataError, match="could show a person"):
        draw_summary(linear_model(), random_rows(19), tmp_path / "a.png")
