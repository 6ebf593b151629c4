from copy import deepcopy

import pytest

from models.evaluation.capacity import capacity
from models.evaluation.decision_figures import draw_decision_curve
from models.evaluation.net_benefit import decision_curve
from tests.lib.held_out_rows import held_out_rows

ROWS = held_out_rows()


@pytest.fixture(scope="module")
def report():
    return {
        "outcome": "long_sick_leave", "champion": "good", "synthetic": True,
        "test": {"rows": len(ROWS), "persons": 600, "events": int(ROWS.y.sum())},
        "decision_curve": decision_curve(ROWS, repeats=20), "capacity": capacity(ROWS, repeats=20),
    }  # fmt: skip


def drawn(report, path) -> bytes:
    draw_decision_curve(report, path)
    return path.read_bytes()


def test_equal_reports_are_equal_bytes_and_others_are_not(report, tmp_path):
    first = drawn(report, tmp_path / "new" / "a.png")
    assert first.startswith(b"\x89PNG")
    assert first == drawn(report, tmp_path / "b.png")
    other = deepcopy(report)
    other["decision_curve"]["net_benefit"]["good"]["value"][3] += 0.02
    assert first != drawn(other, tmp_path / "c.png")


def test_a_number_that_does_not_exist_leaves_a_gap(report, tmp_path):
    other = deepcopy(report)
    nothing = {"value": None, "low": None, "high": None}
    other["capacity"]["by_alerts"][0] |= {"ppv": nothing, "number_needed_to_talk_to": nothing}
    assert drawn(other, tmp_path / "gap.png").startswith(b"\x89PNG")
