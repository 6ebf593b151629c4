"""docs/benchmarks.md and docs/scale.md say what the files of results say; every file is shown, and every table says whence."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path

import pytest

from benchmarks import attainable, meta, report
from benchmarks import run as bench
from benchmarks.catalogue import BENCHES
from benchmarks.scale import report as scale_report
from benchmarks.scale.beyond import two
from benchmarks.scale.fit import line
from benchmarks.scale.projection import breaking_points, fitted, on_a_cluster
from benchmarks.scale.results import Results
from benchmarks.training import run as training_run

RESULTS = sorted(path.name for path in meta.KEPT.glob("*.json"))
FILES = [bench.results for bench in BENCHES]


def about(folder: Path, name: str) -> dict[str, object]:
    return {**json.loads((folder / name).read_text(encoding="utf-8"))}


def test_the_page_is_what_the_results_say():
    assert report.PAGE.read_text(encoding="utf-8") == report.page(), "run: python -m benchmarks.report"


def test_the_page_about_scale_is_what_the_results_say():
    measured, partition = (
        about(meta.KEPT, name) if (meta.KEPT / name).exists() else None
        for name in (scale_report.MEASURED, scale_report.PARTITION)
    )
    page = scale_report.page(measured, partition)
    assert scale_report.PAGE.read_text(encoding="utf-8") == page, "run: python -m benchmarks.scale.report"


def test_a_number_that_changes_in_a_file_changes_on_the_page(tmp_path):
    document = about(meta.KEPT, "pages.json")
    document["lines"][0]["median_ms"] = 98765.0
    (tmp_path / "pages.json").write_text(json.dumps(document), encoding="utf-8")
    assert "98765" in report.page(tmp_path)


def test_a_run_that_was_broken_off_goes_on_with_what_has_no_result(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    (tmp_path / "features.json").write_text('{"meta": {"commit": "abc"}}', encoding="utf-8")
    (tmp_path / "leakage.json").write_text('{"meta": {"date": "2026-01-01"}}', encoding="utf-8")
    left = [one.name for one in bench.chosen((), is_missing=True)]
    assert left == [one.name for one in BENCHES if one.name != "features"]
    assert [one.name for one in bench.chosen(["features", "leakage"], is_missing=True)] == ["leakage"]


def test_every_file_of_results_belongs_to_a_benchmark_with_a_section():
    assert set(RESULTS) <= set(FILES)
    assert len(set(FILES)) == len(FILES)
    assert set(report.SECTIONS) == {bench.name for bench in BENCHES}


@pytest.mark.parametrize("name", RESULTS)
def test_every_section_says_command_date_machine_and_versions(name):
    page = report.page()
    (said,) = re.findall(rf"^\*{re.escape(name)}[.,][^*]*\* Measured: (.*)$", page, re.MULTILINE)
    for part in ("python", "core", "Python", "commit", "packages", "What else ran:"):
        assert part in said


def test_the_versions_of_rivals_are_those_of_their_lists():
    """Read after half an hour of work, a name that is written otherwise in a list lost all of it."""
    assert {"flaml", "autogluon"} < set(training_run.versions())


EVALUATED = {
    "champion": "lightgbm",
    "test": dict.fromkeys(("rows", "persons", "companies", "persons_with_event"), 9)
    | {"first_index_date": "a", "last_index_date": "b"},
    "models": {"lightgbm": {name: {"value": one, "low": one, "high": one} for name, one in
               {"auroc": 0.72, "calibration_slope": 1.01, "observed_to_expected": 0.97, "ici": 0.005}.items()}},
    "against_truth": {"attainable": {"expected_auroc": 0.73}, "models": {"lightgbm": {attainable.SHARE: 0.96}}},
    "harm": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (("against_truth", "models", "lightgbm", attainable.SHARE), 0.949, attainable.SHARE),
        (("models", "lightgbm", "calibration_slope", "value"), 1.06, "calibration_slope"),
        (("models", "lightgbm", "observed_to_expected", "value"), 0.94, "observed_to_expected"),
        (("models", "lightgbm", "ici", "value"), 0.011, "ici"),
    ],
)
def test_a_number_that_is_not_as_it_is_to_be_is_named_on_the_page(path, value, name):
    sound = attainable.summary(EVALUATED)
    assert all(sound["holds"].values())
    assert "below 0.01: they are." in "\n".join(attainable.section(sound | {"persons": 50_000}))
    broken = deepcopy(EVALUATED)
    *parents, last = path
    place = broken
    for key in parents:
        place = place[key]
    place[last] = value
    found = attainable.summary(broken)
    assert [one for one, holds in found["holds"].items() if not holds] == [name]
    assert f"**not so: {name}**" in "\n".join(attainable.section(found | {"persons": 50_000}))


COST = {"cpu_seconds": 3.0, "peak_mb": 700.0}
SMALL = {
    "engines": {
        "persons": 5, "outcome": "o", "same_bytes": True,
        "lines": [
            {"engine": "local", "seconds": 2.0, "asking": COST, "workers": []},
            {"engine": "dask, 1 worker(s)", "seconds": 4.0, "asking": COST, "workers": [COST]},
        ],
    },
    "engine-memory": {"persons": 5, "lines": [{"partitions": 2, "peak_mb": 300.0, "training_set_mb": 9.0}]},
    "one-record": {"calls": 7, "lines": [{"what": "linear", "fastest_ms": 1.0, "p50_ms": 2.0, "p95_ms": 3.0}]},
    "checking": {
        "answers": 9,
        "lines": [{"what": "read", "seconds": 1.0, "peak_gb": 0.3}, {"what": "one record", "p50_ms": 1.0, "p99_ms": 2.0}],
    },
    "simulator": {
        "workers": 2,
        "lines": [{"format": "csv", "persons": 10, "seconds": 1.0, "peak_mb": 90.0, "rows": 100, "files_mb": 2.0}],
    },
    "demo": {"persons": 10, "seconds": 60.0, "cpu_seconds": 70.0, "peak_mb": 900.0},
    "partition": {
        "persons": 40_000, "partitions": 2,
        "lines": [
            {"stage": "build-training-set", "seconds": 9.0, "worker": COST, "asking": COST, "problem": ""},
            {"stage": "score", "seconds": 9.0, "worker": COST, "asking": COST, "problem": "no such option"},
        ],
    },
}  # fmt: skip
LINES = {
    "engines": "| dask, 1 worker(s) | 4.0 | 6.0 | 2.00 | 700 | 700 |",
    "engine-memory": "| 2 | 10 | 9 | 300 | 1.00 |",
    "one-record": "| linear | 1.00 | 2.00 | 3.00 |",
    "checking": "| one record | 1.00 | 2.00 |",
    "simulator": "| csv | 10 | 100 | 1.0 | 100.000 | 90 | 2 |",
    "demo": "| 10 | 60 | 70 | 900 |",
    "partition": "| build-training-set | 1.5 | 700 | 1.5 | 700 |  |",
}


@pytest.mark.parametrize("name", SMALL)
def test_a_result_is_a_line_of_its_table(name):
    assert LINES[name] in list(report.SECTIONS[name](SMALL[name]))


def test_growth_of_memory_is_told_from_the_start_and_from_the_third_minute_on():
    memory = [100.0] * 2 + [120.0] * 4 + [121.0] * 6
    samples = [{"memory_mb": one, "per_second": 9.0, "bad": 0.0, "open_files": 4.0} for one in memory]
    page = "\n".join(report.SECTIONS["soak"]({"connections": 16, "sample_seconds": 30, "samples": samples}))
    assert "100 MB after 30 s, 121 MB at the end: +21.0 % | NOT met |" in page
    assert "120.0 MB after 180 s, 121.0 MB at the end: +0.8 % | met |" in page


def test_what_is_measured_again_takes_its_place_among_the_stages(tmp_path):
    results = Results(tmp_path / "scale.json")
    for stage, persons in (("simulate", 10), ("score", 10), ("simulate", 1000), ("train", 10), ("score", 10)):
        results.add({"stage": stage, "persons": persons, "problem": ""})
    kept = [(one["persons"], one["stage"]) for one in Results(tmp_path / "scale.json").runs]
    assert kept == [(10, "simulate"), (10, "train"), (10, "score"), (1000, "simulate")]


def test_a_projection_leaves_out_a_stage_that_failed():
    page = scale_report.page(None, {"meta": {}, **SMALL["partition"]})
    assert "| build-training-set | 32 | 0.12 | 3.6 | 3.8 |" in page
    assert "| score | 32 |" not in page
    assert "**failed**: no such option" in page


def test_what_an_older_result_did_not_write_down_is_said():
    said = meta.told({"command": "python -m benchmarks.x"}, "x.json.")
    assert said.count(meta.NOT_RECORDED) == 8
    assert meta.NOT_RECORDED not in meta.told(meta.about(rivals={"polars": "2.1.0"}, note="nothing"), "x.json.")


def test_no_folder_of_this_machine_gets_into_a_command(monkeypatch):
    monkeypatch.setattr("sys.argv", ["x", "/somewhere/else/rows", "--note", "beside other work"])
    assert meta.command().endswith('rows --note "beside other work"')
    assert "/somewhere" not in meta.command()


def test_one_that_fails_stops_no_other_and_is_named(monkeypatch, capsys):
    asked = []

    def run(command, variables, is_silent):
        asked.append(command)
        return int("benchmarks.predictor_latency" in command)

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr("sys.argv", ["run", "--quick"])
    assert bench.main() == 1
    assert len(asked) == len(BENCHES)
    assert capsys.readouterr().out.endswith("Failed: one-record\n")


def test_a_trial_keeps_its_hands_off_results_and_pages(monkeypatch):
    seen = []
    monkeypatch.setattr(bench, "run", lambda command, variables, is_silent: seen.append((command, variables)) or 0)
    monkeypatch.setattr("sys.argv", ["run", "--quick", "--only", "pages", "demo"])
    assert bench.main() == 0
    assert [command[1] for command, _ in seen] == ["benchmarks.serving.pages", "benchmarks.demo_time"]
    assert all(Path(variables["BENCH_RESULTS"]) != meta.KEPT for _, variables in seen)


def test_a_line_is_found_again_with_its_interval():
    found = line([1e3, 1e4, 1e5, 1e6], [5 + 0.002 * n for n in (1e3, 1e4, 1e5, 1e6)])
    assert found is not None
    assert found.fixed == pytest.approx(5)
    assert found.low <= 0.002 + 1e-9
    assert found.high >= 0.002 - 1e-9
    assert found.persons_at(25) == pytest.approx(1e4)
    noisy = line([1e3, 1e4, 1e5, 1e6], [8, 22, 230, 1900])
    assert noisy is not None
    assert noisy.low < noisy.per_person < noisy.high
    assert noisy.high - noisy.low > 1e-4, "four points that do not lie on a line leave doubt"


def test_an_exponent_above_one_is_seen():
    found = line([1e5, 1e6], [10, 10 * 10**1.5])
    assert found is not None
    assert found.exponent == pytest.approx(1.5)


def runs(stage: str, mb_per_1000: float, problem: str = "") -> list[dict[str, object]]:
    return [
        {"stage": stage, "persons": n, "seconds": n / 100, "cpu_seconds": n / 100, "peak_mb": 200 + n * mb_per_1000 / 1000,
         "disk_mb": 1.0, "problem": problem if n == 1_000_000 else ""}
        for n in (10_000, 100_000, 1_000_000)
    ]  # fmt: skip


def test_what_breaks_first_comes_first_and_a_failed_run_is_no_point_of_a_line():
    first, second = breaking_points(fitted([*runs("ingest", 20.0), *runs("validate", 40.0, "needed more than 23 GB")]))
    assert (first[0].name, second[0].name) == ("validate", "ingest")
    assert first[1][16] == pytest.approx((16_000 - 200) / 40 * 1000)
    assert first[0].sizes == (10_000, 100_000)


def about_scale(*sizes: int) -> str:
    names = ("ingest", "validate", "score")
    found = [run for name in names for run in runs(name, 20.0, "needed more than 23 GB") if run["persons"] in sizes]
    return scale_report.page({"meta": {}, "runs": found}, None)


def test_two_sizes_say_nothing_of_others():
    page = about_scale(10_000, 100_000)
    assert page.startswith("# Time and memory, measured at 10 000 and 100 000 persons\n")
    assert "Fewer than 3 sizes" in page
    assert "exponent" not in page
    assert "2,900,000" not in page
    assert about_scale(10_000, 100_000, 1_000_000).count("Fewer than 3 sizes") == 1, "a failed size is no third one"


def test_three_sizes_have_lines_but_not_far_beyond():
    page = grown({"ingest": 20.0})
    assert "measured at 10 000, 100 000 and 1 000 000 persons" in page
    assert "| ingest | 3 | " in page
    assert "| ingest | 20 | 790,000 | 3,200,000 | more than 10,000,000 |" in page
    assert "partitions of" not in page.partition("## On a Dask cluster")[0]


def grown(mb_per_1000: dict[str, float]) -> str:
    found = [{**run, "problem": ""} for name, mb in mb_per_1000.items() for run in runs(name, mb)]
    return scale_report.page({"meta": {}, "runs": found}, None)


def test_what_goes_through_partitions_has_a_line_of_memory_where_it_grows():
    page = grown({"validate": 0.0, "build-training-set": 2.0, "score": 20.0})
    memory = page.partition("## What runs out of memory first")[2]
    assert (
        "`build-training-set` (0.40 to 2.2 GB from 100,000 to 1,000,000 persons), `score` (2.2 to 20 GB from" in memory
    )
    assert (
        "Memory did not grow by more than 10% of `validate` (0.20 to 0.20 GB from 100,000 to 1,000,000 persons)"
        in memory
    )
    assert "| build-training-set | 2.0 |" in memory
    assert "| score | 20 |" in memory
    assert "| validate |" not in memory


def test_no_line_of_memory_begins_within_one_partition():
    found = [
        {**run, "persons": persons, "problem": ""}
        for run, persons in zip(runs("score", 20.0), (1_000, 10_000, 100_000), strict=True)
    ]
    memory = scale_report.page({"meta": {}, "runs": found}, None).partition("## What runs out of memory first")[2]
    assert "No line is drawn of `score`: fewer than two sizes are larger than a partition." in memory
    assert "| score |" not in memory


@pytest.mark.parametrize(
    ("champions", "is_said"), [(("core", "core", "core"), False), (("core", "core", "trees"), True)]
)
def test_lines_that_join_different_champions_are_told(champions, is_said):
    found = [{**run, "problem": "", "champion": name} for run, name in zip(runs("train", 20.0), champions, strict=True)]
    page = scale_report.page({"meta": {}, "runs": found}, None)
    assert ("join different champions" in page) is is_said
    assert ("(core, trees; " in page) is is_said


def test_both_pages_say_of_each_row_by_what_command_and_commit_it_is(tmp_path):
    about_run = {"command": 'python -m x --persons 5 --note "a note"', "commit": "abc1234", "note": "a note"}
    rows = [run | {"meta": about_run | {"commit": commit}, "problem": ""}
            for run, commit in zip(runs("ingest", 20.0), ("abc1234", "abc1234", "def5678"), strict=True)]  # fmt: skip
    document = {"meta": about_run, "runs": rows}
    (tmp_path / "scale.json").write_text(json.dumps(document), encoding="utf-8")
    for page in (report.page(tmp_path), scale_report.page(document, None)):
        assert "* 1,000,000 persons, ingest: `python -m x --persons 5`; commit def5678; what else ran: a note." in page
        assert "* 10,000 persons, ingest: `python -m x --persons 5`; commit abc1234; what else ran: a note." in page
        assert "*scale.json, the last stage measured; of the others below the table.* Measured:" in page
    assert "| abc1234, def5678 | `python -m benchmarks.run --only scale`" in report.page(tmp_path)


def test_numbers_that_are_worked_out_have_two_digits():
    assert [two(n) for n in (406_962.0, 0.1249, 3.0, 99.7, -0.0071, 0.0)] == [
        "410,000",
        "0.12",
        "3.0",
        "100",
        "-0.0071",
        "0",
    ]


def test_a_cluster_shortens_what_workers_do_and_not_what_one_process_does():
    measured = {"worker": {"cpu_seconds": 20.0}, "asking": {"cpu_seconds": 4.0}}
    one, *_, most = on_a_cluster(measured, 2)
    assert (one.workers, one.side_by_side, one.alone) == (1, 1450.0, 290.0)
    assert (most.workers, most.side_by_side, most.alone) == (145, 10.0, 290.0)
