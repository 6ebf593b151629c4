"""The leakage battery, put to Featuretools, timeseriesflattener and Feast (default and best setting) and to ourselves.

    python -m benchmarks.leakage.scoreboard

Each rival runs in an environment of its own under .bench/, made on first use; one that cannot be installed is left out with a
line that says why. Writes benchmarks/results/leakage.json and, from it, docs/leakage_scoreboard.md.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import meta
from benchmarks.leakage import ours
from benchmarks.leakage.cases import ASKED, CASES, Asked, case_verdict, task, verdict
from benchmarks.leakage.environments import RIVALS, ROOT, MissingRivalError, ask
from benchmarks.leakage.page import COLUMNS, OURS, cell, page
from tests.lib.leakage_cases import Answer

RESULTS = meta.RESULTS / "leakage.json"
SPEED = meta.RESULTS / "peers_speed.json"
PAGE = ROOT / "docs" / "leakage_scoreboard.md"

Judged = list[dict[str, Any]]
"""Name, person, t, data_as_of, expected, answer, answer_on_visible and verdict of every number of a case."""


def judged(asked: Asked, answers: dict[str, Answer], on_visible: dict[str, Answer]) -> Judged:
    """Judge every number of one question."""
    question = asked.question
    return [
        {
            "name": name,
            "person": question.person,
            "t": question.t,
            "data_as_of": question.data_as_of,
            "expected": expected,
            "answer": answers[name],
            "answer_on_visible": on_visible[name],
            "verdict": verdict(name, expected, answers[name], on_visible[name]),
        }
        for name, expected in question.expected.items()
    ]


def ask_ourselves() -> dict[int, Judged]:
    """Answer every question through ingest; what is wrong is asked again on visible rows."""
    found: dict[int, Judged] = {case.number: [] for case in CASES}
    for asked in ASKED:
        # The progress bars of ingest say nothing here.
        with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stderr(io.StringIO()):
            answers = ours.answers(asked, Path(directory) / "all")
            parts = judged(asked, answers, answers)
            if asked.question.kind == "features" and any(part["verdict"] != "right" for part in parts):
                parts = judged(asked, answers, ours.answers(asked, Path(directory) / "visible", only_visible=True))
        found[asked.case.number] += parts
    return found


def ask_rival(rival: str) -> tuple[str, dict[str, dict[int, Judged]]]:
    """Put every question to a rival, and every question about features again on visible rows only.

    Returns its version, and per setting the judged numbers of each case.
    """
    repeated = [asked for asked in ASKED if asked.question.kind == "features"]
    tasks = [task(asked) for asked in ASKED] + [task(asked, only_visible=True) for asked in repeated]
    reply = ask(rival, f"{rival}_runner.py", tasks)
    full = dict(zip(map(id, ASKED), reply["answers"], strict=False))
    visible = full | dict(zip(map(id, repeated), reply["answers"][len(ASKED) :], strict=True))
    found: dict[str, dict[int, Judged]] = {}
    for setting in ("default", "best"):
        cases = found.setdefault(setting, {case.number: [] for case in CASES})
        for asked in ASKED:
            cases[asked.case.number] += judged(asked, full[id(asked)][setting], visible[id(asked)][setting])
    return reply["version"], found


def summary(parts: Judged) -> dict[str, Any]:
    """Return the verdict on a case with everything it rests on."""
    return {"verdict": case_verdict([part["verdict"] for part in parts]), "answers": parts}


def run() -> dict[str, Any]:
    """Ask everybody."""
    versions = {OURS: version("balance-risk")}
    columns = {OURS: ask_ourselves()}
    left_out = []
    for rival in RIVALS:
        try:
            versions[rival], settings = ask_rival(rival)
        except MissingRivalError as missing:
            left_out.append(str(missing))
            continue
        columns |= {f"{rival} {setting}": cases for setting, cases in settings.items()}
    return {
        "versions": versions,
        "left_out": left_out,
        "cases": [
            {
                "number": case.number,
                "name": case.name,
                "columns": {name: summary(found[case.number]) for name, found in columns.items()},
            }
            for case in CASES
        ],
    }


def print_table(results: dict[str, Any]) -> None:
    """Print one line per case and tool."""
    for case in results["cases"]:
        print(f"{case['number']} {case['name']}")
        for name in COLUMNS:
            if name in case["columns"]:
                print(f"    {name:<30}{cell(case['columns'][name])}")
    for line in results["left_out"]:
        print(line)


def main() -> None:
    """Run, print, and write the results and the page; with --page only the page, from the results that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="run nothing, write the page from the results")
    if parser.parse_args().page:
        write_page()
        return
    results = run()
    print_table(results)
    rivals = {name: number for name, number in results["versions"].items() if name != OURS}
    meta.save(RESULTS, results, packages=("numpy", "pyarrow"), rivals=rivals)
    write_page()


def write_page() -> None:
    """Write the page from the two files of results; without the first there is nothing to say yet, and of a trial nothing."""
    if not (RESULTS.exists() and meta.is_kept()):
        return
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    speed = json.loads(SPEED.read_text(encoding="utf-8")) if SPEED.exists() else None
    PAGE.write_text(page(results, speed), encoding="utf-8")


if __name__ == "__main__":
    main()
