import numpy as np
import pytest
from scipy.special import expit

from models.evaluation.suppression import TOO_SMALL
from models.monitoring.acted_upon import acted_upon


def world(contact: np.ndarray, works: float = 0.7, n: int = 20_000):
    """Calibrated risks; a contact prevents an event with probability ``works``."""
    random = np.random.default_rng(3)
    risks = expit(np.random.default_rng(2).normal(-1.0, 1.0, n))
    contacted = random.random(n) < contact
    y = (random.random(n) < risks) & ~(contacted & (random.random(n) < works))
    return risks, y * 1.0, contacted, np.arange(n)


RISKS = expit(np.random.default_rng(2).normal(-1.0, 1.0, 20_000))


def test_persons_not_contacted_show_what_the_risks_were_worth():
    found = acted_upon(*world(np.where(RISKS > 0.3, 0.8, 0.1)), repeats=50)
    untouched = acted_upon(*world(np.zeros(20_000)), repeats=50)["everybody"]
    assert found["everybody"]["observed_to_expected"]["high"] < 0.8
    assert found["not_contacted"]["observed_to_expected"]["value"] == pytest.approx(1.0, abs=0.08)
    assert found["everybody"]["auroc"]["high"] < untouched["auroc"]["low"]
    assert found["not_contacted"]["auroc"]["value"] == pytest.approx(untouched["auroc"]["value"], abs=0.02)
    assert found["if_every_contact_prevented"]["observed_to_expected"]["low"] > 1.0
    assert found["overlap"] == 1.0


def test_where_nobody_was_contacted_all_three_are_one():
    found = acted_upon(*world(np.zeros(20_000)), repeats=20)
    assert found["contacted"] == {"rows": 0, "persons": 0}
    assert found["not_contacted"] == found["if_every_contact_prevented"]
    assert found["not_contacted"]["auroc"] == found["everybody"]["auroc"]


def test_contacting_everybody_above_a_risk_leaves_no_overlap_there():
    cut = np.quantile(RISKS, 0.8)
    found = acted_upon(*world(np.where(cut <= RISKS, 1.0, 0.0)), repeats=20)
    assert found["overlap"] == pytest.approx(0.8)


def test_weights_by_hand():
    """20 rows in ten strata of two leave too few to stand for others; 100 rows leave ten each, half of them contacted."""
    risks, person = np.linspace(0.01, 0.99, 100), np.arange(100)
    contacted = person % 2 == 0
    y = (person % 4 == 1) * 1.0
    found = acted_upon(risks, y, contacted, person, repeats=20)
    assert found["overlap"] == 1.0
    own = ~contacted
    assert found["not_contacted"]["observed_to_expected"]["value"] == pytest.approx(y[own].sum() / risks[own].sum())
    few = acted_upon(risks[::5], y[::5], contacted[::5], person[::5])
    assert (few["overlap"], few["not_contacted"]) == (0.0, None)


def test_strata_are_weighted_back_to_everybody():
    """In the upper half 3 of 4 are contacted: those left count four times, so that risks add up as of everybody."""
    risks, person = np.linspace(0.05, 0.95, 2000), np.arange(2000)
    contacted = (risks > 0.5) & (person % 4 != 0)
    found = acted_upon(risks, (person % 8 == 0) * 1.0, contacted, person, repeats=20)
    # Of everybody 0.125 have it; in the upper half every row left is one of person % 4 == 0, of whom half have it.
    expected = (0.5 * 0.125 + 0.5 * 0.5) / 0.5
    assert found["not_contacted"]["observed_to_expected"]["value"] == pytest.approx(expected, rel=0.02)


def test_small_groups_are_not_told():
    y = (np.arange(60) < 5) * 1.0
    found = acted_upon(np.linspace(0.1, 0.5, 60), y, np.arange(60) < 12, np.arange(60), repeats=20)
    assert found["everybody"] is None
    assert found["why_not"]["everybody"] == TOO_SMALL
    assert found["if_every_contact_prevented"] is not None


def test_no_rows_are_no_error():
    nothing = np.array([])
    found = acted_upon(nothing, nothing, np.array([], dtype=bool), np.array([], dtype=int))
    assert (found["everybody"], found["overlap"]) == (None, None)
