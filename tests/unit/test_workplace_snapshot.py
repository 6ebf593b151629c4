"""The snapshot of the workplaces: from the tables into the signed bundle, and from there to the answer about one record."""

from __future__ import annotations

import copy
import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_contracts.errors import ArtifactError, MissingInputError
from data_contracts.readers.parquet_files import write_tables
from data_contracts.time_windows import calendar_date, day_number, today
from features.build import CONTEXT_COLUMNS, build_features
from features.catalogue import FEATURE_NAMES, POSITIONS
from features.histories import Histories
from features.record import tables_of_record
from features.workplace_context import NAMES, workplace_context
from models import artifact
from models.artifact import CONTEXT_FILE, LARGEST_CONTEXT, from_files, load, parse_context, save, to_files
from models.bundle import create_keys, export_bundle, open_bundle
from models.risk_model import RiskModel
from pipeline import score
from pipeline.engine import open_engine
from pipeline.person_record import person_record
from pipeline.train import with_snapshot as with_own_snapshot
from pipeline.workplace_snapshot import store_snapshot, stored_snapshot
from pipeline.workspace import Workspace
from serving import case as case_module
from serving.notices import STALE_WORKPLACE
from serving.predictor import Predictor, case_of
from tests.lib.models import linear_model, random_rows, snapshot
from tests.lib.nights import promote
from tests.lib.random_workplaces import Workplaces
from tests.lib.records import day, histories, tables

PROJECT = Path(__file__).parents[2]
REQUEST = json.loads((PROJECT / "examples" / "request.json").read_text())
INDEX_DATE = date.fromisoformat(REQUEST["index_date"])
SICK_LEAVE = "long_sick_leave"


# --- in the artifact --------------------------------------------------------------------------------------------------


def test_a_bundle_carries_the_snapshot_and_an_older_one_none(tmp_path):
    signing, verify = create_keys(tmp_path / "keys")
    for version, context in (("1", snapshot()), ("2", None)):
        save(replace(linear_model(), workplace_context=context), tmp_path / "model")
        bundle = export_bundle(tmp_path / "model", tmp_path / "bundles", SICK_LEAVE, version, signing)
        found = open_bundle(bundle, verify).workplace_context
        assert (found and found.to_document()) == (context and context.to_document())
        assert (bundle / CONTEXT_FILE).exists() is (context is not None)


def test_saving_a_model_without_snapshot_removes_the_last_one(tmp_path):
    save(replace(linear_model(), workplace_context=snapshot()), tmp_path)
    save(linear_model(), tmp_path)
    assert load(tmp_path).workplace_context is None


def test_what_is_not_published_does_not_get_into_an_artifact():
    small = replace(linear_model(), workplace_context=snapshot(persons=10))
    assert json.loads(to_files(small)[CONTEXT_FILE])["workplaces"] == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000, b"1" * 10_000],
    ids=["empty", "cut", "a list", "no fields", "no text", "deep", "a long number"],
)
def test_a_damaged_snapshot_is_an_artifact_error(content):
    files = to_files(replace(linear_model(), workplace_context=snapshot()))
    with pytest.raises(ArtifactError, match=CONTEXT_FILE):
        from_files(files | {CONTEXT_FILE: content})


def test_a_snapshot_for_another_purpose_is_an_artifact_error():
    document = snapshot().to_document() | {"purpose": "model_training"}
    with pytest.raises(ArtifactError, match="not taken for risk scoring"):
        parse_context(json.dumps(document).encode())


def test_a_snapshot_that_is_too_large_is_not_parsed(monkeypatch):
    monkeypatch.setattr(artifact, "json", None)
    with pytest.raises(ArtifactError, match="larger than any"):
        parse_context(b" " * (LARGEST_CONTEXT + 1))


# --- in an answer -----------------------------------------------------------------------------------------------------


def predicted(model: RiskModel, record: dict[str, Any] | None = None) -> dict[str, Any]:
    response = Predictor({SICK_LEAVE: model}).explain(record or REQUEST["record"], INDEX_DATE, [SICK_LEAVE], INDEX_DATE)
    return response.model_dump(mode="json")["outcomes"][SICK_LEAVE]


def of_others(found: dict[str, Any]) -> dict[str, str | None]:
    """The day of what is known of others, which no answer says: None where it is missing."""
    reasons = [reason for reason in found["reasons"] if reason["feature"] in NAMES]
    assert {reason["value"] for reason in reasons} == {None}
    assert all(reason["missing"] is (reason["observed_on"] is None) for reason in reasons)
    return {reason["feature"]: reason["observed_on"] for reason in reasons}


def case_at(record: dict[str, Any]) -> case_module.Case:
    return case_of(tables_of_record(record, INDEX_DATE), INDEX_DATE, INDEX_DATE)


def seen(model: RiskModel, record: dict[str, Any] | None = None) -> dict[str, float]:
    """What the model itself sees of the others."""
    case = case_at(record or REQUEST["record"])
    values = case.seen_by(case_module.Served(model)).values[0, CONTEXT_COLUMNS].tolist()
    return dict(zip(FEATURE_NAMES[CONTEXT_COLUMNS], values, strict=True))


