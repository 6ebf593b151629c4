"""Simulated source files: the same in every format and for any number of processes, and faulty only where the ledger says."""

from __future__ import annotations

import csv
import json
import multiprocessing
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import BalanceRiskError
from data_contracts.readers.parquet_files import read_tables
from data_contracts.records import RECORDS
from data_contracts.rules import RULES
from data_contracts.tables import Coded
from pipeline import erase, ingest
from pipeline.settings import IngestSettings
from pipeline.simulation import block_runner
from pipeline.simulation.block_runner import Order, draw_in_order
from pipeline.simulation.cohort import simulate
from pipeline.simulation.defects import kinds
from pipeline.simulation.defects.changes import UNDETECTABLE
from pipeline.simulation.defects.kinds import KINDS
from pipeline.simulation.parameters import Parameters, read_parameters
from pipeline.simulation_check import discrimination as fitted_models
from pipeline.simulation_check import run as check_run
from pipeline.source_check import SourceCheck, check_source
from pipeline.workspace import Workspace

START, END = date(2023, 1, 1), date(2024, 7, 1)
RECEIVED = IngestSettings(received_on=END)
TABLE_NAMES = [record.table for record in RECORDS]


def make(directory: Path, persons: int = 300, **others: Any) -> dict[str, Any]:
    return simulate(directory, persons, 5, START, END, **others)


def checked(directory: Path) -> SourceCheck:
    return check_source(str(directory), None, RECEIVED)


