"""Which commands of the pages are run by test_documented_commands.py, which with other numbers, and which elsewhere, and why.

A new page needs nothing here unless it has a command that takes hours, another program, or a state that nobody made before.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.lib import documented
from tests.lib.documented import Command

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
README = PROJECT / "README.md"
WITH_A_TEST_OF_THEIR_OWN = [
    page
    for page in [DOCS / "adding.md", DOCS / "case_study.md", *sorted((DOCS / "deploy").glob("*.md"))]
    if page.exists()
]
"""Such a test reads the commands out of the page, as this one does; of containers.md, only what needs no container."""

PAGES = [README, *sorted(page for page in DOCS.rglob("*.md") if page not in WITH_A_TEST_OF_THEIR_OWN)]
ALL_PAGES = [*PAGES, *WITH_A_TEST_OF_THEIR_OWN]

RUN_INSTEAD = {
    "balance-risk simulate": ("balance-risk simulate --persons 300", "seconds"),
    "balance-risk simulate --scenario leakage": ("balance-risk simulate --persons 300 --scenario leakage", "seconds"),
    "balance-risk simulate --scenario pandemic --scenario defects --format parquet": (
        "balance-risk simulate --persons 300 --scenario pandemic --scenario defects --format parquet", "seconds"),
    "balance-risk score": (
        "balance-risk score --workspace demo --index-date 2026-01-01", "the morning after the last simulated day"),
    "balance-risk score --rebuild 2026-03-01": (
        "balance-risk score --rebuild 2026-01-01", "the night that docs/quick_start.md scores"),
    "balance-risk alerts deliver": ("balance-risk alerts deliver --once", "without it, it never ends"),
}  # fmt: skip
"""The same command with other numbers, and why, or where it is run with those of the page."""

ELSEWHERE = {
    "make demo": "test_demo.py, with fewer persons",
    "make test": "is what runs this",
    "balance-risk simulate --attainable": "test_simulation_truth.py; a minute or two however few the persons",
    "balance-risk simulate --persons 50000 --seed 7 --check": "make acceptance",
    "make serve WORKSPACE=demo": "the service that curl asks below is what its recipe starts, on a free port",
    "balance-risk serve --workspace demo &": "the same",
    "balance-risk build-training-set --engine dask": "test_engine.py",
    "balance-risk build-training-set --engine dask --scheduler tls://host:8786": "test_engine.py, with certificates made there",
    "balance-risk score --engine dask --scheduler tls://host:8786": "test_deploy_dask.py, with a cluster made there",
    "podman build -t balance-risk .": "test_container.py holds the Containerfile to what it says; most machines have no podman",
    "python -m benchmarks.disclosure.attack --worlds 200 --acro-worlds 40": "make bench: minutes",
    "python -m benchmarks.scale.run": "hours; its numbers stand on the page",
    "python -m benchmarks.scale.partition": "the same",
    "python -m pytest tests/unit/test_observation_weights.py": "make test",
}  # fmt: skip
"""Commands that are not run here, and why or where they are."""

ELSEWHERE_STARTS = {
    "podman run ": "test_container.py",
    "python examples/explore.py": "test_notebook.py",
    "marimo ": "test_notebook.py",
    "install -m 644 ": "a path of the reader's machine; test_monitor.py reads the file",
    "balance-risk ingest && balance-risk monitor": "both are run below; notify is the reader's own program",
}
"""The same, by how a long one begins."""

EXPECTED = {
    "balance-risk train": 4,
    "balance-risk evaluate": 4,
    "balance-risk register": 4,
    "balance-risk monitor": 10,
    "balance-risk effect --design regression-discontinuity --threshold 0.3": 4,
    "balance-risk validate --source examples/own_names_first_delivery --mapping examples/own_names/mapping.yaml": 3,
    "balance-risk build-training-set --workspace firm --outcome long_sick_leave": 4,
}
"""Exit codes other than 0: so few persons carry some outcomes only; the pages say the rest."""

A_DIRECTORY_OF_ITS_OWN = {"docs/simulation.md": "simulated", "docs/effect.md": "trial"}
"""Pages whose commands are not run beside the demo: they simulate, or need companies without the programme."""

WITH_SCORES = "regression-discontinuity"
"""What needs scores is run where there are some."""

BEFORE = {
    "docs/effect.md": [
        "balance-risk simulate --scenario workplace_intervention --persons 2000", "balance-risk ingest"],
    "docs/promotion.md": ["balance-risk evaluate"],
    "docs/store.md": ["balance-risk score --workspace demo --index-date 2026-01-01"],
}  # fmt: skip
"""What a page takes as done."""

PROMOTES_ANOTHER = ("docs/promotion.md", "docs/tutorials/data_scientist.md")
"""Pages that promote beside the version that README has promoted: theirs is evaluated against it."""

WITH_A_SERVICE = re.compile(r"\bcurl\b|\bask\b|httpx")


def text_of(command: Command) -> str:
    return " ".join(command.text.split())


def is_elsewhere(text: str) -> bool:
    return text in ELSEWHERE or text.startswith(tuple(ELSEWHERE_STARTS))


def is_verb(command: Command) -> bool:
    """True if it can be run by itself: no service, no shell around it."""
    return command.program == "balance-risk" and not is_elsewhere(text_of(command)) and not needs_service(command)


def needs_service(command: Command) -> bool:
    return bool(WITH_A_SERVICE.search(command.text) or "$(" in command.text)


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


VERBS = [(page, command) for page in PAGES for command in documented.commands(page) if is_verb(command)]
LAST = [(page, command) for page, command in VERBS if command.words[1] == "erase"]
"""Whoever is erased is missed by what comes after."""


def scripts_of(page: Path) -> list[str]:
    """The statements of a page's blocks that ask a service, in one script, without what starts the service."""
    found = [
        text
        for block in documented.blocks(page)
        if block.language in ("", *documented.SHELLS)
        and any(WITH_A_SERVICE.search(text) for text, _ in documented.statements(block))
        for text, _ in documented.statements(block)
        if not is_elsewhere(" ".join(text.split())) and not text.startswith(("export PATH", "source "))
    ]
    return found


ASKING = [page for page in PAGES if scripts_of(page)]
