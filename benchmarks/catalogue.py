"""All benchmarks in the order in which ``make bench`` runs them, with what each takes and how it is tried in little time."""

from __future__ import annotations

from typing import NamedTuple


class Bench(NamedTuple):
    """One program that measures.

    Parameters
    ----------
    name : str
        By which ``python -m benchmarks.run --only`` finds it.
    title : str
        Heading of its section in docs/benchmarks.md.
    program : str
        Module, or a file where it has to be run as one.
    minutes : float
        About how long it takes on two cores, without installing rivals.
    results : str
        File in ``benchmarks/results``.
    quick : tuple of str
        Arguments with which it takes a minute at most: to see that it runs, not to measure.
    full : tuple of str
        Arguments where the defaults are not what the page shows.
    """

    name: str
    title: str
    program: str
    minutes: float
    results: str
    quick: tuple[str, ...]
    full: tuple[str, ...] = ()

    def command(self, is_quick: bool) -> list[str]:
        """Return what to call after ``python``."""
        program = [self.program] if self.program.endswith(".py") else ["-m", self.program]
        return [*program, *(self.quick if is_quick else self.full)]


BENCHES = (
    Bench(
        "features",
        "Features, beside DuckDB, Polars and pandas",
        "benchmarks/features/run.py",
        60,
        "features.json",
        ("--persons", "1", "100", "--threads", "1", "--minutes", "3"),
        (),
    ),
    Bench(
        "leakage",
        "Leakage, beside Featuretools, timeseriesflattener and Feast",
        "benchmarks.leakage.scoreboard",
        3,
        "leakage.json",
        (),
    ),
    Bench(
        "feature-tools",
        "Feature tools, like for like",
        "benchmarks.leakage.speed",
        10,
        "peers_speed.json",
        ("--persons", "100"),
    ),
    Bench(
        "engines",
        "Engines of build-training-set",
        "benchmarks.engine_scaling",
        6,
        "engine_scaling.json",
        ("--persons", "500", "--workers", "1"),
    ),
    Bench(
        "engine-memory",
        "Memory by partitions",
        "benchmarks.engine_memory",
        3,
        "engine_memory.json",
        ("--persons", "500", "--partitions", "2", "3"),
    ),
    Bench(
        "one-record",
        "One record, from JSON to an explained risk",
        "benchmarks.predictor_latency",
        1,
        "predictor_latency.json",
        ("--calls", "20"),
    ),
    Bench(
        "explaining",
        "Explaining one person, beside Shapash and explainerdashboard",
        "benchmarks.explanation_speed.run",
        8,
        "explanation_speed.json",
        ("--persons", "1000", "--people", "1", "--seconds", "20"),
    ),
    Bench(
        "training-rivals",
        "Training, beside FLAML, AutoGluon, LightGBM and logistic regression",
        "benchmarks.training.run",
        15,
        "training_rivals.json",
        ("--persons", "3000", "--times", "1", "--longest", "20"),
    ),
    Bench(
        "training",
        "Training and evaluation",
        "benchmarks.training_speed",
        25,
        "training_speed.json",
        ("--persons", "2000"),
    ),
    Bench(
        "attainable",
        "The champion beside what is attainable",
        "benchmarks.attainable",
        6,
        "attainable.json",
        ("--persons", "3000"),
    ),
    Bench(
        "service",
        "The scoring service, beside the usual way and mlflow models serve",
        "benchmarks.serving.run",
        8,
        "serving.json",
        ("--seconds", "1"),
    ),
    Bench(
        "soak",
        "The scoring service under load for minutes",
        "benchmarks.serving.soak",
        21,
        "serving_soak.json",
        ("--minutes", "0.1"),
    ),
    Bench(
        "pages", "Pages, from request to last byte", "benchmarks.serving.pages", 3, "pages.json", ("--persons", "100")
    ),
    Bench(
        "disclosure",
        "What workplaces are told, attacked; beside acro",
        "benchmarks.disclosure.attack",
        2,
        "disclosure.json",
        ("--worlds", "3", "--acro-worlds", "1"),
        ("--worlds", "200", "--acro-worlds", "40"),
    ),
    Bench(
        "effects",
        "Intervals of effects that are known",
        "benchmarks.effects.coverage",
        4,
        "effects.json",
        ("--trials", "4", "--only", "did, 12 workplaces, 3 with"),
        ("--trials", "200"),
    ),
    Bench(
        "false-alarms",
        "False alarms of every test of monitoring",
        "benchmarks.monitoring.null_runs",
        3,
        "monitoring_null.json",
        ("--runs", "3", "--sizes", "20"),
    ),
    Bench(
        "detection",
        "What monitoring sees",
        "benchmarks.monitoring.detection",
        4,
        "monitoring_detection.json",
        ("--seeds", "1", "--nulls", "1"),
        ("--seeds", "3", "--nulls", "10"),
    ),
    Bench(
        "drift-tools",
        "False alarms, beside Evidently and NannyML",
        "benchmarks.monitoring.rivals",
        4,
        "monitoring_rivals.json",
        ("--persons", "20", "--runs", "2"),
    ),
    Bench(
        "checking",
        "Checking what comes in",
        "benchmarks.validation_speed",
        2,
        "validation_speed.json",
        ("--answers", "20000"),
    ),
    Bench(
        "simulator",
        "The simulator",
        "benchmarks.simulation_speed",
        5,
        "simulation_speed.json",
        ("--persons", "200", "400"),
    ),
    Bench("demo", "The demo", "benchmarks.demo_time", 2, "demo_time.json", ()),
    Bench(
        "partition",
        "One partition on a worker",
        "benchmarks.scale.partition",
        10,
        "scale_partition.json",
        ("--persons", "500"),
    ),
    Bench(
        "scale",
        "The whole pipeline, up to a million persons",
        "benchmarks.scale.run",
        150,
        "scale.json",
        ("--persons", "1000"),
    ),
    Bench(
        "night",
        "A night, one record at a time and a hundred together",
        "benchmarks.score_speed",
        3,
        "score_speed.json",
        ("--workspace", "1000", "--persons", "50"),
    ),
)
"""In order. ``night`` scores with the champion that ``scale`` leaves. ``benchmarks.case_study`` is not among them: it needs a
file that has to be downloaded (docs/case_study.md)."""

PAGES = (
    ("benchmarks.leakage.scoreboard", "--page"), ("benchmarks.monitoring.tables",), ("benchmarks.scale.report",),
    ("benchmarks.report",),
)  # fmt: skip
"""What writes the pages from the results, in order."""
