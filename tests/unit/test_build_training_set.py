"""The stage: the training set that is built in memory, byte for byte, for any division; whole or not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from data_contracts.errors import EngineError
from data_contracts.readers.parquet_files import day_span, read_tables, write_tables
from models.outcomes import OUTCOMES
from models.training_set import build_training_set as built_in_memory
from pipeline import build_training_set, erase
from pipeline.engine import Each
from pipeline.locks import WorkspaceBusy
from pipeline.settings import Settings, TrainingSettings
from pipeline.workspace import Workspace
from tests.lib.cohorts import cohort, consents, inventory
from tests.lib.records import job, person, spell, tables

AS_OF = date(2025, 9, 1)
SETTINGS = Settings(
    training=TrainingSettings(
        data_as_of=AS_OF, first_index_date=date(2024, 3, 1), last_index_date=date(2024, 6, 1), months_between=3
    )
)
NAMES = [f"person-{i}" for i in range(30)]


def firm() -> dict:
    """Thirty persons of one company, enough for each to have ten others; surveys and absences differ by person."""
    return tables(cohort(
        *[spell("2024-10-01", "2024-11-15", person_id=name) for name in NAMES[::4]],
        *[spell("2023-02-01", f"2023-02-{10 + i % 15}", spell_id="B", person_id=name) for i, name in enumerate(NAMES)],
        jobs=tuple(job(person_id=name) for name in NAMES),
        surveys=tuple(row for i, name in enumerate(NAMES) for day in ("2024-01-15", "2025-01-15")
                      for row in inventory(day, 25 * (i % 3), 25, person_id=name)),
        persons=[person(name) for name in NAMES],
        consents=[row for name in NAMES for row in consents(name)],
    ))  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    write_tables(workspace.tables, firm())
    (workspace.tables / "ingest.json").write_text(json.dumps({"synthetic": True}))
    return workspace


def files(workspace: Workspace) -> dict[str, bytes]:
    home = workspace.training
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize("n", [1, 2, 50])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_any_division_gives_the_bytes_of_the_set_that_is_built_in_memory(outcome, n, workspace, tmp_path):
    write_tables(workspace.tables, firm(), n)  # of fifty partitions, twenty or more are empty
    build_training_set.run(workspace, SETTINGS, [outcome])
    dates = [date(2024, month, 1) for month in (3, 6)]
    expected = built_in_memory(firm(), OUTCOMES[outcome], dates, AS_OF, synthetic=True)
    expected.save(tmp_path / "expected")
    assert len(expected) > 30
    for suffix in ("npz", "json"):
        assert files(workspace)[f"{outcome}/rows.{suffix}"] == (tmp_path / f"expected.{suffix}").read_bytes()


def test_partitions_may_be_done_in_any_order(workspace, monkeypatch):
    write_tables(workspace.tables, firm(), 5)
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    expected = files(workspace)

    @contextmanager
    def backwards(*_: object) -> Iterator[Each]:
        yield lambda work, n: ((partition, work(partition)) for partition in reversed(range(n)))

    monkeypatch.setattr(build_training_set, "open_engine", backwards)
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert files(workspace) == expected


def test_the_others_at_the_workplace_are_those_of_all_partitions(workspace, tmp_path):
    dates = [date(2024, 3, 1)]
    found = built_in_memory(firm(), OUTCOMES["long_sick_leave"], dates, AS_OF)
    others = found.X[:, found.feature_names.tolist().index("company_persons")]
    assert set(others.tolist()) == {29.0}, "so the bytes above would differ, did a partition know only its own"


def test_a_failure_leaves_the_training_set_that_was_there(workspace, monkeypatch):
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    before = files(workspace)

    def fails(job: build_training_set.Job, partition: int) -> None:
        job.features_file(partition).write_bytes(b"half")
        raise EngineError("lost")

    monkeypatch.setattr(build_training_set, "rows_of", fails)
    with pytest.raises(EngineError, match="lost"):
        build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert files(workspace) == before


@pytest.mark.parametrize("name", ["workplace_context.json", "rows.json", "rows.npz"])
def test_a_set_that_could_not_be_put_in_place_whole_is_not_there(name, workspace, monkeypatch):
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    moved = build_training_set.os.replace

    def breaks(source: Path, target: Path) -> None:
        if Path(target) == workspace.training_set("burnout") / name:
            raise KeyboardInterrupt
        moved(source, target)

    monkeypatch.setattr(build_training_set.os, "replace", breaks)
    with pytest.raises(KeyboardInterrupt):
        build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert "burnout/rows.npz" not in files(workspace)


def test_what_a_killed_run_has_left_is_cleared(workspace):
    left = workspace.training_set("burnout") / "parts-0123" / "3.f4"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"features of somebody")
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert sorted(files(workspace)) == [
        f"burnout/{name}" for name in ("rows.json", "rows.npz", "workplace_context.json")
    ]


def during_the_build(monkeypatch, act) -> None:
    """Do something after all rows were read, and before anything is put in place."""
    rows_of = build_training_set.rows_of

    def reads_then_acts(job: build_training_set.Job, partition: int) -> object:
        part = rows_of(job, partition)
        act()
        return part

    monkeypatch.setattr(build_training_set, "rows_of", reads_then_acts)


def test_nobody_is_erased_while_a_build_has_read_her(workspace, monkeypatch):
    during_the_build(monkeypatch, lambda: erase.run(workspace, NAMES[3]))
    with pytest.raises(WorkspaceBusy):
        build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert not (workspace.root / "erasures").exists()


def test_somebody_erased_from_another_machine_meanwhile_does_not_come_back(workspace, monkeypatch):
    """Its locks are not seen here, so the tables themselves have to tell."""
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    before = files(workspace)
    table = read_tables(workspace.tables)["persons"]
    others = [name != NAMES[3] for name in table["person_id"].texts()]

    def erased() -> None:
        write_tables(workspace.tables, {"persons": {name: values[others] for name, values in table.items()}}, 1)

    during_the_build(monkeypatch, erased)
    with pytest.raises(EngineError, match="were changed while they were read"):
        build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert files(workspace) == before


def test_two_builds_of_one_outcome_do_not_take_each_others_files(workspace, monkeypatch):
    refused = []

    def second() -> None:
        with pytest.raises(WorkspaceBusy, match="works on burnout") as error:
            build_training_set.run(workspace, SETTINGS, ["burnout"])
        refused.append(error)

    during_the_build(monkeypatch, second)
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert len(refused) == 1
    assert "burnout/rows.npz" in files(workspace)


def test_a_build_of_another_outcome_goes_on_beside(workspace, monkeypatch):
    def beside() -> None:
        monkeypatch.undo()
        build_training_set.run(workspace, SETTINGS, ["long_sick_leave"])

    during_the_build(monkeypatch, beside)
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert {"burnout/rows.npz", "long_sick_leave/rows.npz"} < {*files(workspace)}


@pytest.mark.parametrize("built", [["burnout"], ["long_sick_leave"], ["burnout", "long_sick_leave"]])
def test_the_snapshots_of_all_outcomes_are_of_one_day(built, workspace):
    """The survey is known till 2025-01-15, absences till 2024-10-02 or so: the earlier of the two mornings is taken."""
    settings = Settings(training=TrainingSettings(first_index_date=date(2023, 3, 1), last_index_date=date(2023, 3, 1)))
    report = build_training_set.run(workspace, settings, built)
    own = {name: report["outcomes"][name]["facts"]["data_as_of"] for name in built}
    days = {json.loads(files(workspace)[f"{name}/workplace_context.json"])["day"] for name in built}
    assert len(days) == 1
    spans = [day_span(workspace.tables, name, "known_from") for name in ("absence_spells", "survey_answers")]
    assert days == {(min(last for _, last in spans) + timedelta(days=1)).isoformat()}
    assert all(next(iter(days)) <= day for day in own.values())
    assert own.get("burnout") not in days


def test_a_chosen_day_is_that_of_the_snapshot_too(workspace):
    build_training_set.run(workspace, SETTINGS, ["burnout"])
    assert json.loads(files(workspace)["burnout/workplace_context.json"])["day"] == AS_OF.isoformat()


def test_features_that_went_elsewhere_are_noticed(workspace, monkeypatch):
    rows_of = build_training_set.rows_of

    def writes_elsewhere(job: build_training_set.Job, partition: int) -> object:
        part = rows_of(job, partition)
        job.features_file(partition).unlink()
        return part

    monkeypatch.setattr(build_training_set, "rows_of", writes_elsewhere)
    with pytest.raises(EngineError, match=r"0\.f4 is not what its worker has written"):
        build_training_set.run(workspace, SETTINGS, ["burnout"])
