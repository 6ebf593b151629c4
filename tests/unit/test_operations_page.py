"""docs/operations.md names every exit code and every metric that there is, and none that there is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from data_contracts import errors
from pipeline import monitor
from serving import metrics

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
PACKAGES = ("data_contracts", "features", "models", "pipeline", "serving")
NOT_AN_ERROR = {0, 1, monitor.ALARM, 70}
"""Done; simulate --check; monitor's alarm; an error of ours."""


def rows(section: str) -> list[list[str]]:
    """Cells of the table behind a mark, without its head."""
    table = PAGE.split(f"<!-- {section} -->")[1].split("<!-- end -->")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]


def codes_in_the_code() -> set[int]:
    """Every number that a class of errors declares as its exit code."""
    found = set()
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    found |= {code for statement in node.body if (code := declared(statement)) is not None}
    return found


def declared(statement: ast.stmt) -> int | None:
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or not isinstance(statement.value, ast.Constant):
        return None
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return statement.value.value if names == ["exit_code"] else None


def test_every_exit_code_is_in_the_table_and_no_other():
    listed = {int(code) for code, *_ in rows("exit codes") if code.isdigit()}
    assert listed == codes_in_the_code() | NOT_AN_ERROR


def test_the_errors_named_have_that_code():
    for code, names, _ in rows("exit codes"):
        for name in re.findall(r"`(\w+)`", names):
            if hasattr(errors, name):
                assert getattr(errors, name).exit_code == int(code), name


def test_every_metric_is_in_the_table_and_no_other():
    kinds = (metrics.Counter, metrics.Gauge, metrics.Histogram)
    declared_names = {found.describe()[0].name for found in vars(metrics).values() if isinstance(found, kinds)}
    assert {re.sub("`", "", name) for name, _ in rows("metrics")} == declared_names
