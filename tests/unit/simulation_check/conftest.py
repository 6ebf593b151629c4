"""One block of the simulator, and what its check counts in two."""

import pytest

from pipeline.simulation.world import World
from pipeline.simulation_check import Tallies, statistics, tally_block
from pipeline.simulation_check.measured import Measured
from pipeline.simulation_check.run import fitted
from tests.lib.checked_worlds import world_of


@pytest.fixture(scope="session")
def world() -> World:
    return world_of(0)


@pytest.fixture(scope="session")
def tallies(world: World) -> Tallies:
    return tally_block(world, 1000).merge(tally_block(world_of(1), 200))


@pytest.fixture(scope="session")
def measured(tallies: Tallies) -> dict[str, Measured]:
    return statistics(tallies) | fitted({}, 1200)
