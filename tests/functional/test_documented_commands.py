"""Every command that a page tells its reader to run is run, as it stands there or as tests/lib/documented_pages.py says.

README first: its commands are the journey that the other pages take as gone.
"""

from __future__ import annotations

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
def machine(tmp_path_factory) -> Machine:
    """A reader's machine on which the README's commands were run, in its order, on simulated persons that were delivered."""
    machine = Machine(tmp_path_factory.mktemp("reader"))
    assert machine.run(["simulate"], "delivered").code == 0
    declare_a_team(machine.home, machine.root / "delivered" / "data" / "source")
    for command in documented.commands(README):
        if is_verb(command):
            if command.words[1] == "monitor":
                machine.prepare()  # the page has said `make serve` before
            run_once(machine, README, command)
    tables = read_tables(machine.home / "data" / "tables")
    record = person_record(tables, person_of(machine), np.datetime64(INDEX_DATE))
    request = {
        "index_date": INDEX_DATE.isoformat(),
        "outcomes": ["long_sick_leave"],
        "record": json.loads(json.dumps(record)),
    }
    (machine.home / "request.json").write_text(json.dumps(request))
    (machine.root / "bundle.json").write_text(json.dumps(bundle_of(request["record"])))
    return machine


@pytest.fixture(scope="module")
def address(machine) -> Iterator[str]:
    with machine.serving("demo") as found:
        yield found


RUNS: dict[tuple[str, str], Done] = {}
"""What each command gave, by directory and words: a page that repeats another's is not paid for twice."""


def run_once(machine: Machine, page: Path, command: Command) -> Done:
    where = A_DIRECTORY_OF_ITS_OWN.get(name_of(page), "simulated" if command.words[1] == "simulate" else "demo")
    where = "demo" if WITH_SCORES in command.words else where
    text, _ = RUN_INSTEAD.get(text_of(command), (text_of(command), ""))
    key = (where, name_of(page) + text if command.words[1] in ("evaluate", "register", "promote") else text)
    if key not in RUNS:
        for line in BEFORE.get(name_of(page), []):
            if (where, line) not in RUNS:
                RUNS[where, line] = machine.run(line.split(), where)
        words = documented.as_command(text, command.line).words[1:]
        RUNS[key] = machine.run(filled(list(words), placeholders(machine)), where)
    return RUNS[key]


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


@pytest.mark.parametrize("page", ASKING, ids=name_of)
def test_what_the_page_asks_with_curl_is_answered(machine, address, page):
    token = 'TOKEN="${TOKEN:-$(balance-risk token --role app --workspace demo)}"'
    strict = 'curl() { command curl --fail-with-body "$@"; echo; }'
    script = at_address("\n".join([strict, token, *scripts_of(page)]), address)
    done = machine.shell(script)
    assert done.code == 0, f"{name_of(page)}\n{done.out[-1500:]}\n{done.err[-1500:]}"
    assert '"type": "urn:problem-type' not in done.out


PYTHON_PAGES = [page for page in (DOCS / "tutorials").glob("*.md") if documented.blocks(page, "python")]
"""Python elsewhere is a declaration to add (test_adding.py), not a program."""


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=name_of)
def test_python_on_the_page_runs(machine, address, page):
    token = machine.shell("balance-risk token --role app --workspace demo").out.strip()
    names: dict[str, object] = {}
    for block in documented.blocks(page, "python"):
        code = at_address(block.text, address).replace("TOKEN_OF_YOUR_ISSUER", token)
        with chdir(machine.root):
            exec(compile(code, f"{name_of(page)}:{block.line}", "exec"), names)


@pytest.mark.parametrize(
    ("page", "command"), LAST, ids=lambda value: name_of(value) if isinstance(value, Path) else value.text
)
def test_erasing_does_what_the_page_says(machine, page, command):
    check(machine, page, command)
