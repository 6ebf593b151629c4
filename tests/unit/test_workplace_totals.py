"""Totals of workplaces add up, and a published document gives no small group away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data_contracts.time_windows import calendar_date, day_number
from features.build import build_features
from features.workplace_context import from_document, merged, workplace_context
from features.workplace_totals import COLUMNS, FIXED_POINT
from tests.lib.firm_of_twelve import NAMES, S, T, both, firm, firm_of, snapshot
from tests.lib.records import Rows, answer, day, histories, job, rows_of

IN_ONE_UNIT = [job(person_id=name, unit_id="u") for name in NAMES]


def answered_by(rows: Rows, unit: str, persons: int) -> list:
    """An answer about work ability of the first so many people of a unit."""
    people = [row["person_id"] for row in rows["employments"] if row["unit_id"] == unit]
    return [answer("was", "item_1", 7, "2025-10-01", person_id=name) for name in people[:persons]]


def test_totals_of_two_halves_are_the_totals_of_all():
    halves = [snapshot(firm(NAMES[:5])), snapshot(firm(NAMES[5:]))]
    whole = snapshot(firm())
    for parts in (halves, halves[::-1]):
        together = merged(parts)
        assert together.places == whole.places == (("c", None), ("c", "u"), ("c", "v"))
        assert together.totals.tobytes() == whole.totals.tobytes()
    assert dict(zip(COLUMNS, whole.totals[0].tolist(), strict=True))["days_doctor_365_sum"] == 66


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [snapshot(firm()), snapshot(firm(), day(S, 1))],
        [snapshot(firm()), workplace_context(histories(firm(), S), day_number(S))],
    ],
    ids=["none", "of two days", "on other terms"],
)
def test_what_does_not_add_up(parts):
    with pytest.raises(ValueError, match="contexts add up"):
        merged(parts)


def test_nobody_is_at_work():
    context = workplace_context(histories(rows_of(persons=[]), S), day_number(S))
    assert (context.places, context.totals.shape) == ((), (0, len(COLUMNS)))
    assert build_features(histories(rows_of(persons=[]), T), day_number(T), context).values.shape[0] == 0


def test_a_published_context_has_no_cell_of_less_than_eleven():
    published = snapshot(both(firm(), firm_of({"w": 11}))).published()
    assert published.places == (("c", None), ("c", "w")), "one person in v, so that u is hidden too"
    assert published.totals[:, :6].tolist() == [[23, 0, 0, 0, 0, 23], [11, 0, 0, 0, 0, 11]]
    assert snapshot(firm(NAMES[:10])).published().places == ()
    answered = [answer("was", "item_1", 7, "2025-10-01", person_id=name) for name in NAMES[:10]]
    published = snapshot(firm(survey_answers=answered)).published()
    column = COLUMNS.index("was_work_ability_persons"), COLUMNS.index("was_work_ability_sum")
    assert published.totals[:, column].tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"a": 11, "b": 1}, {None: 12}),
        ({"a": 11, None: 1}, {None: 12}),
        ({"a": 11, "b": 5, "c": 5}, {None: 21}),
        ({"a": 11, None: 11}, {None: 22, "a": 11}),
        ({"a": 11, "b": 5, "c": 6}, {None: 22, "a": 11}),
        ({"a": 11, "b": 11}, {None: 22, "a": 11, "b": 11}),
        ({"a": 11, "b": 11, "c": 11}, {None: 33, "a": 11, "b": 11, "c": 11}),
        ({"a": 11, "b": 11, "c": 1}, {None: 23, "b": 11}),
        ({"a": 20, "b": 12, "c": 13, "d": 10}, {None: 55, "a": 20, "c": 13}),
        ({"a": 5, "b": 5}, {}),
    ],
)
def test_a_company_less_its_published_units_is_nobody_or_eleven(sizes, told):
    found = snapshot(firm_of(sizes)).published()
    persons = found.totals[:, COLUMNS.index("persons")].tolist()
    assert {unit: count for (_, unit), count in zip(found.places, persons, strict=True)} == told


def test_what_one_company_hides_hides_nothing_of_another():
    found = snapshot(both(firm_of({"a": 11, "b": 1}), firm_of({"a": 11, "b": 11}, "d"))).published()
    assert found.places == (("c", None), ("d", None), ("d", "a"), ("d", "b"))


def test_each_measure_is_hidden_for_itself():
    rows = firm_of({"a": 15, "b": 16})
    rows["survey_answers"] = answered_by(rows, "a", 11) + answered_by(rows, "b", 5)
    found = snapshot(rows).published()
    named = COLUMNS.index("persons"), COLUMNS.index("was_work_ability_persons"), COLUMNS.index("was_work_ability_sum")
    assert found.places == (("c", None), ("c", "a"), ("c", "b"))
    assert found.totals[:, named].tolist() == [[31, 16, 16 * 7 * FIXED_POINT], [15, 0, 0], [16, 0, 0]]


def test_of_a_unit_whose_persons_are_hidden_no_measure_is_shown():
    """All who answered are in two units of eleven; of the three units' persons the smallest count is hidden."""
    rows = firm_of({"a": 15, "b": 16, "c": 1})
    rows["survey_answers"] = answered_by(rows, "a", 11) + answered_by(rows, "b", 11)
    context = snapshot(rows)
    assert context.published().places == (("c", None), ("c", "b"))
    assert from_document(context.to_document()).to_document() == context.to_document()


