"""The whole cohort: block after block through the causal order, written to CSV source files with a SYNTHETIC stamp."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from data_contracts.errors import SettingsError
from pipeline.simulation import rows
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.rates import Rates
from pipeline.simulation.source_files import SourceFiles
from pipeline.simulation.tables import tables_of
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import build_world

Progress = Callable[[int], None]
"""Called after each block with the number of persons that it added."""


def simulate(
    directory: Path, persons: int, seed: int, start: date, end: date, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a synthetic cohort's source files into ``directory`` and return counts and rates."""
    parameters = read_parameters()
    if (end - start).days < 365:
        raise SettingsError(f"simulate: {start} to {end} is less than a year; choose a later end.")
    timeline = Timeline.between(start, end, parameters.cohort.history, parameters.cohort.burn_in)
    rates = Rates()
    with SourceFiles(directory) as files:
        for number in range(-(-persons // BLOCK_SIZE)):
            world = build_world(Block(seed, number, timeline, parameters))
            count = min(BLOCK_SIZE, persons - number * BLOCK_SIZE)
            for table, block_rows in rows.of_first_persons(tables_of(world, count), world.block, count):
                files.write(table, block_rows)
            rates.add(world.block, world.persons, world.employments, world.certified, world.grade, world.self_certified,
                      world.responses, count)  # fmt: skip
            if progress is not None:
                progress(count)
    summary = {
        "synthetic": True, "persons": persons, "seed": seed, "start": start.isoformat(), "end": end.isoformat(),
        "parameters_sha256": parameters.sha256, "rows": files.rows, "rates": rates.summary(),
    }  # fmt: skip
    _stamp(directory, summary)
    return summary


def _stamp(directory: Path, summary: dict[str, Any]) -> None:
    """Say in the directory itself that nobody in it is real."""
    (directory / "source.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (directory / "SYNTHETIC.md").write_text(
        "# SYNTHETIC data\n\n"
        "Every person, company and spell in this directory is invented by a simulator. Nothing here says anything\n"
        "about real people, and no result on these data is evidence about them. Identifiers begin with SYNTHETIC-.\n\n"
        f"* persons: {summary['persons']}, seed: {summary['seed']}, {summary['start']} to {summary['end']}\n"
        f"* parameters.yaml, sha256: {summary['parameters_sha256']}\n"
        "* truth/truth.csv holds the simulator's own risks; it is for judging models, never for training them.\n",
        encoding="utf-8",
    )
