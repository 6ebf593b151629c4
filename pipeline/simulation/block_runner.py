"""Blocks drawn and made ready to be written, in this process or in several, and handed over in block order.

A block depends on nothing but its number and the order, so the files are the same bytes for any number of processes. Only
a few blocks are under way at a time, whatever the size of the cohort.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from data_contracts.errors import BalanceRiskError
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.defects.planting import Defect, plant_defects
from pipeline.simulation.files.formats import Part, encode, text_columns, to_arrow_tables
from pipeline.simulation.parameters import Parameters, read_parameters
from pipeline.simulation.rates import Rates
from pipeline.simulation.tables import block_tables
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import build_world

_BLOCKS_WAITING = 2
"""Finished or begun blocks per worker that may wait for their turn to be written."""


@dataclass(frozen=True)
class Order:
    """What to simulate; small, so that it can go to every worker with every block."""

    persons: int
    seed: int
    start: date
    end: date
    scenarios: tuple[str, ...]
    format: str
    check: bool

    @property
    def parameters(self) -> Parameters:
        """The numbers of the simulator under the scenarios."""
        return read_parameters(self.scenarios)

    @property
    def n_blocks(self) -> int:
        """How many blocks hold the persons."""
        return -(-self.persons // BLOCK_SIZE)

    def block(self, number: int) -> Block:
        """Return one block."""
        cohort = self.parameters.cohort
        return Block(
            self.seed, number, Timeline.between(self.start, self.end, cohort.history, cohort.burn_in), self.parameters
        )

    def count(self, number: int) -> int:
        """Return how many persons of a block belong to the cohort."""
        return min(BLOCK_SIZE, self.persons - number * BLOCK_SIZE)


@dataclass(frozen=True)
class Drawn:
    """One block, ready to be written: a part per file, rows per table, planted defects, and what is counted over blocks."""

    number: int
    count: int
    parts: dict[str, Part]
    rows: dict[str, int]
    defects: list[Defect]
    rates: Rates
    tallies: Any


def draw(order: Order, number: int) -> Drawn:
    """Draw one block from beginning to end."""
    world, count = build_world(order.block(number)), order.count(number)
    tallies = _tallies(world, count) if order.check else None  # leaves the random streams as they are
    tables = block_tables(world, count)
    defects, texts = plant_defects(world.block, tables, order.format)
    rates = Rates()
    rates.add(world.block, world.persons, world.employments, world.certified, world.grade, world.self_certified,
              world.responses, count)  # fmt: skip
    arrow = to_arrow_tables(tables, texts, text_columns(order.parameters, order.format))
    parts, defects = encode(order.format, arrow, defects, is_first=number == 0)
    rows = {table: found.num_rows for table, found in arrow.items()}
    return Drawn(number, count, parts, rows, defects, rates, tallies)


def _tallies(world: Any, count: int) -> Any:
    from pipeline.simulation_check import tally_block

    return tally_block(world, count)


def draw_in_order(order: Order, workers: int) -> Generator[Drawn]:
    """Yield all blocks in their order, drawn by that many processes; raises BalanceRiskError where one of them dies."""
    workers = min(workers, order.n_blocks)
    if workers == 1:
        yield from (draw(order, number) for number in range(order.n_blocks))
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin_worker)
    waiting: deque[Future[Drawn]] = deque()
    try:
        for number in range(order.n_blocks):
            waiting.append(pool.submit(draw, order, number))
            if len(waiting) > _BLOCKS_WAITING * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise BalanceRiskError(
            f"simulate: one of its {workers} processes was ended from outside, most likely for want of memory. "
            "Run it again with fewer --workers."
        ) from None
    finally:  # also after Ctrl-C: blocks under way are finished, which takes about a second, and no other is begun
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    """Leave Ctrl-C to the main process, end with it whatever ends it, and keep to one processor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_main_process, daemon=True).start()
    pa.set_cpu_count(1)


def _end_with_main_process() -> None:
    main = multiprocessing.parent_process()
    assert main is not None
    main.join()
    os._exit(1)
