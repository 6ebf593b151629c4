"""A night scores many records at once: each has the bytes it has alone, in any order, whoever is refused beside her."""

from __future__ import annotations

import random
from datetime import date

import orjson
import pytest

from data_contracts.many_records import MOST_ROWS, _Batch, check_records
from models import artifact
from models.bundle import export_bundle
from models.signing import create_keys
from serving.predictor import Predictor
from serving.store.scoring import Scorer, Task
from tests.lib.deployment import REQUEST
from tests.lib.models import boosted_model, linear_model
from tests.lib.odd_records import N, record

DAY = date.fromisoformat(REQUEST["index_date"])
RECEIVED = date(2026, 3, 1)
WITHDRAWN = {"SYNTHETIC-3": {"survey": date(2025, 1, 1)}, "SYNTHETIC-4": {"lab": date(2026, 5, 1)}}


@pytest.fixture(scope="module")
def scorer(tmp_path_factory) -> Scorer:
    home = tmp_path_factory.mktemp("batches")
    private_key, public_key = create_keys(home / "keys")
    bundles = {}
    for model in (linear_model("burnout", n_refits=3), boosted_model("long_sick_leave")):
        artifact.save(model, home / model.outcome)
        bundles[model.outcome] = str(
            export_bundle(home / model.outcome, home / "bundles", model.outcome, "1", private_key)
        )
    return Scorer(Task("score", DAY, RECEIVED, bundles, str(public_key), WITHDRAWN))


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return [orjson.dumps({"person_id": f"SYNTHETIC-{number}", "record": record(number)}) for number in range(N)]


@pytest.fixture(scope="module")
def alone(scorer, lines) -> list[bytes]:
    return [scorer._alone(scorer._asked(line)) for line in lines]


@pytest.mark.parametrize("size", [1, 3, N])
def test_a_result_has_the_same_bytes_in_a_batch_of_any_size(scorer, lines, alone, size):
    found = [one for first in range(0, N, size) for one in scorer.lines(lines[first : first + size])]
    assert found == alone


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_result_has_the_same_bytes_in_any_order(scorer, lines, alone, seed):
    order = random.Random(seed).sample(range(N), N)
    assert scorer.lines([lines[place] for place in order]) == [alone[place] for place in order]


def test_the_answer_is_what_a_request_is_answered(scorer, alone):
    predictor = Predictor(scorer.predictor.models)
    for number in (0, 1, 5, 10, 13, 19, 30):
        told = orjson.loads(alone[number])
        assert told["answer"].encode() == predictor.predict_json(record(number), DAY, list(predictor.models), RECEIVED)


def test_a_refused_record_refuses_only_itself(scorer, lines):
    refused = [number for number, one in enumerate(scorer.lines(lines)) if b'"refused"' in one]
    assert refused == [2, 8, 9, 11, 12, 14, 15, 16, 20]


def test_most_records_go_through_together_and_doubtful_ones_do_not(lines):
    records = [orjson.loads(line)["record"] for line in lines]
    sound = check_records(records, RECEIVED).sound
    assert {*sound}.isdisjoint({2, 6, 7, 8, 9, 11, 12, 14, 15, 16, 20, 29})
    assert len(sound) >= N - 14


def test_a_record_of_very_many_rows_is_looked_at_alone(lines):
    """All faults are looked for in what is checked together, so few rows may be wrong in it."""
    small, large = (orjson.loads(line)["record"] for line in lines[21:23])
    rows = sum(len(found) for found in large.values() if isinstance(found, list))
    large["guidance_sessions"] += [{}] * (MOST_ROWS - rows)
    assert check_records([small, large], RECEIVED).sound == [0]
    assert len(_Batch([small, large]).positions) == 2
    large["guidance_sessions"].append({})
    assert _Batch([small, large]).positions == [0]


def test_two_records_of_one_person_are_not_one_history(scorer, lines, alone):
    twice = orjson.loads(lines[21])
    twice["record"]["survey_answers"] = []
    other = orjson.dumps(twice)
    assert scorer.lines([lines[21], other]) == [alone[21], scorer._alone(scorer._asked(other))]
    assert scorer.lines([lines[21], other])[1] != alone[21]


def test_a_safety_flag_is_told_of_her_whose_answer_it_is(scorer, lines):
    flagged = [number for number, one in enumerate(scorer.lines(lines)) if b'"is_flagged":true' in one]
    assert flagged == [1]
