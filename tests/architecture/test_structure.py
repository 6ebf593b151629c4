"""The tree keeps its shape: small modules, one direction of imports, tests named after what they test, true documents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from data_contracts.instruments import INSTRUMENTS
from pipeline.cli import app

ROOT = Path(__file__).parents[2]
PACKAGES = ("data_contracts", "features", "models", "pipeline", "serving")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = len((ast.get_docstring(node, clean=False) or "").splitlines())
            assert node.end_lineno - node.lineno + 1 - documented <= LONGEST_FUNCTION, node.name


def test_import_rules_hold():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_package_is_installed():
    listed = set(re.findall(r'^    "([a-z_.]+)",$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE))
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES}
    assert there <= listed


def test_nothing_on_the_serving_path_reads_a_pickle():
    readers = re.compile(r"\b(pickle|joblib|cloudpickle|skops)\b|allow_pickle=True|torch\.load")
    for path in [*(ROOT / "serving").rglob("*.py"), *(ROOT / "models").glob("*.py"), *(ROOT / "features").glob("*.py")]:
        code = "\n".join(line for line in path.read_text().splitlines() if "import" in line or "=" in line)
        assert not readers.search(code), path


def test_every_verb_and_link_in_the_readme_exists():
    readme = (ROOT / "README.md").read_text()
    assert "<!--" not in readme, "a placeholder was left"
    verbs = set(re.findall(r"(?:^ +|`)balance-risk ([a-z-]+)", readme, flags=re.MULTILINE))
    assert verbs <= set(get_command(app).commands)
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"make ([a-z]+)", readme):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(), target


def test_every_instrument_has_a_golden_test():
    golden = (ROOT / "tests" / "golden" / "test_instruments.py").read_text()
    assert [name for name in INSTRUMENTS if f'"{name}"' not in golden] == []