def ledger(directory: Path) -> list[dict[str, str]]:
    with (directory / "truth/defects.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def lines(directory: Path, table: str) -> list[str]:
    return (directory / f"{table}.csv").read_text(encoding="utf-8").splitlines()


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*.*")}


# Processes


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_files_are_the_same_bytes_for_any_number_of_processes(
    faulty: dict[str, Path], tmp_path: Path, format: str
) -> None:
    make(tmp_path, 1500, scenarios=("defects",), format=format, workers=2)
    assert files(tmp_path) == files(faulty[format])


def test_fhir_files_are_the_same_bytes_for_any_number_of_processes(tmp_path: Path) -> None:
    for workers in (1, 2):
        simulate(tmp_path / str(workers), 1010, 5, date(2023, 7, 1), END, format="fhir", workers=workers)
    assert files(tmp_path / "1") == files(tmp_path / "2")
    assert {f"cohort-000{block}.ndjson" for block in (0, 1)} < set(files(tmp_path / "2"))


def test_a_process_that_is_ended_from_outside_gives_an_error_that_says_what_to_do() -> None:
    """As a system short of memory does."""
    drawn = draw_in_order(Order(20_000, 1, START, END, (), "csv", check=False), 2)
    next(drawn)
    multiprocessing.active_children()[0].kill()
    with pytest.raises(BalanceRiskError, match="fewer --workers"):
        list(drawn)


def test_an_interrupted_run_leaves_the_earlier_files_and_no_process(tmp_path: Path) -> None:
    make(tmp_path, 200)
    before = files(tmp_path)

    def interrupt(persons: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, 2100, workers=2, progress=interrupt)
    assert files(tmp_path) == before
    assert not multiprocessing.active_children()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up as Linux shows them")
def test_workers_end_with_a_main_process_that_is_killed(tmp_path: Path) -> None:
    """Or they would wait for work for ever, each with its memory."""
    work = f"simulate(Path({str(tmp_path)!r}), 90_000, 5, date(2023, 1, 1), date(2024, 7, 1), workers=2)"
    program = f"from datetime import date; from pathlib import Path; from {simulate.__module__} import simulate; {work}"
    with subprocess.Popen([sys.executable, "-c", program]) as main:
        children = Path(f"/proc/{main.pid}/task/{main.pid}/children")
        until(lambda: len(children.read_text().split()) == 3)  # two workers and Python's resource tracker
        workers = [Path(f"/proc/{child}") for child in children.read_text().split()]
        main.kill()
    until(lambda: not any(worker.exists() for worker in workers))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "waited a minute"
        time.sleep(0.05)


def test_only_a_few_blocks_are_under_way_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cohort of a million must not be drawn ahead of the disk and wait in memory."""
    submitted: list[int] = []

    class Pool(block_runner.ProcessPoolExecutor):
        def submit(self, *task: Any) -> Any:
            submitted.append(task[-1])
            return super().submit(*task)

    monkeypatch.setattr(block_runner, "ProcessPoolExecutor", Pool)
    drawn = draw_in_order(Order(20_000, 1, START, END, (), "csv", check=False), 2)
    next(drawn)
    drawn.close()
    assert len(submitted) <= 5


# Formats


@pytest.fixture(scope="module")
def by_format(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("formats")
    for format, persons in (("csv", 1100), ("parquet", 1100), ("fhir", 60), ("csv of few", 60)):
        make(root / format, persons, format=format.split()[0])
    return {path.name: path for path in root.iterdir()}


def test_ingest_of_parquet_gives_the_same_bytes_as_of_csv(by_format: dict[str, Path], tmp_path: Path) -> None:
    for format in ("csv", "parquet"):
        ingest.run(Workspace(tmp_path / format), RECEIVED, str(by_format[format]))
    for table in TABLE_NAMES:
        stored = [(tmp_path / format / f"data/tables/{table}.parquet").read_bytes() for format in ("csv", "parquet")]
        assert stored[0] == stored[1], table
    assert all(len(column) for column in read_tables(tmp_path / "csv/data/tables")["persons"].values())


def test_parquet_has_natural_types_and_few_row_groups(by_format: dict[str, Path]) -> None:
    answers = pq.ParquetFile(by_format["parquet"] / "survey_answers.parquet")
    kinds = {field.name: field.type for field in answers.schema_arrow}
    assert kinds["answer"] == pa.float64()
    assert kinds["answered_on"] == pa.date32()
    assert kinds["is_deleted"] == pa.bool_()
    assert pa.types.is_dictionary(kinds["instrument"])
    assert answers.metadata.num_row_groups == 1
    assert answers.metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_parquet_file_names_nobody_of_whom_it_has_no_row(by_format: dict[str, Path]) -> None:
    """Or an erasure would find a person where no row of hers is to be taken out."""
    named = pq.ParquetFile(by_format["parquet"] / "lab_results.parquet").read()["person_id"].combine_chunks()
    assert set(named.dictionary.to_pylist()) == set(named.to_pylist())


def test_ingest_of_fhir_gives_the_rows_of_csv_but_for_what_fhir_cannot_carry(by_format: dict[str, Path]) -> None:
    """Education has no element; an empty diagnosis_system means ICPC-2, which FHIR says in so many words."""
    fhir, plain = checked(by_format["fhir"]), checked(by_format["csv of few"])
    assert fhir.violations == plain.violations == []
    differing = {
        (table, name)
        for table, columns in plain.tables.items()
        for name, column in columns.items()
        if as_list(column) != as_list(fhir.tables[table][name])
    }
    assert differing == {("persons", "education_level"), ("absence_spells", "diagnosis_system")}
    assert set(fhir.tables["persons"]["education_level"].texts()) == {None}
    spells = fhir.tables["absence_spells"]
    assert spells["diagnosis_system"].texts() == [code and "ICPC-2" for code in spells["diagnosis"].texts()]


def as_list(column: Any) -> list[Any]:
    if isinstance(column, Coded):
        return column.texts()
    return [None if value != value else value for value in column.tolist()]


def test_every_fhir_resource_is_read_and_none_passed_over(by_format: dict[str, Path]) -> None:
    """The reader holds every resource against the models of fhir.resources."""
    found = checked(by_format["fhir"])
    assert len(found.notes) == 1
    assert "Conditions, read only as the diagnosis of an absence" in found.notes[0]
    for line in (by_format["fhir"] / "cohort-0000.ndjson").read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["resourceType"] != "Bundle"


def test_a_second_run_leaves_nothing_of_another_format_and_no_foreign_file_is_touched(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("tables: {}\n", encoding="utf-8")
    for format in ("csv", "fhir", "parquet"):
        make(tmp_path, 100, format=format)
        stamp = json.loads((tmp_path / "source.json").read_text(encoding="utf-8"))
        assert stamp["format"] == format
    assert {path.name for path in tmp_path.iterdir()} == {
        "mapping.yaml", "source.json", "SYNTHETIC.md", "truth", *(f"{table}.parquet" for table in TABLE_NAMES)
    }  # fmt: skip


def test_the_stamp_names_the_scenarios_and_says_what_they_mean(tmp_path: Path) -> None:
    summary = make(tmp_path, 100, scenarios=("clean", "defects"))
    assert summary["scenarios"] == ["clean", "defects"]
    page = (tmp_path / "SYNTHETIC.md").read_text(encoding="utf-8")
    assert "scenario defects: Faults of every kind" in page
    assert "scenario clean:" in page


def test_the_truth_lies_beside_the_tables_and_no_reader_opens_it(by_format: dict[str, Path]) -> None:
    for directory in by_format.values():
        assert {path.name for path in (directory / "truth").iterdir()} == {
            "truth.csv", "persons.csv", "companies.csv", "defects.csv"
        }  # fmt: skip
    persons, companies = (lines(by_format["csv"] / "truth", table) for table in ("persons", "companies"))
    assert [line.split(",")[0] for line in persons] == [
        line.split(",")[0] for line in lines(by_format["csv"], "persons")
    ]
    known = {line.split(",")[1] for line in lines(by_format["csv"], "employments")}
    assert {line.split(",")[0] for line in companies} == known
    assert checked(by_format["csv"]).notes == []


# Defects


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The scenario in CSV and Parquet; in FHIR few persons with many faults, as its reader takes its time."""
    root = tmp_path_factory.mktemp("faulty")
    for format in ("csv", "parquet"):
        make(root / format, 1500, scenarios=("defects",), format=format)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_runner, "read_parameters", with_many_defects)
        make(root / "fhir", 90, scenarios=("defects",), format="fhir")
    return {path.name: path for path in root.iterdir()}


