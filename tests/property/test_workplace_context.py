"""The others at the workplace: equal to a slow list of the others, blind to the future and to the person's own part, the
same in any order and partition, and the same for one record with a snapshot as for a whole store."""

from __future__ import annotations

import json
import random
from datetime import date
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.time_windows import day_number
from features.build import CONTEXT_COLUMNS, build_features
from features.catalogue import FEATURE_NAMES, POSITIONS
from features.histories import Histories
from features.workplace_context import WorkplaceContext, from_document, merged, workplace_context
from features.workplace_totals import N_COUNTS
from tests.lib.random_histories import T, later_rows, without_conflicts
from tests.lib.random_workplaces import S, of_some, people_of, workplaces
from tests.lib.records import LONG_AGO, Rows, day, histories, person, record_of
from tests.lib.reference_context import hidden_from, others_at_work, people_at_work, undecided
from tests.lib.reference_features import CONTEXT, Reference

DAYS = st.sampled_from((S, T))
RECEIVED_ON = date(2027, 1, 1)


def snapshot(rows: Rows, s: str) -> WorkplaceContext:
    """The context of a day as it was taken on that day."""
    return workplace_context(histories(rows, s, data_as_of=day_number(s)), day_number(s))


def numbers(gathered: Histories, context: WorkplaceContext, t: str = T) -> np.ndarray:
    return build_features(gathered, day_number(t), context).values[:, CONTEXT_COLUMNS]


def same_context(one: WorkplaceContext, other: WorkplaceContext) -> bool:
    same_places = (one.day, one.terms, one.places) == (other.day, other.terms, other.places)
    return same_places and one.totals.tobytes() == other.totals.tobytes()


def assert_equals_reference(rows: Rows, found: np.ndarray, s: str, **taken_on: Any) -> None:
    people = people_at_work(rows, s, **taken_on)
    for person_id, row in zip(people_of(rows), found, strict=True):
        unknown = dict.fromkeys(undecided(rows, person_id, s, T, **taken_on), np.nan)
        expected = others_at_work(rows, person_id, T, people) | unknown
        for name, value in zip(FEATURE_NAMES[CONTEXT_COLUMNS], row, strict=True):
            wanted = np.float32(expected[name])
            same = (np.isnan(wanted) and np.isnan(value)) or value == wanted
            assert same, f"{name} of {person_id}: {value}, reference {wanted}"


def test_the_reference_tells_of_every_feature():
    assert FEATURE_NAMES[CONTEXT_COLUMNS] == CONTEXT


@settings(max_examples=25, deadline=None)
@given(workplaces(), DAYS)
def test_every_feature_equals_a_list_of_the_others(rows, s):
    gathered = histories(rows, T)
    found = numbers(gathered, workplace_context(gathered, day_number(s)))
    assert_equals_reference(rows, found, s, consent_on=T)


@settings(max_examples=25, deadline=None)
@given(workplaces(), DAYS)
def test_a_snapshot_equals_a_list_of_those_who_were_known_on_its_day(rows, s):
    found = numbers(histories(rows, T), snapshot(rows, s))
    assert_equals_reference(rows, found, s, consent_on=s, data_as_of=s)


def as_it_stands(rows: Rows, person_id: str, copied_on: str | None = None) -> dict[str, Any]:
    """The record of an app that sends every fact as it stands at T, and perhaps the day of a copy for ``known_from``."""
    one = Reference(rows, person_id, T)
    last = {
        table: one.latest(table, lambda row, _table=table: _table == "consents" or row["known_from"] < T)
        for table in rows
    }
    if copied_on:
        last = {
            table: [row | {"known_from": max(row["known_from"], copied_on)} for row in of_table]
            for table, of_table in last.items()
        }
    return json.loads(json.dumps(record_of(last, person_id)))


@settings(max_examples=25, deadline=None)
@given(workplaces(deletions=False), DAYS.filter(lambda s: s < T), st.sampled_from((None, day(S, 0), day(S, 60))))
def test_a_record_of_what_holds_today_never_has_the_person_among_the_others(rows, s, copied_on):
    """Whatever a record leaves out of its past: what is told of the others is the mean over the others, or nothing."""
    kept, people = snapshot(rows, s).published(), people_at_work(rows, s, consent_on=s, data_as_of=s)
    for person_id in people_of(rows):
        if not Reference(rows, person_id, T).known("persons"):
            continue
        record = as_it_stands(rows, person_id, copied_on)
        gathered = Histories.from_record(record, consent_on=date.fromisoformat(T), received_on=RECEIVED_ON)
        expected = others_at_work(rows, person_id, T, people)
        for name, value in zip(FEATURE_NAMES[CONTEXT_COLUMNS], numbers(gathered, kept)[0], strict=True):
            assert np.isnan(value) or value == np.float32(expected[name]), f"{name} of {person_id}"


