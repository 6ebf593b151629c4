import numpy as np
import pytest

from models.monitoring.calibration_drift import CalibrationState, CalibrationTest
from models.monitoring.comparison import Shift
from models.monitoring.false_discovery import Alarm
from models.monitoring.proposal import LEAST_FALL, Findings, propose


def alarm(group: str, kind: str, difference: float = 0.4) -> Alarm:
    return Alarm(group, 0.001, (Shift(f"{group}_feature", kind, group, difference, 0.1, 0.7, 0.001, 50, 50),))


def moved(is_moved: bool = True) -> CalibrationState:
    return CalibrationTest(streams=1).update(
        0, np.full(200, 0.1), np.ones(200) if is_moved else np.repeat([1.0, 0], [20, 180])
    )


FALLEN = {"value": 0.60, "low": 0.55, "high": 0.65}


def test_nothing_found_nothing_proposed():
    held = {"value": 0.70, "low": 0.66, "high": 0.75}
    found = propose(Findings(calibration=moved(False), auroc=held, reference_auroc=0.72, groups_tested=12))
    assert (found.step, found.evidence) == ("nothing", ())
    assert propose(Findings()).step == "nothing"


HELD = {"value": 0.70, "low": 0.66, "high": 0.75}


def test_calibration_alone_speaks_for_recalibration():
    found = propose(Findings(calibration=moved(), auroc=HELD))
    assert found.step == found.calibration == "recalibrate"
    assert "200 events observed, 20.0 expected in 200 rows" in found.evidence[0][1]
    few = propose(Findings(calibration=moved()))  # too few persons for an AUROC: too few to say how many
    assert few.step == "recalibrate"
    assert "too few persons" in few.evidence[0][1]
    assert "200" not in few.evidence[0][1]


def acted(ratio: tuple[float, float], auroc: tuple[float, float] = (0.68, 0.76), bound: float = 1.4) -> dict:
    """What contacts may have done: intervals of those not contacted, and the upper end if every contact prevented."""
    low, high = ratio
    return {
        "contacted": {"rows": 80, "persons": 40},
        "not_contacted": {
            "observed_to_expected": {"value": (low + high) / 2, "low": low, "high": high},
            "auroc": {"value": sum(auroc) / 2, "low": auroc[0], "high": auroc[1]},
        },
        "if_every_contact_prevented": {"observed_to_expected": {"value": bound, "low": bound, "high": bound}},
    }


def too_few_events() -> CalibrationState:
    """40 of 200 were expected, and none came."""
    return CalibrationTest(streams=1).update(0, np.full(200, 0.2), np.zeros(200))


@pytest.mark.parametrize(
    ("acted_upon", "step"),
    [
        (None, "recalibrate"),  # nobody was contacted
        (acted((0.9, 1.1)), "nothing"),  # of those not contacted as many came as expected
        (acted((0.5, 0.8)), "recalibrate"),  # of those not contacted too few came as well
        (acted((0.9, 1.1), bound=0.9), "recalibrate"),  # more are lacking than were contacted
        (acted((0.9, 1.1)) | {"not_contacted": None}, "nothing"),  # it cannot be told
    ],
)
def test_a_programme_that_works_is_no_reason_to_recalibrate(acted_upon, step):
    found = propose(Findings(calibration=too_few_events(), auroc=HELD, acted_upon=acted_upon))
    assert (found.step, found.calibration) == (step, step)
    if step == "nothing":
        assert "40 persons were contacted after a score" in found.evidence[0][1]


def test_more_events_than_expected_are_not_what_contact_does():
    found = propose(Findings(calibration=moved(), auroc=HELD, acted_upon=acted((0.9, 1.1))))
    assert found.step == "recalibrate"


@pytest.mark.parametrize(("auroc", "step"), [((0.68, 0.76), "nothing"), ((0.50, 0.60), "retrain")])
def test_a_ranking_that_holds_among_those_not_contacted_is_no_reason_to_retrain(auroc, step):
    found = propose(Findings(auroc=FALLEN, reference_auroc=0.72, acted_upon=acted((0.9, 1.1), auroc)))
    assert (found.step, found.performance) == (step, step)


def test_a_fallen_ranking_comes_before_calibration():
    found = propose(Findings(calibration=moved(), auroc=FALLEN, reference_auroc=0.72))
    assert found.step == "retrain"
    assert [step for step, _ in found.evidence] == ["retrain", "recalibrate"]
    assert "0.600 (0.550 to 0.650)" in found.evidence[0][1]


@pytest.mark.parametrize(
    ("reference", "step"), [(0.65 + LEAST_FALL + 0.001, "retrain"), (0.65 + LEAST_FALL - 0.001, "nothing")]
)
def test_a_fall_within_its_interval_is_none(reference, step):
    assert propose(Findings(auroc=FALLEN, reference_auroc=reference)).step == step


def test_an_auroc_without_an_interval_says_nothing():
    assert propose(Findings(auroc={"value": 0.5, "low": None, "high": None}, reference_auroc=0.8)).step == "nothing"


@pytest.mark.parametrize(("tested", "step"), [(6, "retrain"), (7, "nothing")])
def test_many_groups_speak_for_retraining_few_do_not(tested, step):
    found = propose(Findings(input_alarms=[alarm("survey", "level"), alarm("work", "level")], groups_tested=tested))
    assert found.step == step


def test_the_source_comes_first():
    """Retraining on data that are late or missing makes a worse model."""
    everything = Findings(
        input_alarms=[alarm("laboratory", "missing", 0.25), alarm("survey", "level")], groups_tested=2,
        late_tables=["absences"], calibration=moved(), auroc=FALLEN, reference_auroc=0.8,
    )  # fmt: skip
    found = propose(everything)
    assert found.step == "look at the source"
    assert [step for step, _ in found.evidence] == ["look at the source"] * 2 + ["retrain", "retrain", "recalibrate"]
    assert found.evidence[0][1] == "Records of absences arrive later than they did, or not at all."
    assert found.evidence[1][1] == (
        "laboratory: laboratory_feature is missing 25 percentage points more often than in the reference."
    )
    assert "less often" in propose(Findings(input_alarms=[alarm("work", "missing", -0.2)])).evidence[0][1]
