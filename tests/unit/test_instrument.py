"""The one scorer, and what every declaration must fulfil for it to be right."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.domains import Domain
from data_contracts.instruments import INSTRUMENTS, Instrument, Item, Scale, score
from data_contracts.instruments.instrument import ScoringKey

SCALES = [(instrument, scale) for instrument in INSTRUMENTS.values() for scale in instrument.scales]
EACH_SCALE = pytest.mark.parametrize(("instrument", "scale"), SCALES, ids=[scale.name for _, scale in SCALES])
EACH_INSTRUMENT = pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=list(INSTRUMENTS))

PHQ9_ITEMS = tuple(f"item_{number}" for number in range(1, 10))
PHQ9 = Instrument(
    name="phq9",
    title="Patient Health Questionnaire-9",
    items=tuple(Item(item, (0.0, 1.0, 2.0, 3.0)) for item in PHQ9_ITEMS),
    scales=(
        Scale(
            name="phq9_total",
            items=PHQ9_ITEMS,
            method="sum",
            fewest_answers=7,
            minimum=0,
            maximum=27,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Nedstemthet",
            label_en="Low mood",
        ),
    ),
    licence="Public domain.",
    source="Used here only because none of our instruments lets a sum have missing items.",
)


def random_sheets(instrument: Instrument, n_sheets: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    columns = [rng.choice([*item.answers, np.nan], size=n_sheets) for item in instrument.items]
    return np.stack(columns, axis=1)


def slow_score(instrument: Instrument, scale: Scale, sheet: list[float]) -> float:
    """One scale of one sheet in plain Python, straight from the definitions."""
    answers = {}
    for item, answer in zip(instrument.items, sheet, strict=True):
        if item.id in scale.items and answer == answer:
            answers[item.id] = (
                max(item.answers) + min(item.answers) - answer if item.id in scale.reversed_items else answer
            )
    if len(answers) < scale.fewest_answers:
        return float("nan")
    if scale.method == "criteria":
        return float(all(any(answers[item] >= least for item in items) for items, least in scale.criteria))
    mean = sum(answers.values()) / len(answers)
    return mean * scale.multiplier * (len(scale.items) if scale.method == "sum" else 1)


@pytest.mark.parametrize(
    ("sheet", "total"),
    [
        ([2.0] * 8 + [np.nan], 18.0),  # 16 * 9 / 8; adding up only the answered items would give 16
        ([1.0] * 7 + [np.nan] * 2, 9.0),
        ([1.0] * 6 + [np.nan] * 3, np.nan),
        ([3.0, 3, 3, 3, 3, 3, 3, 0, 0], 21.0),
    ],
)
def test_sum_with_missing_items_is_prorated(sheet: list[float], total: float) -> None:
    np.testing.assert_equal(score(PHQ9, np.array([sheet])), [[total]])


def test_unanswered_sheet_has_no_score_on_any_scale() -> None:
    for instrument in INSTRUMENTS.values():
        assert np.isnan(score(instrument, np.full((1, len(instrument.items)), np.nan))).all()


# Whole-number codes add up exactly in any order; these do not, and so betray a change in the order of additions.
UNEVEN = Instrument(
    name="uneven",
    title="Codes without an exact binary form",
    items=tuple(Item(f"item_{number}", (0.1, 0.7, 1.3)) for number in range(1, 20)),
    scales=(replace(PHQ9.scales[0], items=tuple(f"item_{number}" for number in range(1, 20))),),
    licence="",
    source="",
)


@pytest.mark.parametrize("instrument", [*INSTRUMENTS.values(), UNEVEN], ids=lambda instrument: instrument.name)
def test_one_sheet_alone_scores_bit_for_bit_as_in_any_batch(instrument: Instrument) -> None:
    # 1025 rows and transposed memory: lengths and layouts at which a reduction along an axis adds in another order.
    sheets = random_sheets(instrument, 1025, seed=1)
    together = score(instrument, sheets)
    alone = np.concatenate([score(instrument, sheets[row : row + 1]) for row in range(len(sheets))])
    other_layout = score(instrument, np.asfortranarray(sheets))
    assert together.tobytes() == alone.tobytes() == other_layout.tobytes()


@settings(max_examples=200, deadline=None)
@given(instrument=st.sampled_from([*INSTRUMENTS.values(), PHQ9]), data=st.data())
def test_agrees_with_plain_python(instrument: Instrument, data: st.DataObject) -> None:
    sheet = [data.draw(st.sampled_from([*item.answers, float("nan")])) for item in instrument.items]
    expected = [slow_score(instrument, scale, sheet) for scale in instrument.scales]
    np.testing.assert_allclose(score(instrument, np.array([sheet]))[0], expected, rtol=1e-14)


def test_instruments_scored_side_by_side_keep_their_own_items_and_scales() -> None:
    sheets = [random_sheets(instrument, 50, seed=4) for instrument in INSTRUMENTS.values()]
    one_by_one = [score(instrument, mine) for instrument, mine in zip(INSTRUMENTS.values(), sheets, strict=True)]
    together = ScoringKey(tuple(INSTRUMENTS.values())).scores(np.concatenate(sheets, axis=1))
    assert together.tobytes() == np.concatenate(one_by_one, axis=1).tobytes()


def test_no_sheets_give_no_scores() -> None:
    assert score(INSTRUMENTS["cbi"], np.empty((0, 19))).shape == (0, 3)


@pytest.mark.parametrize("shape", [(2, 4), (2, 6), (5,)])
def test_sheet_of_another_instrument_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"who5: answers have shape .* expected \(n_sheets, 5\)"):
        score(INSTRUMENTS["who5"], np.zeros(shape))


def test_answers_are_not_changed() -> None:
    sheets = random_sheets(INSTRUMENTS["cbi"], 10, seed=2)
    before = sheets.copy()
    score(INSTRUMENTS["cbi"], sheets)
    np.testing.assert_equal(sheets, before)


# What a declaration must fulfil. A new instrument file is held to all of these without another line of test.


def test_names_are_the_agreed_ones() -> None:
    assert list(INSTRUMENTS) == ["cbi", "who5", "hscl10", "was", "bis", "shc_msk", "pain_sites", "oss3", "srh"]
    assert [scale.name for _, scale in SCALES] == [
        "cbi_personal",
        "cbi_work",
        "cbi_client",
        "who5_wellbeing",
        "hscl10_distress",
        "was_work_ability",
        "bis_insomnia",
        "bis_case",
        "shc_musculoskeletal",
        "pain_sites_count",
        "oss3_social_support",
        "srh_self_rated_health",
    ]


def test_scale_names_and_labels_are_unique() -> None:
    for attribute in ("name", "label_nb", "label_en"):
        values = [getattr(scale, attribute) for _, scale in SCALES]
        assert all(values)
        assert len(set(values)) == len(values)


@EACH_INSTRUMENT
def test_items_are_unique_and_their_codes_ascend(instrument: Instrument) -> None:
    assert len({item.id for item in instrument.items}) == len(instrument.items)
    for item in instrument.items:
        assert list(item.answers) == sorted(set(item.answers))
    assert instrument.licence
    assert instrument.source


@EACH_SCALE
def test_scale_refers_only_to_items_that_exist(instrument: Instrument, scale: Scale) -> None:
    assert set(scale.items) <= {item.id for item in instrument.items}
    assert set(scale.reversed_items) <= set(scale.items)
    assert {item for items, _ in scale.criteria for item in items} <= set(scale.items)
    assert bool(scale.criteria) == (scale.method == "criteria")
    assert 1 <= scale.fewest_answers <= len(scale.items)
    assert scale.domain in get_args(Domain)


@EACH_SCALE
def test_declared_minimum_and_maximum_are_attained_and_never_left(instrument: Instrument, scale: Scale) -> None:
    position = instrument.scales.index(scale)
    lowest = [max(i.answers) if i.id in scale.reversed_items else min(i.answers) for i in instrument.items]
    highest = [min(i.answers) if i.id in scale.reversed_items else max(i.answers) for i in instrument.items]
    assert score(instrument, np.array([lowest, highest]))[:, position].tolist() == [scale.minimum, scale.maximum]

    scores = score(instrument, random_sheets(instrument, 2000, seed=3))[:, position]
    assert np.nanmin(scores) >= scale.minimum
    assert np.nanmax(scores) <= scale.maximum


@EACH_SCALE
def test_bands_cover_the_scale_from_its_minimum_upwards(instrument: Instrument, scale: Scale) -> None:
    starts = [band.lowest for band in scale.bands]
    assert starts == sorted(set(starts))
    assert not starts or (starts[0] == scale.minimum and starts[-1] <= scale.maximum)