def codes(found: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in found["warnings"]]


def with_snapshot(**options: Any) -> RiskModel:
    return replace(linear_model(), workplace_context=snapshot(**options))


def test_a_record_is_seen_with_the_others_of_the_snapshot():
    assert of_others(predicted(with_snapshot())) == dict.fromkeys(NAMES, "2025-06-01")
    found = seen(with_snapshot())
    assert found["company_persons"] == 39
    own = build_features(_histories(REQUEST["record"]), day_number("2025-06-01")).values[0]
    days = (400 - own[FEATURE_NAMES.index("days_doctor_365")]) / 39
    assert found["company_days_doctor_365"] == pytest.approx(days)
    assert codes(predicted(with_snapshot())) == []


def test_an_app_that_sends_only_what_holds_today_is_told_nothing_rather_than_its_own_part():
    """The app has copied everything after the day of the snapshot: what it sent then is in the totals, and not in sight."""
    copied = copy.deepcopy(REQUEST["record"])
    rows = [copied["person"], *(row for table in copied.values() if isinstance(table, list) for row in table)]
    for row in rows:
        row["known_from"] = max(row["known_from"], "2025-11-20")
    found = predicted(with_snapshot(), copied)
    assert of_others(found) == dict.fromkeys(NAMES)
    assert found["risk"] is not None
    assert {value == value for value in seen(with_snapshot(), copied).values()} == {False}


@pytest.mark.parametrize("outcomes_reason", ["predict", "explain"])
def test_no_answer_holds_a_number_of_others(outcomes_reason):
    """200 and 40 stand in the snapshot; 39 others and their means must stand nowhere in the answer."""
    answer = getattr(Predictor({SICK_LEAVE: _only_others(with_snapshot())}), outcomes_reason)
    reasons = answer(REQUEST["record"], INDEX_DATE, [SICK_LEAVE], INDEX_DATE).outcomes[SICK_LEAVE].reasons
    assert reasons
    assert {reason.feature for reason in reasons} <= NAMES
    for reason in reasons:
        told = f"{reason.value} {reason.shown} {reason.text}".replace("365", "")
        assert not any(character.isdigit() for character in told), told


def _only_others(model: RiskModel) -> RiskModel:
    return of_features(model, [name for name in FEATURE_NAMES if name in NAMES])


def _histories(record: dict[str, Any]) -> Histories:
    return Histories.from_record(record, consent_on=INDEX_DATE, received_on=INDEX_DATE)


@pytest.mark.parametrize(
    "model",
    [linear_model(), with_snapshot(company="SYNTHETIC-c2")],
    ids=["no snapshot", "of another company"],
)
def test_without_a_usable_snapshot_the_others_are_unknown(model):
    found = predicted(model)
    assert of_others(found) == dict.fromkeys(NAMES)
    assert found["risk"] == predicted(linear_model())["risk"]
    assert codes(found) == []


def test_a_snapshot_of_a_later_day_is_not_used_and_this_is_said():
    same_day, later = (with_snapshot(day=day(REQUEST["index_date"], ahead)) for ahead in (0, 1))
    assert codes(predicted(same_day)) == []
    found = predicted(later)
    assert codes(found) == ["later_workplace"]
    assert of_others(found) == dict.fromkeys(NAMES)
    assert found["risk"] == predicted(linear_model())["risk"]


def test_an_old_snapshot_is_not_used_and_this_is_said():
    edge, old = (with_snapshot(day=day(REQUEST["index_date"], -age)) for age in (183, 184))
    assert codes(predicted(edge)) == []
    assert seen(edge)["company_persons"] == 39
    found = predicted(old)
    assert codes(found) == [STALE_WORKPLACE.code]
    assert "183 days" in STALE_WORKPLACE.message["en"]
    assert of_others(found) == dict.fromkeys(NAMES)


def test_nothing_is_said_of_a_snapshot_that_the_model_or_the_person_has_no_use_for():
    old = with_snapshot(day="2020-01-01")
    record = copy.deepcopy(REQUEST["record"])
    record["consents"] = [row for row in record["consents"] if row["source"] == "employment"]
    assert STALE_WORKPLACE.code in codes(predicted(old, record))
    kept = [name for name in FEATURE_NAMES if name not in FEATURE_NAMES[CONTEXT_COLUMNS]]
    assert codes(predicted(of_features(old, kept))) == []


def of_features(model: RiskModel, names: list[str]) -> RiskModel:
    """The model without some of its columns, as if they had no weight."""
    places = [FEATURE_NAMES.index(name) for name in names]
    parts = {part: getattr(model, part)[places] for part in artifact.LINEAR_PARTS}
    return replace(model, feature_names=tuple(names), refits=(), golden=None, **parts)


def test_a_model_that_does_not_ask_for_others_is_spared_the_work(monkeypatch):
    monkeypatch.setattr(case_module, "context_features", None)
    kept = [name for name in FEATURE_NAMES if name not in FEATURE_NAMES[CONTEXT_COLUMNS]]
    assert predicted(of_features(with_snapshot(), kept))["risk"] is not None


