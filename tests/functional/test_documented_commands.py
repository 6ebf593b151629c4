"""Every command that a page tells its reader to run is run, as it stands there or as tests/lib/documented_pages.py says.

README first: its commands are the journey that the other pages take as gone.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import chdir
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data_contracts.readers.parquet_files import read_tables
from pipeline.person_record import person_record
from tests.lib import documented
from tests.lib.documented import Command
from tests.lib.documented_pages import (
    A_DIRECTORY_OF_ITS_OWN,
    ASKING,
    BEFORE,
    DOCS,
    EXPECTED,
    LAST,
    PAGES,
    PROMOTES_ANOTHER,
    README,
    RUN_INSTEAD,
    VERBS,
    WITH_SCORES,
    is_verb,
    name_of,
    scripts_of,
    text_of,
)
from tests.lib.fhir_bundles import bundle_of
from tests.lib.readers_machine import Done, Machine, at_address, declare_a_team, filled

INDEX_DATE = date(2026, 1, 1)


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Iterator[Machine]:
    """A reader's machine on which the README's commands were run, in its order, on simulated persons that were delivered.

    Its service answers from where the page says `make serve`: what comes after reads the log of who asked.
    """
    machine = Machine(tmp_path_factory.mktemp("reader"))
    assert machine.run(["simulate"], "delivered").code == 0
    declare_a_team(machine.home, machine.root / "delivered" / "data" / "source")
    commands = [command for command in documented.commands(README) if is_verb(command)]
    served = [command.words[1] for command in commands].index("monitor")
    for command in commands[:served]:
        run_once(machine, README, command)
    write_requests(machine)
    with machine.serving("demo"):
        for command in commands[served:]:
            run_once(machine, README, command)
        yield machine


def write_requests(machine: Machine) -> None:
    """Write what the demo leaves: one person's request, and the same person as a FHIR bundle."""
    tables = read_tables(machine.home / "data" / "tables")
    record = person_record(tables, person_of(machine), np.datetime64(INDEX_DATE))
    request = {
        "index_date": INDEX_DATE.isoformat(),
        "outcomes": ["long_sick_leave"],
        "record": json.loads(json.dumps(record)),
    }
    (machine.home / "request.json").write_text(json.dumps(request))
    (machine.root / "bundle.json").write_text(json.dumps(bundle_of(request["record"])))


RUNS: dict[tuple[str, str, str], Done] = {}
"""What each command gave, by directory, version and words: a page that repeats another's is not paid for twice."""


def run_once(machine: Machine, page: Path, command: Command) -> Done:
    where = A_DIRECTORY_OF_ITS_OWN.get(name_of(page), "simulated" if command.words[1] == "simulate" else "demo")
    where = "demo" if WITH_SCORES in command.words else where
    text, _ = RUN_INSTEAD.get(text_of(command), (text_of(command), ""))
    before = [] if WITH_SCORES in command.words else BEFORE.get(name_of(page), [])
    for line in [*before, text]:
        key = (where, version_of(page, line), line)
        if key not in RUNS:
            words = documented.as_command(line, command.line).words[1:]
            RUNS[key] = machine.run(filled(list(words), placeholders(machine)), where)
    return RUNS[key]


def version_of(page: Path, line: str) -> str:
    """Return which version of the model a command is about; what is not about one is the same on every page."""
    if line.split()[1] not in ("evaluate", "register", "promote"):
        return ""
    return "second" if name_of(page) in PROMOTES_ANOTHER else "first"


def person_of(machine: Machine) -> str:
    return sorted(read_tables(machine.home / "data" / "tables")["persons"]["person_id"].vocabulary)[7]


def placeholders(machine: Machine) -> dict[str, str]:
    """What a reader fills in, by the word or by option and word."""
    if not (machine.home / "data" / "tables").exists():
        return {"LOCATION": "../delivered/data/source"}
    companies = read_tables(machine.home / "data" / "tables")["employments"]["company_id"]
    largest = companies.vocabulary[int(np.bincount(companies.codes[companies.codes >= 0]).argmax())]
    return {
        "LOCATION": "../delivered/data/source", "--company ID": str(largest), "--person ID": person_of(machine),
        "PERSON": person_of(machine), "NAME": "Kari Nordmann", "WHY": "tried",
    }  # fmt: skip


def check(machine: Machine, page: Path, command: Command) -> None:
    done = run_once(machine, page, command)
    text, _ = RUN_INSTEAD.get(text_of(command), (text_of(command), ""))
    assert done.code == EXPECTED.get(text, 0), (
        f"{name_of(page)}:{command.line} {text}\n{done.out[-800:]}\n{done.err[-800:]}"
    )
    assert "Traceback" not in done.err


@pytest.mark.parametrize("page", sorted({page for page, _ in VERBS}, key=PAGES.index), ids=name_of)
def test_every_verb_on_the_page_does_what_the_page_needs(machine, page):
    for command in (command for other, command in VERBS if other == page and (page, command) not in LAST):
        check(machine, page, command)


def token(machine: Machine) -> str:
    """Make the app's token, in the file that pages hand to curl, and return it."""
    done = machine.run(["token", "--role", "app", "--workspace", "demo", "--header", "app.header"])
    assert done.code == 0, done.err
    return (machine.root / "app.header").read_text().split()[-1]


@pytest.mark.parametrize("page", ASKING, ids=name_of)
def test_what_the_page_asks_with_curl_is_answered(machine, page):
    strict = 'curl() { command curl --fail-with-body "$@"; echo; }'
    script = at_address("\n".join([strict, *scripts_of(page)]), machine.address)
    done = machine.shell(script, TOKEN=token(machine))
    assert done.code == 0, f"{name_of(page)}\n{done.out[-1500:]}\n{done.err[-1500:]}"
    assert '"type": "urn:problem-type' not in done.out


PYTHON_PAGES = [page for page in (DOCS / "tutorials").glob("*.md") if documented.blocks(page, "python")]
"""Python elsewhere is a declaration to add (test_adding.py), not a program."""


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=name_of)
def test_python_on_the_page_runs(machine, page):
    names: dict[str, object] = {}
    for block in documented.blocks(page, "python"):
        code = at_address(block.text, machine.address).replace("TOKEN_OF_YOUR_ISSUER", token(machine))
        with chdir(machine.root):
            exec(compile(code, f"{name_of(page)}:{block.line}", "exec"), names)
    names.clear()
    gc.collect()  # what the page leaves open is told here, not in whatever test runs when it would be collected


@pytest.mark.parametrize(
    ("page", "command"), LAST, ids=lambda value: name_of(value) if isinstance(value, Path) else value.text
)
def test_erasing_does_what_the_page_says(machine, page, command):
    check(machine, page, command)
