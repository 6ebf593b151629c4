"""Stage validate: the Great Expectations suites generated from the contract, run over the accepted tables."""

from __future__ import annotations

from typing import Any

from data_contracts.errors import ContractViolation
from data_contracts.readers.parquet_files import read_tables
from pipeline.console import progress, write_json
from pipeline.workspace import Workspace, require


def run(workspace: Workspace) -> dict[str, Any]:
    """Validate the tables, write the report; raises ContractViolation naming what failed."""
    tables = read_tables(require(workspace.tables / "persons.parquet", "ingest").parent)
    with progress("validate with Great Expectations"):
        from data_contracts.expectations import run as run_suites

        results = run_suites(tables)
    failed = [
        f"  {table}.{found['column']}: {found['type']} ({found['unexpected_count']} rows)"
        for table, result in results.items()
        for found in result["expectations"]
        if not found["success"]
    ]
    n_expectations = sum(len(result["expectations"]) for result in results.values())
    summary = f"validate: {n_expectations} expectations over {len(results)} tables, {len(failed)} failed"
    report = {"success": not failed, "tables": results, "summary": summary}
    write_json(workspace.validation, report)
    if failed:
        raise ContractViolation("\n".join([summary, *failed, f"The whole report: {workspace.validation}"]))
    return report