def test_the_answers_of_others_are_no_survey_of_ones_own():
    record = copy.deepcopy(REQUEST["record"])
    record["survey_answers"] = []
    assert codes(predicted(with_snapshot(), record)) == ["no_survey"]


def test_each_model_sees_its_own_snapshot():
    models = {
        SICK_LEAVE: with_snapshot(),
        "burnout": replace(linear_model("burnout"), workplace_context=snapshot(persons=60)),
    }
    case = case_at(REQUEST["record"])
    persons = [case.seen_by(case_module.Served(one)).values[0, POSITIONS["company_persons"]] for one in models.values()]
    assert persons == [39, 59]
    risks = Predictor(models).explain(REQUEST["record"], INDEX_DATE, tuple(models), INDEX_DATE).outcomes
    assert {name: one.risk for name, one in risks.items()} == {
        name: Predictor({name: one}).explain(REQUEST["record"], INDEX_DATE, [name], INDEX_DATE).outcomes[name].risk
        for name, one in models.items()
    }


# --- from the tables --------------------------------------------------------------------------------------------------

S, T = "2025-11-01", "2026-03-01"
ROWS = Workplaces(seed=8, n_persons=45)


def stored(tmp_path: Path, n_partitions: int) -> bytes:
    workspace = Workspace(tmp_path)
    write_tables(workspace.tables, tables(ROWS), n_partitions)
    with open_engine(
        "local", None, n_partitions, workspace.tables / "persons.parquet", tmp_path, tmp_path / "spill"
    ) as each:
        home = workspace.training_set(SICK_LEAVE)
        store_snapshot(home, workspace.tables, date.fromisoformat(S), each, n_partitions, lambda _: None)
    return (home / CONTEXT_FILE).read_bytes()


def test_the_stored_snapshot_is_that_of_everybody_whatever_the_partitions(tmp_path):
    gathered = histories(ROWS, S, data_as_of=day_number(S))
    expected = workplace_context(gathered, day_number(S)).published()
    content = stored(tmp_path / "1", 1)
    assert stored(tmp_path / "3", 3) == content
    found = stored_snapshot(Workspace(tmp_path / "1"), SICK_LEAVE)
    assert found.places == expected.places != ()
    assert found.totals.tobytes() == expected.totals.tobytes()
    assert (calendar_date(found.day).isoformat(), found.terms) == (S, gathered.terms)


def test_a_model_that_asks_for_others_takes_the_snapshot_along_and_another_does_not(tmp_path):
    stored(tmp_path, 1)
    model = with_own_snapshot(linear_model(), Workspace(tmp_path))
    assert calendar_date(model.workplace_context.day).isoformat() == S
    kept = [name for name in FEATURE_NAMES if name not in NAMES]
    assert with_own_snapshot(of_features(linear_model(), kept), Workspace(tmp_path)).workplace_context is None


def test_a_training_set_without_snapshot_says_what_to_run(tmp_path):
    with pytest.raises(MissingInputError, match="build-training-set --outcome long_sick_leave"):
        with_own_snapshot(linear_model(), Workspace(tmp_path))


def test_the_verb_score_sees_the_others_as_a_request_does(tmp_path):
    """In the snapshot that the model takes along, and not as they are on the morning that is asked for."""
    workspace = Workspace(tmp_path)
    write_tables(workspace.tables, tables(ROWS))
    gathered = histories(ROWS, S, data_as_of=day_number(S))
    taken = workplace_context(gathered, day_number(S)).published()
    # A model whose risk is the mean absence of the others, and nothing else.
    weight = np.zeros(len(FEATURE_NAMES))
    weight[FEATURE_NAMES.index("company_days_doctor_365")] = 1.0
    model = replace(linear_model(n_refits=0), coefficients=weight, workplace_context=taken)
    promote(workspace, model.with_golden(random_rows(25, seed=9)))
    found = score.run(workspace, date.fromisoformat(T), [SICK_LEAVE], None, 1)
    with Path(found["path"]).open(encoding="utf-8") as file:
        scored = {row["person_id"]: float(row["risk"]) for row in csv.DictReader(file) if row["risk"]}
    assert len(set(scored.values())) > 3
    predictor = Predictor.from_bundles(workspace.bundles, workspace.keys / "verify.key")
    for person_id, risk in scored.items():
        record = person_record(tables(ROWS), person_id, np.datetime64(T, "D"))
        asked = predictor.predict(record, date.fromisoformat(T), [SICK_LEAVE], today())
        assert asked.outcomes[SICK_LEAVE].risk == risk
    one = next(iter(scored))
    alone = score.run(workspace, date.fromisoformat(T), [SICK_LEAVE], one)["outcomes"][SICK_LEAVE]
    assert alone["risk"] == scored[one]
    reasons = {reason["feature"]: reason for reason in alone["reasons"]}
    reason = reasons["company_days_doctor_365"]
    assert (reason["observed_on"], reason["value"], reason["missing"]) in ((S, None, False), (None, None, True))
    if not reason["missing"]:
        assert reason["shown"]["en"].startswith("not shown")