def with_many_defects(scenarios: tuple[str, ...]) -> Parameters:
    parameters = read_parameters(scenarios)
    many = type(parameters.defects)(rates={kind.name: 0.5 for kind in KINDS})
    return Parameters(parameters.sections | {"defects": many}, scenarios, parameters.sha256)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_ingest_refuses_exactly_the_cells_of_the_ledger(faulty: dict[str, Path], format: str) -> None:
    planted = Counter(
        (one["file"], int(one["row"]), one["column"], one["rule"])
        for one in ledger(faulty[format])
        if one["rule"] != UNDETECTABLE
    )
    assert planted == Counter((one.origin, one.row, one.column, one.rule) for one in checked(faulty[format]).violations)


def test_ingest_of_fhir_refuses_exactly_the_lines_of_the_ledger(faulty: dict[str, Path]) -> None:
    """FHIR's reader names elements where the others name columns, so places and rules are compared."""
    planted = {(one["file"], int(one["row"]), one["rule"]) for one in ledger(faulty["fhir"])}
    found = {(one.origin, one.row, one.rule) for one in checked(faulty["fhir"]).violations}
    assert {one for one in planted if one[2] != UNDETECTABLE} == found
    assert {one["kind"] for one in ledger(faulty["fhir"])} == {kind.name for kind in KINDS if kind.in_fhir}


def test_every_kind_occurs_and_names_a_rule_of_the_contract(faulty: dict[str, Path]) -> None:
    assert {one["kind"] for one in ledger(faulty["csv"])} == {kind.name for kind in KINDS}
    assert {one["rule"] for one in ledger(faulty["csv"])} <= {*RULES, UNDETECTABLE}
    assert dict.fromkeys(kind.name for kind in KINDS) == dict.fromkeys(read_parameters().defects.rates)
    assert not any(read_parameters().defects.rates.values())