@settings(max_examples=15, deadline=None)
@given(workplaces(), DAYS)
def test_a_single_record_with_the_published_snapshot_is_the_row_of_the_store_with_the_context(rows, s):
    whole = snapshot(rows, s)
    sent = from_document(json.loads(json.dumps(whole.to_document())))
    together = numbers(histories(rows, T), whole)
    people = people_at_work(rows, s, consent_on=s, data_as_of=s)
    for row, person_id in zip(together, people_of(rows), strict=True):
        record = json.loads(json.dumps(record_of(rows, person_id)))
        gathered = Histories.from_record(record, consent_on=date.fromisoformat(T), received_on=RECEIVED_ON)
        alone = numbers(gathered, sent)[0]
        hidden = np.isin(CONTEXT, sorted(hidden_from(rows, person_id, T, people)))
        np.testing.assert_array_equal(alone, np.where(hidden, np.nan, row), strict=True)


@settings(max_examples=40, deadline=None)
@given(workplaces(), DAYS)
def test_a_published_company_less_its_units_is_never_a_few(rows, s):
    whole = snapshot(rows, s)
    sent = from_document(json.loads(json.dumps(whole.to_document())))
    assert same_context(sent, sent.published())
    counts = dict(zip(sent.places, sent.totals[:, :N_COUNTS].tolist(), strict=True))
    for company in {company for company, _ in sent.places}:
        of_units = [row for (name, unit), row in counts.items() if name == company and unit is not None]
        for column, persons in enumerate(counts[company, None]):
            assert persons - sum(row[column] for row in of_units) not in range(1, 11)
    for place, row in zip(sent.places, sent.totals, strict=True):
        kept = row != 0
        assert row[kept].tolist() == whole.totals[whole.places.index(place)][kept].tolist()


@settings(max_examples=15, deadline=None)
@given(workplaces(), later_rows(S), st.lists(st.sampled_from(("p00", "p01", "p02")), min_size=3, max_size=3))
def test_rows_of_anybody_known_on_the_day_or_later_change_no_bit(rows, more, people):
    renamed = dict(zip(("p", "q", "r"), people, strict=True))
    late = {
        table: [row | {"person_id": renamed[row["person_id"]]} if "person_id" in row else row for row in of_table]
        for table, of_table in more.items()
    }
    late["persons"] = [person("late", known_from=S)]
    added = {table: without_conflicts(table, rows[table] + late[table]) for table in rows}
    assert same_context(snapshot(added, S), snapshot(rows, S))
    at_t = workplace_context(histories(rows, T), day_number(S))
    assert same_context(workplace_context(histories(added, T), day_number(S)), at_t)


@settings(max_examples=20, deadline=None)
@given(workplaces(), st.integers(0, 1000), st.integers(1, 5), DAYS)
def test_order_and_partition_of_persons_change_no_bit(rows, seed, n_parts, s):
    chance, whole = random.Random(seed), snapshot(rows, s)
    people = people_of(rows)
    chance.shuffle(people)
    shuffled = {table: chance.sample(of_table, len(of_table)) for table, of_table in rows.items()}
    parts = [snapshot(of_some(shuffled, set(people[part::n_parts])), s) for part in range(n_parts)]
    chance.shuffle(parts)
    assert same_context(merged(parts), whole)
    assert merged(parts).to_document() == whole.to_document()
    taken = histories(rows, s, data_as_of=day_number(s))
    turned = taken.take(np.array(chance.sample(range(len(taken)), len(taken))))
    assert same_context(workplace_context(turned, day_number(s)), whole)


@settings(max_examples=20, deadline=None)
@given(workplaces(), st.integers(0, 8), DAYS)
def test_own_rows_never_move_own_features(rows, who, s):
    """Own answers and spells only: a job says whose colleague one is."""
    mine = people_of(rows)[who]
    other = {
        table: [row for row in of_table if row.get("person_id") != mine]
        if table in ("survey_answers", "absence_spells")
        else of_table
        for table, of_table in rows.items()
    }
    before, after = (numbers(histories(some, T), snapshot(some, s))[who] for some in (rows, other))
    decided = slice(None) if s == T else ~np.isnan(before)
    assert before[decided].tobytes() == after[decided].tobytes()


@settings(max_examples=20, deadline=None)
@given(workplaces())
def test_one_person_alone_and_each_with_an_index_date_of_their_own(rows):
    gathered, context = histories(rows, T), snapshot(rows, S)
    shifts = np.arange(len(gathered)) % 3 * 40
    t = day_number(S) + shifts
    together = build_features(gathered, t, context).values[:, CONTEXT_COLUMNS]
    for position in range(len(gathered)):
        alone = gathered.take(np.array([position]))
        assert (
            build_features(alone, int(t[position]), context).values[0, CONTEXT_COLUMNS].tobytes()
            == together[position].tobytes()
        )


@settings(max_examples=20, deadline=None)
@given(workplaces())
def test_absence_is_counted_as_the_feature_counts_it(rows):
    gathered = histories(rows, T)
    matrix = build_features(gathered, day_number(T)).values
    for position in range(len(gathered)):
        alone = workplace_context(gathered.take(np.array([position])), day_number(T))
        if alone.places and alone.totals[0, 0]:
            assert alone.totals[0, 6] == matrix[position, POSITIONS["days_doctor_365"]]


def test_the_random_workplaces_are_large_enough_to_tell_something():
    told = 0

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(workplaces())
    def count(rows):
        nonlocal told
        found = numbers(histories(rows, T), snapshot(rows, S).published())
        told += np.isfinite(found).sum(axis=0)

    count()
    assert (told > 20).all(), told


def test_days_of_the_strategies():
    assert LONG_AGO < S < T == day(S, 120)
