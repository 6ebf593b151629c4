"""The command line: every verb helps, starts fast, and never shows a trace for something a user can mend."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipeline import cli
from pipeline.cli import app

VERBS = sorted(get_command(app).commands)


def test_the_promised_verbs_exist():
    promised = "simulate ingest validate build-training-set train evaluate register promote score serve demo"
    assert set(promised.split()) <= set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_every_option_is_explained(verb):
    result = CliRunner().invoke(app, [verb, "--help"])
    assert result.exit_code == 0
    for parameter in get_command(app).commands[verb].params:
        assert parameter.help or parameter.name in ("port",), f"{verb} {parameter.name} has no help"


def test_help_imports_nothing_heavy():
    heavy = {"numpy", "pandas", "pydantic", "mlflow", "lightgbm"}
    code = f"import sys, pipeline.cli; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["validate"], 2, "Make it with: balance-risk ingest"),
        (["ingest", "--params", "nowhere.yaml"], 2, "nowhere.yaml: no such file"),
        (["score", "--index-date", "1 March"], 2, "is not a date"),
    ],
)
def test_a_mistake_gets_one_clear_line_and_an_exit_code(arguments, code, words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_fault_of_ours_ends_with_one_line_and_shows_no_data(monkeypatch, capsys):
    """A traceback quotes the exception's text, which may be a person's row."""

    def fail():
        raise KeyError("Kari Nordmann")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.delenv("BALANCE_RISK_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as left:
        cli.main()
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (70, "")
    assert said.err.startswith("balance-risk: unexpected KeyError; ")
    assert said.err.count("\n") == 1
    assert "BALANCE_RISK_TRACEBACK=1" in said.err
    assert "Kari" not in said.err
    monkeypatch.setenv("BALANCE_RISK_TRACEBACK", "1")
    with pytest.raises(KeyError):
        cli.main()