def test_a_document_whose_units_give_away_the_rest_is_refused():
    context = snapshot(firm_of({"a": 11, "b": 11}))
    document = context.to_document()
    for persons, is_refused in ((22, False), (23, True), (32, True), (33, False)):
        changed = _replaced(document, 0, 2 + COLUMNS.index("persons"), persons)
        if is_refused:
            with pytest.raises(ValueError, match="give away the rest"):
                from_document(changed)
        else:
            assert from_document(changed).to_document() == changed


def test_a_document_never_has_what_is_not_published():
    document = snapshot(firm()).to_document()
    assert [place[:2] for place in document["workplaces"]] == [["c", None]]
    document = snapshot(firm(employments=IN_ONE_UNIT)).to_document()
    assert [place[:2] for place in document["workplaces"]] == [["c", None], ["c", "u"]]
    assert document["day"] == document["consent_on"] == document["known_by"] == S
    with pytest.raises(ValueError, match="a snapshot has a date"):
        workplace_context(histories(firm(), S), day_number(S)).to_document()


def _replaced(document: dict, row: int, column: int, value: Any) -> dict:
    rows = [list(one) for one in document["workplaces"]]
    rows[row][column] = value
    return document | {"workplaces": rows}


def _was(document: dict, count: Any, total: Any) -> dict:
    named = {name: 2 + position for position, name in enumerate(COLUMNS)}
    changed = _replaced(document, 0, named["was_work_ability_persons"], count)
    return _replaced(changed, 0, named["was_work_ability_sum"], total)


BAD = {
    "no object": lambda document: [document],
    "another format": lambda document: document | {"format": 2},
    "another field": lambda document: document | {"note": ""},
    "a field is missing": lambda document: {name: value for name, value in document.items() if name != "day"},
    "another purpose": lambda document: document | {"purpose": "curiosity"},
    "purpose is a list": lambda document: document | {"purpose": []},
    "other columns": lambda document: document | {"columns": document["columns"][::-1]},
    "no date": lambda document: document | {"day": "2025-11-31"},
    "a date in another form": lambda document: document | {"day": "20251101"},
    "a number for a date": lambda document: document | {"known_by": 20000},
    "no list": lambda document: document | {"workplaces": {"c": 1}},
    "a short row": lambda document: document | {"workplaces": [document["workplaces"][0][:-1]]},
    "a company without a name": lambda document: _replaced(document, 0, 0, None),
    "an empty name": lambda document: _replaced(document, 1, 1, ""),
    "a long name": lambda document: _replaced(document, 1, 1, "u" * 65),
    "a number for a name": lambda document: _replaced(document, 1, 1, 7),
    "a place twice": lambda document: _replaced(document, 1, 1, None),
    "out of order": lambda document: document | {"workplaces": document["workplaces"][::-1]},
    "true for one": lambda document: _replaced(document, 0, 2, True),
    "a fraction": lambda document: _replaced(document, 0, 8, 66.0),
    "a text": lambda document: _replaced(document, 0, 8, "66"),
    "null": lambda document: _replaced(document, 0, 8, None),
    "not a number": lambda document: _replaced(document, 0, 8, float("nan")),
    "more than 64 bits": lambda document: _replaced(document, 0, 8, 1 << 80),
    "a negative count": lambda document: _replaced(document, 0, 3, -12),
    "ten contributors": lambda document: _was(document, 10, 10 * FIXED_POINT),
    "more contributors than persons": lambda document: _was(document, 13, 0),
    "a sum of nobody": lambda document: _was(document, 0, 1),
    "a sum above the scale": lambda document: _was(document, 11, 110 * FIXED_POINT + 1),
    "a sum below the scale": lambda document: _was(document, 11, -1),
    "more days than a year has": lambda document: _replaced(document, 0, 8, 12 * 365 + 1),
    "a workplace of nobody": lambda document: (
        document | {"workplaces": [document["workplaces"][0], ["c", "u", *[0] * len(COLUMNS)]]}
    ),
    "persons who are none": lambda document: _replaced(document, 1, 7, 0),
}


@pytest.mark.parametrize("damage", BAD)
def test_a_document_that_cannot_be_true_is_refused(damage):
    document = snapshot(firm(employments=IN_ONE_UNIT)).to_document()
    with pytest.raises(ValueError, match=r"."):
        from_document(BAD[damage](document))


def test_a_document_that_could_be_true_is_not_refused():
    document = snapshot(firm(employments=IN_ONE_UNIT)).to_document()
    for possible in (document, _was(document, 11, 110 * FIXED_POINT), document | {"workplaces": []}):
        assert from_document(possible).to_document() == possible
    assert calendar_date(from_document(document).day).isoformat() == S


def test_companies_and_units_have_their_names_wherever_persons_are_taken():
    jobs = [job(person_id=name, company_id=f"c{NAMES.index(name) % 3}", unit_id="u") for name in NAMES[:4]]
    gathered = histories(firm(NAMES[:4], employments=[*jobs, job(person_id="elsewhere", company_id="a")]), S)
    assert (gathered.companies, gathered.units) == (("a", "c0", "c1", "c2"), ("u",))
    for some, expected in ((gathered.take(np.array([3, 1])), ["c0", "c1"]), (gathered.between(1, 3), ["c1", "c2"])):
        assert [some.companies[rank] for rank in some.employments["company"]] == expected
        assert len(some.consents.offsets) == len(some) + 1
