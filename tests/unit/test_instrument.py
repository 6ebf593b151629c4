"""The one scorer, and what every declaration must fulfil for it to be right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.domains import Domain
from data_contracts.instruments import INSTRUMENTS, Band, Instrument, Item, Scale, score
from data_contracts.instruments.instrument import ScoringKey

SCALES = [(instrument, scale) for instrument in INSTRUMENTS.values() for scale in instrument.scales]
EACH_SCALE = pytest.mark.parametrize(("instrument", "scale"), SCALES, ids=[scale.name for _, scale in SCALES])
EACH_INSTRUMENT = pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=list(INSTRUMENTS))

PHQ9 = INSTRUMENTS["phq9"]


def random_sheets(instrument: Instrument, n_sheets: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    columns = [rng.choice([*item.answers, np.nan], size=n_sheets) for item in instrument.items]
    return np.stack(columns, axis=1)


def slow_score(instrument: Instrument, scale: Scale, sheet: list[float]) -> float:
    """One scale of one sheet in plain Python, straight from the definitions; a function is called with the sheet alone."""
    if scale.function is not None:
        columns = {item.id: np.array([answer]) for item, answer in zip(instrument.items, sheet, strict=True)}
        n_answered = sum(columns[item][0] == columns[item][0] for item in scale.items)
        return float(scale.function(columns)[0]) if n_answered >= scale.fewest_answers else float("nan")
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
    np.testing.assert_equal(score(PHQ9, np.array([sheet]))[:, 0], [total])


def test_unanswered_sheet_has_no_score_on_any_scale() -> None:
    for instrument in INSTRUMENTS.values():
        assert np.isnan(score(instrument, np.full((1, len(instrument.items)), np.nan))).all()


# Whole-number codes add up exactly in any order; these do not, and so betray a change in the order of additions.
UNEVEN = Instrument(
    name="uneven",
    title="Codes without an exact binary form",
    items=tuple(Item(f"item_{number}", (0.1, 0.7, 1.3)) for number in range(1, 20)),
    scales=(replace(PHQ9.scales[0], items=tuple(f"item_{number}" for number in range(1, 20)), bands=()),),
    coding="",
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
@given(instrument=st.sampled_from(list(INSTRUMENTS.values())), data=st.data())
def test_agrees_with_plain_python(instrument: Instrument, data: st.DataObject) -> None:
    sheet = [data.draw(st.sampled_from([*item.answers, float("nan")])) for item in instrument.items]
    expected = [slow_score(instrument, scale, sheet) for scale in instrument.scales]
    np.testing.assert_allclose(score(instrument, np.array([sheet]))[0], expected, rtol=1e-14)


def test_instruments_scored_side_by_side_keep_their_own_items_and_scales() -> None:
    sheets = [random_sheets(instrument, 50, seed=4) for instrument in INSTRUMENTS.values()]
    one_by_one = [score(instrument, mine) for instrument, mine in zip(INSTRUMENTS.values(), sheets, strict=True)]
    together = ScoringKey(tuple(INSTRUMENTS.values())).scores(np.concatenate(sheets, axis=1))
    assert together.tobytes() == np.concatenate(one_by_one, axis=1).tobytes()


@EACH_INSTRUMENT
def test_no_sheets_give_no_scores(instrument: Instrument) -> None:
    assert score(instrument, np.empty((0, len(instrument.items)))).shape == (0, len(instrument.scales))


def added_up(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    assert list(columns) == ["second", "first", "other"]
    return columns["first"] * 10 + columns["other"]


FUNCTION = Instrument(
    name="by_function",
    title="Scored by a function that does without one of its three items",
    items=(Item("first", (1.0, 2.0)), Item("second", (1.0, 2.0)), Item("other", (0.0, 1.0)), Item("last", (0.0, 1.0))),
    scales=(
        Scale(
            name="by_function",
            items=("second", "first", "other"),
            method="function",
            fewest_answers=3,
            minimum=10,
            maximum=21,
            higher_is_worse=True,
            domain="mental_health",
            modifiable=True,
            label_nb="Summert",
            label_en="Added up",
            function=added_up,
        ),
    ),
    coding="",
    licence="",
    source="",
)


def test_function_is_given_the_items_of_its_own_scale_by_name() -> None:
    # Behind the 19 items of the burnout inventory: columns counted from the start of the sheet would be the wrong ones.
    sheets = np.array([[50.0] * 19 + [2.0, 1.0, 1.0, 0.0], [50.0] * 19 + [1.0, 1.0, 0.0, 1.0]])
    assert ScoringKey((INSTRUMENTS["cbi"], FUNCTION)).scores(sheets)[:, -1].tolist() == [21.0, 10.0]


def test_function_has_no_score_where_too_few_of_the_scales_items_are_answered() -> None:
    # The function itself does not look at "second", and would give 21.
    np.testing.assert_equal(
        score(FUNCTION, np.array([[2.0, np.nan, 1.0, 0.0], [2.0, 2.0, 1.0, np.nan]])), [[np.nan], [21.0]]
    )


@pytest.mark.parametrize("shape", [(2, 4), (2, 6), (5,)])
def test_sheet_of_another_instrument_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"who5: answers have shape .* expected \(n_sheets, 5\)"):
        score(INSTRUMENTS["who5"], np.zeros(shape))


@EACH_INSTRUMENT
def test_answers_are_not_changed(instrument: Instrument) -> None:
    sheets = random_sheets(instrument, 10, seed=2)
    before = sheets.copy()
    score(instrument, sheets)
    np.testing.assert_equal(sheets, before)


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ((0.0, 1.0, 2.0, 3.0), "0, 1, 2, 3"),
        ((0.0, 0.5, 1.0), "0, 0.5, 1"),
        (tuple(float(code) for code in range(11)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"),
        (tuple(float(minutes) for minutes in range(1441)), "0 to 1440"),
        # With a gap, "0 to 26" would promise an answer that is refused.
        (tuple(float(code) for code in range(27) if code != 13),
         "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26"),
    ],
)  # fmt: skip
def test_codes_are_told_in_a_short_text(answers: tuple[float, ...], text: str) -> None:
    assert Item("item", answers).codes_text == text


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        (["item_1"], "item_1"),
        (["item_1", "item_2", "item_3"], "item_1 to item_3"),
        (["work_1", "work_2", "client_3", "client_4"], "work_1 to work_2, client_3 to client_4"),
        # With a gap, "item_1 to item_4" would promise an item that is refused.
        (["item_1", "item_2", "item_4"], "item_1 to item_2, item_4"),
        (["worst", "average"], "worst, average"),
        (["QD2", "QD3"], "QD2, QD3"),
    ],
)
def test_items_are_told_in_a_short_text(ids: list[str], text: str) -> None:
    assert replace(PHQ9, items=tuple(Item(one, (0.0, 1.0)) for one in ids)).items_text == text


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({"item_1": 2, "item_2": 2}, "0, 1"),
        ({"worst": 3, "average": 3, "three_months": 2}, "worst, average: 0, 1, 2; three_months: 0, 1"),
        ({"item_1": 2, "item_2": 3, "item_3": 3}, "item_1: 0, 1; item_2 to item_3: 0, 1, 2"),
        # Items with the same codes need not be neighbours; what counts on across a gap is not a run.
        ({"item_1": 3, "item_2": 2, "item_3": 3}, "item_1, item_3: 0, 1, 2; item_2: 0, 1"),
        ({"days": 2, "minutes": 1441}, "days: 0, 1; minutes: 0 to 1440"),
    ],
)
def test_codes_that_differ_are_told_by_groups_of_items(answers: dict[str, int], text: str) -> None:
    items = tuple(Item(id_, tuple(float(code) for code in range(n))) for id_, n in answers.items())
    assert replace(PHQ9, items=items).codes_text == text


def test_bands_may_differ_by_sex() -> None:
    bands = (Band("low", 0), Band("high", 3, sex="female"), Band("high", 4, sex="male"))
    scale = replace(PHQ9.scales[0], bands=bands)
    assert [scale.band(score, "female") for score in (2, 3, 4)] == ["low", "high", "high"]
    assert [scale.band(score, "male") for score in (2, 3, 4)] == ["low", "low", "high"]
    # Of unknown sex: only what is true of both.
    assert [scale.band(score) for score in (2, 3, 4)] == ["low", None, "high"]


# What a declaration must fulfil. A new instrument file is held to all of these without another line of test.


def test_names_are_the_agreed_ones() -> None:
    # What sources send: a name that changes turns every answer of every customer away. A new one may come.
    assert set(INSTRUMENTS) >= {
        "cbi", "who5", "phq9", "gad7", "hscl10", "hscl25", "was", "bis", "shc", "pain_sites", "pain", "oss3", "srh",
        "audit_c", "ipaq_sf", "fear_avoidance", "coping_expectancy", "olbi", "dcsq", "qpsnordic34", "copsoq3_core",
        "bat12", "bat23", "uwes3", "isi", "ompsq_sf", "start_back", "wai",
    }  # fmt: skip


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


def test_no_instrument_can_be_declared_without_its_coding() -> None:
    (coding,) = [field for field in fields(Instrument) if field.name == "coding"]
    assert coding.default is coding.default_factory is MISSING


@EACH_INSTRUMENT
def test_coding_says_what_the_lowest_and_the_highest_code_of_every_item_mean(instrument: Instrument) -> None:
    # A sender who counts the other way round breaks no rule: this text is all there is against it.
    told = set(re.findall(r"(?<![\w.])(\d+) = \w", instrument.coding))
    for item in instrument.items:
        assert {f"{item.answers[0]:g}", f"{item.answers[-1]:g}"} <= told, item.id
    assert told <= {f"{answer:g}" for item in instrument.items for answer in item.answers}


@EACH_INSTRUMENT
def test_coding_is_one_to_three_sentences_and_names_every_item_that_is_reversed(instrument: Instrument) -> None:
    assert re.fullmatch(r"([^.]+\.( |$)){1,3}", instrument.coding)
    # Who sends these already reversed, or under another number, must be able to see it.
    turned = {item for scale in instrument.scales for item in scale.reversed_items}
    assert turned <= set(re.findall(r"\w+", instrument.coding))


@EACH_SCALE
def test_scale_refers_only_to_items_that_exist(instrument: Instrument, scale: Scale) -> None:
    assert set(scale.items) <= {item.id for item in instrument.items}
    assert set(scale.reversed_items) <= set(scale.items)
    assert {item for items, _ in scale.criteria for item in items} <= set(scale.items)
    assert bool(scale.criteria) == (scale.method == "criteria")
    assert (scale.function is not None) == (scale.method == "function")
    assert 1 <= scale.fewest_answers <= len(scale.items)
    assert scale.domain in get_args(Domain)


@EACH_SCALE
def test_only_the_items_of_a_scale_decide_its_score(instrument: Instrument, scale: Scale) -> None:
    position = instrument.scales.index(scale)
    sheets, others = random_sheets(instrument, 500, seed=5), random_sheets(instrument, 500, seed=6)
    mine = [instrument.item_positions[item] for item in scale.items]
    others[:, mine] = sheets[:, mine]
    np.testing.assert_equal(score(instrument, others)[:, position], score(instrument, sheets)[:, position])


@EACH_SCALE
def test_scores_keep_within_the_declared_minimum_and_maximum(instrument: Instrument, scale: Scale) -> None:
    scores = score(instrument, random_sheets(instrument, 2000, seed=3))[:, instrument.scales.index(scale)]
    assert np.nanmin(scores) >= scale.minimum
    assert np.nanmax(scores) <= scale.maximum


@pytest.mark.parametrize(
    ("instrument", "scale"),
    [pytest.param(*one, id=one[1].name) for one in SCALES if one[1].function is None],
)
def test_declared_minimum_and_maximum_are_attained(instrument: Instrument, scale: Scale) -> None:
    position = instrument.scales.index(scale)
    lowest = [max(i.answers) if i.id in scale.reversed_items else min(i.answers) for i in instrument.items]
    highest = [min(i.answers) if i.id in scale.reversed_items else max(i.answers) for i in instrument.items]
    assert score(instrument, np.array([lowest, highest]))[:, position].tolist() == [scale.minimum, scale.maximum]


@EACH_SCALE
def test_bands_cover_the_scale_from_its_minimum_upwards(instrument: Instrument, scale: Scale) -> None:
    for sex in ("female", "male"):
        starts = [band.lowest for band in scale.bands_of(sex)]
        assert starts == sorted(set(starts))
        assert not starts or (starts[0] == scale.minimum and starts[-1] <= scale.maximum)


@EACH_INSTRUMENT
def test_safety_rules_name_an_item_and_a_limit_that_an_answer_can_be_above(instrument: Instrument) -> None:
    codes = {item.id: item.answers for item in instrument.items}
    for rule in instrument.safety:
        assert min(codes[rule.item]) <= rule.above < max(codes[rule.item])


def test_every_item_about_self_harm_is_a_safety_item() -> None:
    declared = {(name, rule.item): rule.above for name, one in INSTRUMENTS.items() for rule in one.safety}
    # "Not at all" is 0 in the one and 1 in the other.
    assert declared == {("phq9", "item_9"): 0, ("hscl25", "suicidal_thoughts"): 1}