@pytest.mark.parametrize("format", ["csv", "parquet", "fhir"])
def test_ledger_and_quarantine_follow_when_a_person_is_erased(
    faulty: dict[str, Path], tmp_path: Path, format: str
) -> None:
    """Also where the truth has a file of the same name as a table, from which rows go too."""
    workspace = Workspace(tmp_path)
    shutil.copytree(faulty[format], workspace.source)
    received = RECEIVED.model_copy(update={"max_quarantined_share": 1.0})
    ingest.run(workspace, received)
    before = len(ledger(workspace.source))
    her = lines(workspace.source / "truth", "persons")[3].split(",")[0]
    erase.run(workspace, her)
    planted = {(one["file"], one["row"], one["rule"]) for one in ledger(workspace.source)}
    planted = {one for one in planted if one[2] != UNDETECTABLE}
    found = check_source(str(workspace.source), None, received).violations
    assert planted == {(one.origin, str(one.row), one.rule) for one in found}
    with (workspace.tables / "quarantine.csv").open(newline="", encoding="utf-8") as file:
        assert planted == {(one["file"], one["row"], one["rule"]) for one in csv.DictReader(file)}
    assert len(ledger(workspace.source)) <= before


def test_what_no_rule_can_see_passes_and_stands_in_the_ledger(faulty: dict[str, Path]) -> None:
    hidden = [one for one in ledger(faulty["csv"]) if one["rule"] == UNDETECTABLE]
    assert {one["kind"] for one in hidden} == {"vitamin_d_ng_per_ml", "ferritin_pmol_per_l", "weight_pounds"}
    accepted = checked(faulty["csv"]).row_numbers
    assert all(int(one["row"]) in accepted[one["table"]] for one in hidden)


def test_a_hidden_unit_error_is_the_right_value_in_another_unit(faulty: dict[str, Path], tmp_path: Path) -> None:
    make(tmp_path, 1500)
    sound, table = lines(tmp_path, "lab_results"), lines(faulty["csv"], "lab_results")
    place = sound[0].split(",").index("value")
    for kind, factor in (("vitamin_d_ng_per_ml", 1 / 2.496), ("weight_pounds", 1 / 0.4536)):
        rows = [int(one["row"]) - 1 for one in ledger(faulty["csv"]) if one["kind"] == kind]
        right, wrong = (np.array([float(source[row].split(",")[place]) for row in rows]) for source in (sound, table))
        assert np.allclose(wrong, right * factor, rtol=0.01, atol=0.06)


def test_ingest_takes_the_faulty_files_as_they_stay_under_its_limit(faulty: dict[str, Path], tmp_path: Path) -> None:
    report = ingest.run(Workspace(tmp_path), RECEIVED, str(faulty["csv"]))
    shares = {name: one["quarantined"] / one["rows"] for name, one in report["tables"].items()}
    assert all(0 < share < 0.05 for share in shares.values()), shares


def test_planting_leaves_every_other_row_as_it_was(faulty: dict[str, Path], tmp_path: Path) -> None:
    make(tmp_path, 1500)
    planted = Counter(one["table"] for one in ledger(faulty["csv"]))
    for table in TABLE_NAMES:
        lost = set(lines(tmp_path, table)) - set(lines(faulty["csv"], table))
        assert len(lost) <= planted[table], table


def test_a_person_has_the_same_faults_in_a_small_cohort(faulty: dict[str, Path], tmp_path: Path) -> None:
    make(tmp_path, 400, scenarios=("defects",))
    for table in TABLE_NAMES:
        assert set(lines(tmp_path, table)) <= set(lines(faulty["csv"], table)), table


