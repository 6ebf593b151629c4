import struct
from typing import Any

from models.evaluation import group_figures
from models.evaluation.group_figures import draw_forest, draw_subgroups

ABOUT = {"outcome": "burnout", "champion": "short", "synthetic": True, "test": {"rows": 9, "persons": 3, "events": 1}}
SIZE = {"persons": 30, "rows": 90, "events": 20, "persons_with_event": 10}


def number(value: float, **others: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1} | others


def measured(value: float, **others: float) -> dict[str, Any]:
    return {"auroc": number(value, **others), "observed_to_expected": number(2 * value, **others),
            "calibration_slope": {"value": None, "low": None, "high": None}}  # fmt: skip


def forest(companies: int) -> dict[str, Any]:
    clusters = [{"number": place + 1, **SIZE, **measured(0.6 + place / 300)} for place in range(companies)]
    pooled = {"auroc": number(0.7, prediction_low=0.5, prediction_high=0.9)}
    found = {"clusters": clusters, "pooled": pooled, "not_shown": {"clusters": 3, **SIZE, **measured(0.7)}}
    return ABOUT | {"internal_external": {"by_company": found, "by_industry": {"reason": "1 industries: ..."}}}


def height(draw, report, path) -> int:
    draw(report, path)
    return struct.unpack(">II", path.read_bytes()[16:24])[1]


def test_equal_reports_are_equal_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        draw_forest(forest(1), tmp_path / "new" / name)
    assert len({path.read_bytes() for path in (tmp_path / "new").iterdir()}) == 1


def test_every_company_has_a_line_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(group_figures, "MOST_COMPANIES", 3)
    heights = [height(draw_forest, forest(n), tmp_path / f"{n}.png") for n in (2, 4, 9)]
    assert heights[0] < heights[1] == heights[2]


def test_a_validation_that_was_not_possible_is_drawn_too(tmp_path):
    draw_forest(ABOUT | {"internal_external": {"reason": "days"}}, tmp_path / "none.png")
    nothing = {"clusters": [], "pooled": {}, "not_shown": {"clusters": 9}, "reason": "none is large enough"}
    draw_forest(ABOUT | {"internal_external": {"by_company": nothing, "by_industry": nothing}}, tmp_path / "few.png")
    assert len(list(tmp_path.iterdir())) == 2


def subgroups(harm: list[dict[str, str]], **hidden: str) -> dict[str, Any]:
    groups = [{"name": "men", "label_en": "Men", "suppressed": None, **SIZE, **measured(0.6)},
              {"name": "women", "label_en": "Women", "suppressed": None, **SIZE, **measured(0.7)} | hidden]  # fmt: skip
    return ABOUT | {"subgroups": {"attributes": [{"name": "sex", "label_en": "Sex", "groups": groups}]}, "harm": harm}


def test_harm_is_marked_and_the_hidden_are_not_drawn(tmp_path):
    pictures = []
    for place, report in enumerate((subgroups([]), subgroups([{"attribute": "sex", "group": "women"}]),
                                    subgroups([], suppressed="fewer than 10"))):  # fmt: skip
        draw_subgroups(report, tmp_path / f"{place}.png")
        pictures.append((tmp_path / f"{place}.png").read_bytes())
    assert len(set(pictures)) == 3


def test_a_line_tells_persons_with_the_event_and_that_counts_of_companies_are_rounded(tmp_path, monkeypatch):
    drawn: list[str] = []
    monkeypatch.setattr(group_figures, "_draw", lambda lines, *others: drawn.extend(line.label for line in lines))
    draw_forest(forest(1), tmp_path / "a.png")
    draw_subgroups(subgroups([]), tmp_path / "b.png")
    assert {"company 1 (about 30 persons, 10 with the event)", "Men (30 persons, 10 with the event)",
            "not shown (3), together (about 30 persons, 10 with the event)"} <= set(drawn)  # fmt: skip
