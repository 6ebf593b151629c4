"""docs/adding.md followed to the letter in a copy of the project: what it adds is there from end to end."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.lib import documented
from tests.lib.source_files import employee, together, write_source

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding.md"
OUTCOME = "very_long_sick_leave"
ANSWERS = [
    {
        "person_id": "p",
        "instrument": "brs",
        "item": f"item_{number}",
        "answer": 4,
        "answered_on": day,
        "known_from": day,
    }
    for number in range(1, 7)
    for day in ("2022-05-01", "2023-05-01", "2024-05-01", "2025-05-01")
]
WRONG = ANSWERS[0] | {"answered_on": "2025-06-01", "known_from": "2025-06-01", "answer": 0}  # codes are 1 to 5
RESULT = {"person_id": "p", "code_system": "LOINC", "code": "3084-1", "value": 6.0, "unit": "mg/dL",
          "sampled_on": "2025-05-01", "known_from": "2025-05-02"}  # fmt: skip


class Copy:
    """A copy of the project in which things are added."""

    def __init__(self, home: Path) -> None:
        self.home = home
        listed = self._git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
        for name in filter(lambda one: (ROOT / one).is_file(), listed):
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes((ROOT / name).read_bytes())
        # What a contributor's own set-up would have made: the commands of the page name it.
        (home / ".venv").symlink_to(Path(sys.prefix))

    @staticmethod
    def _git(where: Path, *words: str, given: str = "") -> str:
        done = subprocess.run(["git", *words], cwd=where, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def follow(self, block: documented.Block) -> None:
        """Save a file, or apply a difference, as the page says."""
        if block.language == "diff":
            self._git(self.home, "apply", "--unidiff-zero", "-", given=block.text)
        elif block.language == "python":
            first, text = block.text.split("\n", 1)
            path = self.home / first.removeprefix("# ")
            assert not path.exists(), f"{path.name} is part of the project; it is no example any more"
            path.write_text(text)

    def run(self, command: str) -> str:
        """Run one line of the page in the copy, with the copy's own code."""
        made = command.replace("make ", "make --old-file .venv/.ready ", 1) if command.startswith("make ") else command
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": programs, "PYTHONPATH": str(self.home)}
        words = ["bash", "-euc", made]
        done = subprocess.run(words, cwd=self.home, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Copy:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout of git: what belongs to the project cannot be told")
    made = Copy(tmp_path_factory.mktemp("adding") / "project")
    for block in documented.blocks(PAGE):
        made.follow(block)
    made.run(next(one.text for one in documented.commands(PAGE) if one.text.startswith("make format")))
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("source") / "source"
    write_source(home, together(employee(), {"survey_answers": [*ANSWERS, WRONG], "lab_results": [RESULT]}))
    return home


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def commands(start: str) -> list[str]:
    found = [one.text for one in documented.commands(PAGE) if one.text.startswith(start)]
    assert found, f"the page has no command that starts with {start}"
    return found


def test_every_block_of_the_page_is_a_file_a_difference_or_a_command():
    assert {block.language for block in documented.blocks(PAGE)} == {"python", "diff", "console"}


def test_the_features_are_in_the_catalogue_with_their_labels(copy):
    every = {one["name"]: one for one in json.loads(copy.run("balance-risk features --list --json"))["features"]}
    assert {"brs_resilience", "brs_age_days", "urate", "urate_distance", "guidance_sessions_30"} <= set(every)
    assert every["brs_resilience"]["label_nb"] == "Motstandskraft"
    assert (every["brs_resilience"]["low"], every["brs_resilience"]["high"]) == (1, 5)
    assert every["urate"]["unit"] == "umol/L"


def test_the_generated_pages_know_them(copy):
    pages = {name: (copy.home / "docs" / f"{name}.md").read_text() for name in ("instruments", "analytes", "features")}
    assert "Brief Resilience Scale" in pages["instruments"]
    assert "| LOINC | 3084-1 | `mg/dL` |" in pages["analytes"]
    assert "`guidance_sessions_30`" in pages["features"]


def test_rows_of_them_are_accepted_and_an_answer_that_is_no_code_of_it_is_not(copy, source):
    copy.run(f"balance-risk ingest --workspace checked --source {source}")
    tables = copy.home / "checked" / "data" / "tables"
    answers = pq.read_table(tables / "survey_answers.parquet").to_pylist()
    assert [row["instrument"] for row in answers] == ["brs"] * len(ANSWERS)
    assert pq.read_table(tables / "lab_results.parquet").num_rows == 1
    (refused,) = rows_of(tables / "quarantine.csv")
    assert (refused["column"], refused["value"]) == ("answer", "0")


def test_units_are_converted_by_the_molar_mass(copy):
    factors = rows_of(copy.home / "data_contracts" / "analyte_conversions.csv")
    (factor,) = [row["factor"] for row in factors if (row["analyte"], row["unit"]) == ("urate", "mg/dL")]
    assert float(factor) == pytest.approx(59.48, abs=0.01)


def test_the_simulator_answers_it_and_the_outcome_is_trained(copy):
    params = copy.home / "params.yaml"
    params.write_text(params.read_text().replace("refits: 20", "refits: 2"))  # for time: only intervals need more
    verbs = commands("balance-risk")
    assert [verb.split()[1] for verb in verbs] == ["simulate", "ingest", "build-training-set", "train"]
    for verb in verbs:
        copy.run(verb)
    home = copy.home / "tried" / "data"
    instruments = pq.read_table(home / "tables" / "survey_answers.parquet", columns=["instrument"])["instrument"]
    assert "brs" in instruments.unique().to_pylist()
    assert json.loads((home / "models" / OUTCOME / "champion" / "model.json").read_text())["outcome"] == OUTCOME


def test_the_outcome_is_named_wherever_outcomes_are(copy):
    assert f"{OUTCOME}: 8.0% with the event" in copy.run(f"balance-risk sample-size --outcome {OUTCOME}")
    stages = copy.run(
        "mkdir -p dvc && cp dvc.yaml params.yaml dvc/ && cd dvc && dvc init --no-scm -q && dvc stage list"
    )
    assert {f"{stage}@{OUTCOME}" for stage in ("build-training-set", "train", "evaluate")} <= set(stages.split())
    described = "from serving.endpoints import ENDPOINTS; from serving.openapi import document"
    assert f'"{OUTCOME}"' in copy.run(f"python -c '{described}; print(document(ENDPOINTS).decode())'")


@pytest.mark.long
@pytest.mark.parametrize("command", [pytest.param(position, id=f"command {position}") for position in range(2)])
def test_the_tests_that_the_page_names_pass(copy, command):
    copy.run(commands(".venv/bin/python -m pytest")[command])


def test_the_golden_sheets_of_the_page_are_right(copy):
    named = commands(".venv/bin/python -m pytest")[0]
    assert {"tests/golden", "tests/unit/test_instrument.py"} <= set(named.split())
    copy.run(".venv/bin/python -m pytest -k 'brs or every' tests/golden/test_instruments.py "
             "tests/golden/test_instruments_coding.py tests/unit/test_instrument.py")  # fmt: skip