def test_a_planted_identity_number_is_nobodys() -> None:
    """Tenor's test numbers have 80 added to the month; no number of a living person has."""
    number = kinds._synthetic_identity_number()
    assert 81 <= int(number[2:4]) <= 92


def test_the_base_plants_nothing_and_its_ledger_is_empty(by_format: dict[str, Path]) -> None:
    for directory in by_format.values():
        assert ledger(directory) == []


# Scenarios


def test_late_registration_delays_a_quarter_of_the_certificates_by_weeks(tmp_path: Path) -> None:
    make(tmp_path / "base", 1000)
    make(tmp_path / "late", 1000, scenarios=("unit_errors_and_late_registration",))
    shares = {}
    for name in ("base", "late"):
        spells = checked(tmp_path / name).tables["absence_spells"]
        of_doctor = spells["kind"].recode({"doctor_certified": 1}) == 1
        # History is read on the day of the consent, so only what was certified since tells of the register.
        recent = of_doctor & (spells["first_day"] > np.datetime64("2023-07-01"))
        delay = (spells["known_from"] - spells["first_day"])[recent].astype(int)
        shares[name] = (delay > 14).mean()
    assert shares["late"] > shares["base"] + 0.1
    assert {one["column"] for one in ledger(tmp_path / "late")} == {"value"}


def test_clean_files_have_no_slip(tmp_path: Path) -> None:
    make(tmp_path, 1000, scenarios=("clean",))
    found = checked(tmp_path)
    assert found.violations == []
    assert all(report["duplicates"] == 0 for report in found.reports.values())
    spells = found.tables["absence_spells"]
    of_doctor = spells["kind"].recode({"doctor_certified": 1}) == 1
    assert not spells["is_deleted"].any()
    assert not np.isnat(spells["last_day"]).any()
    assert (spells["diagnosis"].codes[of_doctor] >= 0).all()
    answers = found.tables["survey_answers"]
    of_who5 = answers["instrument"].recode({"who5": 1}) == 1
    sheets = Counter(zip(answers["person_id"].codes[of_who5], answers["answered_on"][of_who5].astype(int), strict=True))
    assert set(sheets.values()) == {5}


def test_two_scenarios_together_do_what_each_does_alone(tmp_path: Path) -> None:
    make(tmp_path / "clean", 400, scenarios=("clean",))
    make(tmp_path / "both", 400, scenarios=("clean", "defects"))
    planted = Counter(one["table"] for one in ledger(tmp_path / "both"))
    assert sum(planted.values()) > 20
    for table in TABLE_NAMES:
        lost = set(lines(tmp_path / "clean", table)) - set(lines(tmp_path / "both", table))
        assert len(lost) <= planted[table], table


def test_of_two_scenarios_the_later_one_wins_where_both_set_the_same() -> None:
    both = read_parameters(("unit_errors_and_late_registration", "defects"))
    assert both.certificates.late == read_parameters(("unit_errors_and_late_registration",)).certificates.late
    assert both.defects.rates == read_parameters(("defects",)).defects.rates


def test_the_check_counts_every_block_and_leaves_the_files_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted from the random streams of a block must not move what is drawn from them later."""
    monkeypatch.setattr(fitted_models, "discrimination", lambda directory: {"auroc.truth": 0.79})
    monkeypatch.setattr(check_run, "run_check", lambda *told: told)
    for name, check in (("plain", False), ("checked", True)):
        summary = make(tmp_path / name, 1100, check=check)
    tallies, discrimination, facts, directory = summary["check"]
    assert files(tmp_path / "plain") == files(tmp_path / "checked")
    assert directory == tmp_path / "checked"
    assert discrimination == {"auroc.truth": 0.79}
    assert facts["persons"] == 1100
    order = Order(1100, 5, START, END, (), "csv", check=True)
    parts = [drawn.tallies for drawn in draw_in_order(order, 1)]
    assert len(parts) == 2
    assert str(parts[0].merge(parts[1])) == str(tallies)
