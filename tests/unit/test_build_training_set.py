"""The stage: the training set that is built in memory, byte for byte, for any division; whole or not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from data_contracts.errors import EngineError
from data_contracts.readers.parquet_files import write_tables
from models.outcomes import OUTCOMES
from models.training_set import build_training_set as built_in_memory
from pipeline import build_training_set
from pipeline.engine import Each
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


def test_features_that_went_elsewhere_are_noticed(workspace, monkeypatch):
    rows_of = build_training_set.rows_of

    def writes_elsewhere(job: build_training_set.Job, partition: int) -> object:
        part = rows_of(job, partition)
        job.features_file(partition).unlink()
        return part

    monkeypatch.setattr(build_training_set, "rows_of", writes_elsewhere)
    with pytest.raises(EngineError, match=r"0\.f4 is not what its worker has written"):
        build_training_set.run(workspace, SETTINGS, ["burnout"])
