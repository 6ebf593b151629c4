import numpy as np
import pytest
from scipy.special import expit

from models.evaluation.suppression import TOO_SMALL
from models.monitoring.acted_upon import LANDMARK_DAYS, acted_upon


def judged(risks, y, contacted, person, **others):
    """Contacts on the index date, events at the end of the horizon: the landmark leaves everything as it is."""
    after, followed = np.where(contacted, 0.0, np.inf), np.full(len(y), 365)
    return acted_upon(risks, y, after, followed, person, **others)


def world(contact: np.ndarray, works: float = 0.7, n: int = 20_000):
    """Calibrated risks; a contact prevents an event with probability ``works``."""
    random = np.random.default_rng(3)
    risks = expit(np.random.default_rng(2).normal(-1.0, 1.0, n))
    contacted = random.random(n) < contact
    y = (random.random(n) < risks) & ~(contacted & (random.random(n) < works))
    return risks, y * 1.0, contacted, np.arange(n)


RISKS = expit(np.random.default_rng(2).normal(-1.0, 1.0, 20_000))


def test_persons_not_contacted_show_what_the_risks_were_worth():
    found = judged(*world(np.where(RISKS > 0.3, 0.8, 0.1)), repeats=50)
    untouched = judged(*world(np.zeros(20_000)), repeats=50)["everybody"]
    assert found["everybody"]["observed_to_expected"]["high"] < 0.8
    assert found["not_contacted"]["observed_to_expected"]["value"] == pytest.approx(1.0, abs=0.08)
    assert found["everybody"]["auroc"]["high"] < untouched["auroc"]["low"]
    assert found["not_contacted"]["auroc"]["value"] == pytest.approx(untouched["auroc"]["value"], abs=0.02)
    assert found["if_every_contact_prevented"]["observed_to_expected"]["low"] > 1.0
    assert found["overlap"] == 1.0


def test_where_nobody_was_contacted_all_are_one():
    found = judged(*world(np.zeros(20_000)), repeats=20)
    assert found["contacted"] == {"rows": 0, "persons": 0}
    assert found["not_contacted"] == found["everybody"] == found["everybody_from_landmark"]
    ratio = found["everybody"]["observed_to_expected"]
    # Who else would have had the event bounds how many have it; how they would rank it does not.
    assert found["if_every_contact_prevented"] == {"observed_to_expected": ratio}


def test_contacting_everybody_above_a_risk_leaves_no_overlap_there():
    cut = np.quantile(RISKS, 0.8)
    found = judged(*world(np.where(cut <= RISKS, 1.0, 0.0)), repeats=20)
    assert found["overlap"] == pytest.approx(0.8)


def test_weights_by_hand():
    """20 rows in ten strata of two leave too few to stand for others; 100 rows leave ten each, half of them contacted."""
    risks, person = np.linspace(0.01, 0.99, 100), np.arange(100)
    contacted = person % 2 == 0
    y = (person % 4 == 1) * 1.0
    found = judged(risks, y, contacted, person, repeats=20)
    assert found["overlap"] == 1.0
    own = ~contacted
    assert found["not_contacted"]["observed_to_expected"]["value"] == pytest.approx(y[own].sum() / risks[own].sum())
    few = judged(risks[::5], y[::5], contacted[::5], person[::5])
    assert (few["overlap"], few["not_contacted"]) == (0.0, None)


def test_strata_are_weighted_back_to_everybody():
    """In the upper half 3 of 4 are contacted: those left count four times, so that risks add up as of everybody."""
    risks, person = np.linspace(0.05, 0.95, 2000), np.arange(2000)
    contacted = (risks > 0.5) & (person % 4 != 0)
    found = judged(risks, (person % 8 == 0) * 1.0, contacted, person, repeats=20)
    # Of everybody 0.125 have it; in the upper half every row left is one of person % 4 == 0, of whom half have it.
    expected = (0.5 * 0.125 + 0.5 * 0.5) / 0.5
    assert found["not_contacted"]["observed_to_expected"]["value"] == pytest.approx(expected, rel=0.02)


