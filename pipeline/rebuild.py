"""A past night computed again from the tables and the bundles that it names, every answer held against the stored one."""

from __future__ import annotations

from datetime import date
from typing import Any

from data_contracts.errors import EngineError
from pipeline.console import progress
from pipeline.everyone import Everyone
from pipeline.nightly import asked_of, night
from pipeline.workspace import Workspace, require


class NotRebuilt(EngineError):
    """A past night came out otherwise than it is stored."""


def refuse_differences(report: dict[str, Any]) -> None:
    """Raise NotRebuilt where a night came out otherwise."""
    if not report["is_rebuilt"]:
        raise NotRebuilt(f"The night of {report['night']} was not rebuilt bit for bit.")


def run(workspace: Workspace, index_date: date, workers: int | None = None) -> dict[str, Any]:
    """Compute a past night again, with the bundles it names, and hold every answer against the stored one."""
    tables = require(workspace.tables / "persons.parquet", "ingest").parent
    everyone = Everyone(workspace, tables, index_date)
    asked = asked_of("rebuild", tables, index_date, [], workers)
    summary: dict[str, Any] = {}
    shown = progress(f"compute the night of {index_date} again", everyone.count())
    with shown as advance, night(workspace, asked, everyone.records()) as told:
        for answer in told:
            summary = answer.get("summary", summary)
            advance("person_id" in answer)
    return _rebuilt(index_date, summary)


def _rebuilt(index_date: date, found: dict[str, Any]) -> dict[str, Any]:
    n_other = found["different"] + found["only_then"] + found["only_now"]
    lines = [
        f"rebuild of {index_date}: {found['same']} answers are the same to the last bit, {found['different']} differ, "
        f"{found['only_then']} persons are only in the store, {found['only_now']} only in the tables"
    ]
    if found["data_version"] != found["data_version_then"]:
        lines.append(
            "  the tables are not those of that night (another data version): rows have come, gone or been corrected"
        )
    elif n_other:
        lines.append(
            "  the tables and the bundles are those of that night: this code computes otherwise than that of then"
        )
    return {"night": index_date.isoformat(), "is_rebuilt": n_other == 0, **found, "summary": "\n".join(lines)}
