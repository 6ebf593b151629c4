"""How fast a delivery is validated: a CSV of survey answers read, checked and run through Great Expectations; one JSON record.

    python -m benchmarks.validation_speed [--answers 1000000]

The answers are sound, from persons who each answered all questionnaires three times; writing the file is not counted.
Each number is of one run in a fresh process, as ``balance-risk validate`` is. Promised (issue 3): a million answers through
the full suite under 20 s and 3 GB with the import of Great Expectations, and one record under 1 ms.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import meta
from data_contracts.instruments import INSTRUMENTS
from data_contracts.readers.column_mapping import Mapping
from data_contracts.readers.sources import open_source
from data_contracts.records import Person, SurveyAnswer
from data_contracts.tables import Table
from data_contracts.validation import check, check_record

Lines = list[dict[str, Any]]
RECEIVED_ON = date(2026, 12, 1)
OCCASIONS = 3
RECORDS_TIMED = 500
SHEET = [(one.name, item.id, f"{item.answers[0]:g}") for one in INSTRUMENTS.values() for item in one.items]


def write_source(directory: Path, n_answers: int) -> None:
    """Write persons and their answers."""
    n_persons = -(-n_answers // (OCCASIONS * len(SHEET)))
    names = [f"person{number:08d}" for number in range(n_persons)]
    persons = "".join(f"{name},1980,female,2023-01-01\n" for name in names)
    (directory / "persons.csv").write_text("person_id,birth_year,sex,known_from\n" + persons)
    lines = (
        f"{name},{instrument},{item},{answer},{day},{day}\n"
        for number, name in enumerate(names)
        for day in (date(2023, 1, 1) + timedelta(300 * occasion + number % 300) for occasion in range(OCCASIONS))
        for instrument, item, answer in SHEET
    )
    with (directory / "survey_answers.csv").open("w") as file:
        file.write("person_id,instrument,item,answer,answered_on,known_from\n")
        file.writelines(line for line, _ in zip(lines, range(n_answers), strict=False))


def timed(what: str, step: Callable[[], Any], lines: Lines) -> Any:
    """Run a step, print and keep how long it took and the memory the process has needed at most so far."""
    start = time.perf_counter()
    found = step()
    seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what:<44} {seconds:7.2f} s   peak {peak:5.2f} GB")
    lines.append({"what": what, "seconds": seconds, "peak_gb": peak})
    return found


def tables(directory: Path) -> dict[str, Table]:
    """Read and check both tables."""
    source = open_source(str(directory), Mapping())
    accepted = {}
    for record in (Person, SurveyAnswer):
        delivered = source.read(record)
        assert delivered is not None
        checked = check(record, delivered.raw, received_on=RECEIVED_ON, origin=record.table)
        assert not checked.violations
        accepted[record.table] = checked.table
    return accepted


def suites(accepted: dict[str, Table]) -> None:
    """Run the suites."""
    from data_contracts.expectations import run

    assert all(result["success"] for result in run(accepted, RECEIVED_ON).values())


def import_great_expectations() -> None:
    from data_contracts.expectations import suite

    suite(Person)


def one_record() -> dict[str, Any]:
    """One employee with every questionnaire answered once."""
    known = {"person_id": "p", "known_from": "2025-05-01"}
    answers = [
        {"instrument": name, "item": item, "answer": float(answer), "answered_on": "2025-05-01"} | known
        for name, item, answer in SHEET
    ]
    spell = {"spell_id": "s", "kind": "doctor_certified", "grade_percent": 100, "diagnosis": "P76",
             "first_day": "2025-03-01", "last_day": "2025-03-10"}  # fmt: skip
    return {
        "person": {"birth_year": 1980, "sex": "female"} | known,
        "employments": [{"company_id": "c", "position_percent": 100, "start_date": "2020-01-01"} | known],
        "survey_answers": answers,
        "absence_spells": [spell | known],
    }


def time_records(lines: Lines) -> None:
    """Time the check of the record in examples/request.json, and of one with every questionnaire answered."""
    example = json.loads((Path(__file__).parents[1] / "examples" / "request.json").read_text(encoding="utf-8"))[
        "record"
    ]
    for name, record in (("examples/request.json", example), ("every questionnaire", one_record())):
        times = []
        for _ in range(RECORDS_TIMED):
            start = time.perf_counter()
            _, violations = check_record(record, RECEIVED_ON)
            times.append(1e3 * (time.perf_counter() - start))
            assert not violations
        middle, high = statistics.median(times), np.quantile(times, 0.99)
        n_answers = len(record["survey_answers"])
        print(f"one JSON record, {name} ({n_answers} answers): median {middle:.2f} ms, 99th percentile {high:.2f} ms")
        lines.append({"what": f"one JSON record, {name}, {n_answers} answers", "p50_ms": middle, "p99_ms": float(high)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_000_000)
    n_answers = parser.parse_args().answers
    lines: Lines = []
    time_records(lines)
    with tempfile.TemporaryDirectory() as name:
        write_source(Path(name), n_answers)
        print(f"{n_answers} survey answers")
        start = time.perf_counter()
        accepted = timed("read the CSV files and check every row", lambda: tables(Path(name)), lines)
        timed("import Great Expectations", import_great_expectations, lines)
        timed("run its suites over what was accepted", lambda: suites(accepted), lines)
        print(f"all of it {time.perf_counter() - start:42.2f} s")
    document = {"answers": n_answers, "lines": lines}
    meta.save(meta.RESULTS / "validation_speed.json", document, packages=("numpy", "pyarrow", "great_expectations"))


if __name__ == "__main__":
    main()
