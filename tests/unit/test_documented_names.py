"""What the pages name exists: verbs, options, targets of make, modules; and no exception outlives the command it was for."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from functools import cache
from pathlib import Path

import click
import pytest
from typer.main import get_command

from pipeline.cli import app
from tests.lib import documented
from tests.lib.documented_pages import (
    A_DIRECTORY_OF_ITS_OWN,
    ALL_PAGES,
    ASKING,
    BEFORE,
    ELSEWHERE,
    ELSEWHERE_STARTS,
    EXPECTED,
    PAGES,
    PROJECT,
    RUN_INSTEAD,
    WITH_A_TEST_OF_THEIR_OWN,
    is_elsewhere,
    is_verb,
    name_of,
    scripts_of,
    text_of,
)


def test_every_other_command_is_named_with_the_place_where_it_is_run():
    asked = {text for page in ASKING for text in scripts_of(page)}
    left = [
        f"{name_of(page)}:{command.line} {command.text}"
        for page in PAGES
        for command in documented.commands(page)
        if not is_verb(command) and not is_elsewhere(text_of(command)) and command.text not in asked
        and not command.text.startswith(("export PATH", "source "))
    ]  # fmt: skip
    assert not left, "neither run here nor declared in ELSEWHERE:\n" + "\n".join(left)


def test_no_exception_outlives_the_page_it_was_for():
    texts = {text_of(command) for page in PAGES for command in documented.commands(page)}
    run = {RUN_INSTEAD.get(text, (text, ""))[0] for text in texts}
    gone = [text for text in [*RUN_INSTEAD, *ELSEWHERE] if text not in texts]
    gone += [start for start in ELSEWHERE_STARTS if not any(text.startswith(start) for text in texts)]
    gone += [text for text in EXPECTED if text not in run]
    gone += [page for page in [*BEFORE, *A_DIRECTORY_OF_ITS_OWN] if PROJECT / page not in PAGES]
    assert not gone


def test_where_a_command_is_run_instead_exists():
    for reason in [*ELSEWHERE.values(), *ELSEWHERE_STARTS.values(), *(why for _, why in RUN_INSTEAD.values())]:
        for name in re.findall(r"test_\w+\.py", reason):
            assert list((PROJECT / "tests").rglob(name)), name


@pytest.mark.parametrize("page", [page for page in WITH_A_TEST_OF_THEIR_OWN if documented.commands(page)], ids=name_of)
def test_what_is_not_run_here_has_a_test_that_reads_the_page(page):
    readers = [
        path
        for path in (PROJECT / "tests").rglob("test_*.py")
        if page.name in path.read_text() and path != Path(__file__)
    ]
    assert any("documented" in path.read_text() for path in readers)


@cache
def declared() -> dict[str, set[str]]:
    """Options of each verb, as the command line declares them."""
    found: dict[str, set[str]] = {}

    def walk(command: click.Command, name: str) -> None:
        found[name] = {
            option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]
        }
        for verb, below in getattr(command, "commands", {}).items():
            walk(below, f"{name} {verb}".strip())

    walk(get_command(app), "")
    return found


def verb_of(words: list[str]) -> str | None:
    """The verb that words begin with, of two words where it has two."""
    return next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in declared()), None)


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_every_verb_and_option_that_the_page_names_exists(page):
    named = [piece for piece in documented.inline_code(page) if piece.text.startswith("balance-risk ")]
    named += [piece for piece in documented.commands(page) if piece.text.startswith("balance-risk ")]
    for piece in named:
        alone = re.sub(r"\$\(.*\)", "", piece.text.removeprefix("balance-risk "))
        words = [word.strip("[]") for word in re.split(r"[\s=()]+", re.split(r"[|;&>]", alone)[0]) if word]
        if words[0].isupper():
            continue
        verb = verb_of(words)
        assert verb, f"{name_of(page)}:{piece.line}: no verb {piece.text}"
        options = {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)} - {"--help"}
        assert options <= declared()[verb], f"{name_of(page)}:{piece.line}: {piece.text}"


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_every_target_of_make_and_every_module_that_the_page_names_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    texts = [(piece.line, piece.text) for piece in [*documented.inline_code(page), *documented.commands(page)]]
    for line, text in texts:
        words = text.split()
        if words[:1] == ["make"]:
            named = {word for word in words[1:] if re.fullmatch(r"[a-z-]+", word)}
            assert named <= targets, f"{name_of(page)}:{line}: {text}"
        if words[:2] == ["python", "-m"] and words[2].split(".")[0] in (
            "benchmarks",
            "pipeline",
            "serving",
            "tests",
            "data_contracts",
        ):
            assert importlib.util.find_spec(words[2]), f"{name_of(page)}:{line}: {text}"


def test_make_serve_starts_what_the_tests_here_start():
    recipe = subprocess.run(
        ["make", "-n", "--no-print-directory", "serve", "WORKSPACE=demo"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert recipe.stdout.strip().endswith(".venv/bin/balance-risk serve --workspace demo")
