"""The tree keeps its shape: small modules, one direction of imports, tests named after what they test, true documents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable
from dataclasses import fields
from io import StringIO
from pathlib import Path

import pytest
from typer.main import get_command

from data_contracts.instruments import INSTRUMENTS, Instrument, Item
from pipeline.cli import app
from pipeline.simulation.parameters import read_parameters

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


def test_every_link_between_the_documents_leads_somewhere():
    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\(([\w./-]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_acceptance_report_is_of_the_parameters_as_they_are():
    """Who changes a parameter runs `make acceptance`, or the page tells of another simulator."""
    assert read_parameters().sha256 in (ROOT / "docs" / "simulation_check.md").read_text()


def test_every_instrument_has_a_golden_test():
    golden = "".join(path.read_text() for path in (ROOT / "tests" / "golden").glob("test_instruments*.py"))
    assert [name for name in INSTRUMENTS if f'"{name}"' not in golden] == []


# Questions belong to their authors. None are stored here, and scoring-only instruments come with no hint of them.


def prose_beside_declarations(code: str, instruments: Iterable[Instrument]) -> list[str]:
    """Texts of several words that are neither documentation nor a title, label, coding, licence or source of them."""
    tree = ast.parse(code)
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)]
    known = [ast.get_docstring(node, clean=False) or "" for node in documented]
    for one in instruments:
        known += [
            one.title,
            one.coding,
            one.licence,
            one.source,
            *(label for s in one.scales for label in (s.label_nb, s.label_en)),
        ]
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if len(text.split()) > 1 and not any(text in one for one in known)]


def speaks_as_questions_do(text: str) -> bool:
    """To a "you", of an "I", or with a question mark."""
    return re.search(r"\b(I|my|me|you|your|jeg|meg|du|deg|din)\b|\?", text) is not None


def spoken_to_the_reader(code: str) -> list[str]:
    """Comments and docstrings that speak as questions do."""
    tokens = list(tokenize.generate_tokens(StringIO(code).readline))
    remarks = [token.string for token in tokens if token.type == tokenize.COMMENT or token.string.startswith('"""')]
    return [text for text in remarks if speaks_as_questions_do(text)]


def beside_the_codes(coding: str) -> list[str]:
    """What in a coding may be the wording of an item: quotations, and sentences that speak as questions do."""
    parts = re.split(r"(?<=[.;?])\s", coding)
    return [part for part in parts if speaks_as_questions_do(part) or re.search(r"[\"“”«»‘]|(?<!\w)'", part)]


INSTRUMENT_FILES = sorted(
    path
    for path in (ROOT / "data_contracts" / "instruments").glob("*.py")
    if path.name not in ("__init__.py", "instrument.py")
)


@pytest.mark.parametrize("path", INSTRUMENT_FILES, ids=lambda path: path.name)
def test_no_instrument_file_holds_the_wording_of_its_items(path):
    code = path.read_text()
    declared = [one for one in INSTRUMENTS.values() if f'name="{one.name}"' in code]
    assert declared
    assert prose_beside_declarations(code, declared) == []
    if any(one.licence_kind == "scoring_only" for one in declared):
        assert spoken_to_the_reader(code) == []


def test_no_coding_holds_the_wording_of_an_item():
    assert {name: found for name, one in INSTRUMENTS.items() if (found := beside_the_codes(one.coding))} == {}


def test_items_have_ids_and_codes_and_nothing_else():
    assert [field.name for field in fields(Item)] == ["id", "answers"]
    ids = {item.id for one in INSTRUMENTS.values() for item in one.items}
    assert [id_ for id_ in ids if not re.fullmatch(r"[A-Za-z0-9]+(_[a-z0-9]+){0,3}", id_)] == []


def test_scoring_only_instruments_say_where_the_customer_gets_the_wording():
    for one in INSTRUMENTS.values():
        if one.licence_kind == "scoring_only":
            assert re.search(r"the customer gets .*\bwording\b.* from \S", one.licence), one.name
    # Owned by others and licensed for a fee or for research only: none of these may be declared free by mistake.
    owned = {name for name, one in INSTRUMENTS.items() if one.licence_kind == "scoring_only"}
    assert owned == {"bat12", "bat23", "uwes3", "isi", "ompsq_sf", "start_back", "wai"}


def test_wording_is_noticed_where_it_does_not_belong():
    # Made up; the real thing would be in the repository if it stood here.
    wording = "Meetings leave me worn out"
    for code in (
        f'TEXTS = {{"item_1": "{wording}"}}',
        f'Item("item_1", (0.0, 1.0), "{wording}")',
        f'x = "{wording} " + "now"',
    ):
        assert prose_beside_declarations(code, INSTRUMENTS.values()), code
    for code in (f"# {wording}\n", '"""How often do meetings wear people out?"""\n'):
        assert spoken_to_the_reader(code), code
    for coding in (
        "Meetings leave me worn out: 0 = never, 4 = always.",
        "How often do meetings wear people out? 0 = never, 4 = always.",
        'item_1: "Meetings wear people out". 0 = never, 4 = always.',
        "0 = never, 4 = always; item_1 is 'Meetings wear people out'.",
    ):
        assert beside_the_codes(coding), coding
    assert not beside_the_codes("0 = never, 4 = always. item_1 is the one on ending one's meetings.")
