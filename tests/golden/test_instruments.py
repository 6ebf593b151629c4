"""Every instrument against its published scoring key: sheets small enough to score by hand."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.instruments import INSTRUMENTS, score

BLANK = float("nan")
CLIENT_BLANK = [BLANK] * 6


def scale_scores(name: str, sheet: list[float]) -> dict[str, float]:
    instrument = INSTRUMENTS[name]
    row = score(instrument, np.array([sheet], dtype=float))[0]
    return dict(zip((scale.name for scale in instrument.scales), row.tolist(), strict=True))


def cbi(personal: list[float], work: list[float], client: list[float]) -> list[float]:
    return [*personal, *work, *client]


GOLDEN: list[tuple[str, list[float], dict[str, float]]] = [
    # Published or computed in the domain notes.
    ("cbi", cbi([100, 75, 50, 50, 25, 0], [75] * 7, CLIENT_BLANK),
     {"cbi_personal": 50.0, "cbi_work": 475 / 7, "cbi_client": BLANK}),
    ("who5", [3, 2, 3, 2, 4], {"who5_wellbeing": 56.0}),
    ("hscl10", [2] * 8 + [1] * 2, {"hscl10_distress": 1.8}),
    ("hscl10", [2] * 9 + [1], {"hscl10_distress": 1.9}),
    ("bis", [0, 0, 0, 3, 3, 0], {"bis_insomnia": 6.0, "bis_case": 1.0}),
    ("bis", [3, 3, 3, 0, 2, 2], {"bis_insomnia": 13.0, "bis_case": 0.0}),
    ("oss3", [3, 4, 4], {"oss3_social_support": 11.0}),
    # By hand.
    ("was", [7], {"was_work_ability": 7.0}),
    ("shc_msk", [0, 1, 2, 3, 0, 1, 0, 0], {"shc_musculoskeletal": 7.0}),
    ("pain_sites", [4], {"pain_sites_count": 4.0}),
    ("srh", [2], {"srh_self_rated_health": 2.0}),
    # Only one half of the criteria is met: troubled nights without troubled days, and the reverse.
    ("bis", [7, 7, 7, 7, 2, 2], {"bis_insomnia": 32.0, "bis_case": 0.0}),
    ("bis", [2, 2, 2, 2, 7, 7], {"bis_insomnia": 22.0, "bis_case": 0.0}),
    # Enough answers for a mean of those given ...
    ("cbi", cbi([100, 50, 0, BLANK, BLANK, BLANK], [100, 100, 100, BLANK, BLANK, BLANK, 100], [25] * 3 + [BLANK] * 3),
     {"cbi_personal": 50.0, "cbi_work": 75.0, "cbi_client": 25.0}),
    ("hscl10", [2, 2, 2, 2, 1, 1, 1] + [BLANK] * 3, {"hscl10_distress": 11 / 7}),
    # ... and one too few: missing, never a number.
    ("cbi", cbi([100, 50] + [BLANK] * 4, [100, 100, 100] + [BLANK] * 4, [25] * 2 + [BLANK] * 4),
     {"cbi_personal": BLANK, "cbi_work": BLANK, "cbi_client": BLANK}),
    ("hscl10", [2, 2, 2, 2, 1, 1] + [BLANK] * 4, {"hscl10_distress": BLANK}),
    ("who5", [3, 2, 3, 2, BLANK], {"who5_wellbeing": BLANK}),
    ("bis", [7, 7, 7, 7, 7, BLANK], {"bis_insomnia": BLANK, "bis_case": BLANK}),
    ("shc_msk", [3] * 7 + [BLANK], {"shc_musculoskeletal": BLANK}),
    ("oss3", [3, BLANK, 4], {"oss3_social_support": BLANK}),
    ("was", [BLANK], {"was_work_ability": BLANK}),
    ("pain_sites", [BLANK], {"pain_sites_count": BLANK}),
    ("srh", [BLANK], {"srh_self_rated_health": BLANK}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sheet", "expected"), GOLDEN)
def test_sheet_scores_as_the_published_key_says(name: str, sheet: list[float], expected: dict[str, float]) -> None:
    # Exact equality on purpose: totals of answer codes are whole numbers, so only one rounding is ever done.
    np.testing.assert_equal(scale_scores(name, sheet), expected)


def test_every_instrument_has_a_scored_and_an_unscorable_sheet() -> None:
    for name, instrument in INSTRUMENTS.items():
        for scale in instrument.scales:
            seen = [np.isnan(expected[scale.name]) for golden, _, expected in GOLDEN if golden == name]
            assert {False, True} == set(seen), f"{scale.name} lacks a golden sheet with, or without, a score"


def test_only_the_energy_item_of_the_burnout_inventory_is_reversed() -> None:
    # Forgetting the reversal, or reversing another item, gives 1/7 of 100 or 6/7 of 100 to the wrong sheet.
    assert scale_scores("cbi", cbi([0] * 6, [0] * 6 + [100], [0] * 6))["cbi_work"] == 0
    assert scale_scores("cbi", cbi([0] * 6, [100] * 6 + [0], [0] * 6))["cbi_work"] == 100


@pytest.mark.parametrize(
    ("raw", "index", "band"),
    [(7, 28, "low"), (8, 32, "moderate"), (12, 48, "moderate"), (13, 52, "high")],
)
def test_wellbeing_cut_of_50_means_a_raw_sum_of_12_not_13(raw: int, index: int, band: str) -> None:
    sheet = [raw // 5 + (item < raw % 5) for item in range(5)]
    assert sum(sheet) == raw
    wellbeing = scale_scores("who5", sheet)["who5_wellbeing"]
    assert wellbeing == index
    assert INSTRUMENTS["who5"].scales[0].band(wellbeing) == band


@pytest.mark.parametrize(
    ("scale_name", "value", "band"),
    [
        ("cbi_personal", 49.99999, "low"),
        ("cbi_personal", 50.0, "high"),
        ("cbi_work", 475 / 7, "high"),
        ("hscl10_distress", 1.8, "low"),
        ("hscl10_distress", 1.85, "high"),
        ("hscl10_distress", 1.9, "high"),
        ("oss3_social_support", 8, "low"),
        ("oss3_social_support", 11, "moderate"),
        ("oss3_social_support", 12, "high"),
        ("was_work_ability", 5, "low"),
        ("was_work_ability", 7, "moderate"),
        ("was_work_ability", 9, "high"),
        ("was_work_ability", 10, "very_high"),
        ("shc_musculoskeletal", 24, None),
        ("cbi_personal", BLANK, None),
    ],
)
def test_bands_begin_where_published(scale_name: str, value: float, band: str | None) -> None:
    scales = {scale.name: scale for instrument in INSTRUMENTS.values() for scale in instrument.scales}
    assert scales[scale_name].band(value) == band
