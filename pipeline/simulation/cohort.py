"""The whole cohort: block after block through the causal order, written to source files with a SYNTHETIC stamp."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from data_contracts.errors import SettingsError
from pipeline.simulation.block_runner import Order, draw_in_order
from pipeline.simulation.files.formats import text_columns
from pipeline.simulation.files.source_files import SourceFiles
from pipeline.simulation.files.stamp import add_to_stamp, writing
from pipeline.simulation.parameters import read_scenario
from pipeline.simulation.rates import Rates

Progress = Callable[[int], None]
"""Called after each block with the number of persons that it added."""


def simulate(
    directory: Path, persons: int, seed: int, start: date, end: date, *, scenarios: tuple[str, ...] = (),
    format: str = "csv", workers: int = 1, progress: Progress | None = None, check: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Write a synthetic cohort's source files into ``directory`` and return counts and rates.

    Parameters
    ----------
    directory : Path
        Files that an earlier run wrote there are replaced. ``claimed`` keeps foreign ones and other runs safe.
    persons, seed : int
        A person is the same in every cohort of one seed.
    start, end : date
        The data begin on ``start`` and are extracted on the morning of ``end``.
    scenarios : tuple of str
        Laid over the parameters one after the other.
    format : {"csv", "parquet", "fhir"}
    workers : int
        Processes; the files are the same bytes for any number.
    progress : callable or None
    check : bool
        Compare with published figures; the result has the key ``check``.
    """
    if (end - start).days < 365:
        raise SettingsError(f"simulate: {start} to {end} is less than a year; choose a later end.")
    order = Order(persons, seed, start, end, tuple(scenarios), format, check)
    rates, tallies = Rates(), None
    files = SourceFiles(directory, text_columns(order.parameters, format))
    with files, closing(draw_in_order(order, workers)) as blocks:
        for drawn in blocks:
            files.write(drawn)
            rates.merge(drawn.rates)
            tallies = drawn.tallies if tallies is None else tallies.merge(drawn.tallies)
            if progress is not None:
                progress(drawn.count)
        summary = {
            "synthetic": True, "persons": persons, "seed": seed, "start": start.isoformat(), "end": end.isoformat(),
            "scenarios": list(scenarios), "format": format, "parameters_sha256": order.parameters.sha256,
            "rows": dict(files.rows), "rates": rates.summary(),
        }  # fmt: skip
        files.finish(summary, _page(summary))
    return summary | ({"check": _check(tallies, summary, directory)} if check else {})


def _check(tallies: Any, summary: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Hold the finished cohort against published figures; its report is written beside the source files."""
    from pipeline.simulation_check.discrimination import discrimination
    from pipeline.simulation_check.run import run_check

    fitted = discrimination(directory)
    with writing(directory):
        try:
            return run_check(tallies, fitted, summary, directory)
        finally:  # also a report that is not whole is known to the next run
            add_to_stamp(directory, "check/*")


def _page(summary: dict[str, Any]) -> str:
    """Return what says to people, in the directory itself, that nobody in it is real."""
    scenarios = [f"* scenario {name}: {read_scenario(name)['meaning']}\n" for name in summary["scenarios"]]
    return (
        "# SYNTHETIC data\n\n"
        "Every person, company and spell in this directory is invented by a simulator. Nothing here says anything\n"
        "about real people, and no result on these data is evidence about them. Identifiers begin with SYNTHETIC-.\n\n"
        f"* persons: {summary['persons']}, seed: {summary['seed']}, {summary['start']} to {summary['end']}\n"
        f"{''.join(scenarios)}"
        f"* parameters.yaml and scenarios, sha256: {summary['parameters_sha256']}\n"
        "* truth/ holds the simulator's own risks and the faults it planted; it is for judging models and checks, never\n"
        "  for training, and no reader opens it.\n"
    )
