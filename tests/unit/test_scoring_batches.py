"""A night scores many records at once: each has the bytes it has alone, in any order, whoever is refused beside her."""

from __future__ import annotations

import copy
import json
import random
from datetime import date
from pathlib import Path

import orjson
import pytest

from data_contracts.many_records import check_records
from models import artifact
from models.bundle import export_bundle
from models.signing import create_keys
from serving.predictor import Predictor
from serving.store.scoring import Scorer, Task
from tests.lib.models import boosted_model, linear_model

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
DAY = date.fromisoformat(REQUEST["index_date"])
RECEIVED = date(2026, 3, 1)
WITHDRAWN = {"SYNTHETIC-3": {"survey": date(2025, 1, 1)}, "SYNTHETIC-4": {"lab": date(2026, 5, 1)}}
N = 40


def record(number: int) -> dict:
    """The example as another person; every one of them odd in a way of her own."""
    found = copy.deepcopy(REQUEST["record"])
    found["person"] |= {"person_id": f"SYNTHETIC-{number}", "birth_year": 1955 + number}
    found["survey_answers"] = found["survey_answers"][number % 7 :]
    ODD.get(number, lambda one: None)(found)
    return found


def _flag(found: dict) -> None:
    found["survey_answers"].append(
        {"instrument": "phq9", "item": "item_9", "answer": 3, "answered_on": "2025-10-14", "known_from": "2025-10-14"}
    )


def _flag_and_fault(found: dict) -> None:
    _flag(found)
    found["lab_results"][0]["value"] = "high"


def _event(kind: str, **more: object) -> dict:
    company = REQUEST["record"]["employments"][0]["company_id"]
    return {"company_id": company, "kind": kind, "occurred_on": "2025-05-01", "known_from": "2025-05-02", **more}


ODD = {
    1: _flag,
    2: _flag_and_fault,
    5: lambda one: one.update(employments=[]),
    6: lambda one: one.pop("lab_results"),
    7: lambda one: one.update(absence_spells=None),
    8: lambda one: one["survey_answers"][0].update(person_id="SYNTHETIC-9"),
    9: lambda one: one.update(hobbies=[]),
    10: lambda one: one["survey_answers"].append(dict(one["survey_answers"][0])),
    11: lambda one: one["survey_answers"].append(one["survey_answers"][0] | {"answer": 0}),
    12: lambda one: one.update(survey_answers="none"),
    13: lambda one: one.update(workplace_events=[_event("downsizing")]),
    14: lambda one: one.update(workplace_events=[_event("downsizing", is_deleted=1)]),
    15: lambda one: one["survey_answers"].append("not an object"),
    16: lambda one: one["person"].pop("person_id"),
    17: lambda one: one["survey_answers"][0].update(answer=-0.0),
    18: lambda one: one["survey_answers"][0].update(answer=0.0),
    19: lambda one: one["consents"].clear(),
}


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
    assert refused == [2, 8, 9, 11, 12, 14, 15, 16]


def test_most_records_go_through_together_and_doubtful_ones_do_not(lines):
    records = [orjson.loads(line)["record"] for line in lines]
    sound = check_records(records, RECEIVED).sound
    assert {*sound}.isdisjoint({2, 6, 7, 8, 9, 11, 12, 14, 15, 16, 17})
    assert len(sound) >= N - 14


def test_two_records_of_one_person_are_not_one_history(scorer, lines, alone):
    twice = orjson.loads(lines[21])
    twice["record"]["survey_answers"] = []
    other = orjson.dumps(twice)
    assert scorer.lines([lines[21], other]) == [alone[21], scorer._alone(scorer._asked(other))]
    assert scorer.lines([lines[21], other])[1] != alone[21]


def test_a_safety_flag_is_told_of_her_whose_answer_it_is(scorer, lines):
    flagged = [number for number, one in enumerate(scorer.lines(lines)) if b'"is_flagged":true' in one]
    assert flagged == [1]
