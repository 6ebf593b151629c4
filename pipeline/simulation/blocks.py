"""Persons are drawn in fixed blocks, each from its own random streams.

So person i is the same whether 1 000 or 100 000 are drawn: the number of persons only decides how many blocks are run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.parameters import Parameters
from pipeline.simulation.timeline import Timeline

BLOCK_SIZE = 1000

STAGES = (
    "workplaces", "persons", "employments", "consents", "latents", "absence", "self_certified", "certificates",
    "survey", "labs", "guidance", "lab_traits", "battery", "defects",
    "parental", "trial", "different", "health_exits", "drift",
)  # fmt: skip
"""One random stream each, by position: a change in one stage leaves the draws of the others alone. Append only."""


@dataclass(frozen=True)
class Block:
    """One block of persons that has its own companies and its own random streams."""

    seed: int
    number: int
    timeline: Timeline
    parameters: Parameters

    @property
    def first_person(self) -> int:
        """Number of the block's first person in the cohort."""
        return self.number * BLOCK_SIZE

    def stream(self, stage: str) -> np.random.Generator:
        """Return the random stream of one stage."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, self.number, STAGES.index(stage)]))

    def person_ids(self) -> tuple[str, ...]:
        """Pseudonyms of the block's persons."""
        return tuple(f"SYNTHETIC-P{self.first_person + person:07d}" for person in range(BLOCK_SIZE))