def test_small_groups_are_not_told():
    y = (np.arange(60) < 5) * 1.0
    found = judged(np.linspace(0.1, 0.5, 60), y, np.arange(60) < 12, np.arange(60), repeats=20)
    assert found["everybody"] is None
    assert found["why_not"]["everybody"] == TOO_SMALL
    assert found["if_every_contact_prevented"] is not None


def test_no_rows_are_no_error():
    nothing = np.array([])
    found = judged(nothing, nothing, np.array([], dtype=bool), np.array([], dtype=int))
    assert (found["everybody"], found["overlap"]) == (None, None)


def test_contacts_that_do_nothing_change_nothing_whenever_they_come():
    """Contacts come on any day, more often at high risk, and not after the event: who had it early was not contacted."""
    random, n = np.random.default_rng(5), 20_000
    # At a constant rate, so that the risks of what is left of the year are known.
    day = np.ceil(random.exponential(-365 / np.log(1 - RISKS)))
    y, followed = (day <= 365) * 1.0, np.minimum(day, 365).astype(int)
    after = np.where(random.random(n) < 0.2 + 0.7 * RISKS, np.floor(random.random(n) * 365), np.inf)
    after[after >= followed] = np.inf
    found = acted_upon(RISKS, y, after, followed, np.arange(n), horizon_days=365, repeats=50)
    ratios = {name: found[name]["observed_to_expected"]["value"] for name in SETS}
    assert ratios == {name: pytest.approx(1.0, abs=0.04) for name in SETS}
    assert found["not_contacted"]["auroc"]["value"] == pytest.approx(
        found["everybody_from_landmark"]["auroc"]["value"], abs=0.01
    )
    # What the landmark is for: of those never contacted before the event, too many had it.
    never = np.isinf(after)
    assert y[never].sum() / RISKS[never].sum() > 1.2


SETS = ("everybody", "everybody_from_landmark", "not_contacted")


def test_rows_with_the_event_before_the_landmark_are_left_out_and_late_contacts_are_none():
    """100 alike, 28 days: events on day 27 (10 rows), on day 28 (20 rows); contacts on day 27 (30 rows) and 28 (20 rows)."""
    place = np.arange(100)
    y, followed = (place < 30) * 1.0, np.select([place < 10, place < 30], [27, 28], 365)
    after = np.select(
        [(place >= 30) & (place < 60), (place >= 60) & (place < 80)], [LANDMARK_DAYS - 1.0, LANDMARK_DAYS], np.inf
    )
    # Alternating, so that every tenth of risk has its share of all.
    risks = 0.3 + 1e-6 * (place * 37 % 100)
    found = acted_upon(risks, y, after, followed, place, repeats=20)
    assert found["contacted"] == {"rows": 50, "persons": 50}
    assert found["everybody"]["observed_to_expected"]["value"] == pytest.approx(30 / 30, rel=1e-3)
    assert found["everybody_from_landmark"]["observed_to_expected"]["value"] == pytest.approx(20 / 27, rel=1e-3)
    assert found["not_contacted"]["observed_to_expected"]["value"] == pytest.approx(20 / 60 / 0.3, rel=0.1)
    assert found["if_every_contact_prevented"]["observed_to_expected"]["value"] == pytest.approx(80 / 30, rel=1e-3)


def test_the_risk_of_the_rest_of_the_year_by_hand():
    """At a constant rate 0.5 in a year is 1 - 0.5 ** (337 / 365) = 0.4727 in what is left after 28 days."""
    y = (np.arange(100) < 20) * 1.0
    followed, never = np.where(y > 0, 100, 365), np.full(100, np.inf)
    found = acted_upon(np.full(100, 0.5), y, never, followed, np.arange(100), horizon_days=365, repeats=20)
    assert found["everybody"]["observed_to_expected"]["value"] == pytest.approx(0.4)
    assert found["everybody_from_landmark"]["observed_to_expected"]["value"] == pytest.approx(20 / 47.27, rel=1e-3)


def test_rows_count_by_their_weights():
    y = (np.arange(100) < 20) * 1.0
    found = judged(np.full(100, 0.2), y, np.zeros(100, dtype=bool), np.arange(100), weight=1 + y, repeats=20)
    assert found["everybody"]["observed_to_expected"]["value"] == pytest.approx(40 / (0.2 * 120))
    assert found["not_contacted"] == found["everybody"]
