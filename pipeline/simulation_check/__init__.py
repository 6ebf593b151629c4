"""The acceptance report of the simulator: what it makes, against what has been published."""

from pipeline.simulation_check.tallies import Tallies, statistics, tally_block

__all__ = ["Tallies", "statistics", "tally_block"]
