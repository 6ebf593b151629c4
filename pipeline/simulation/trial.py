"""A cluster-randomised intervention at workplaces: arms, staggered starts, sessions, effect and drop-out.

Off in the base (nobody takes part). Numbers follow the HelseIArbeid trial: three sessions over a year, some workplaces
that never hold the last one, and some of the usual-service arm that withdraw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import Block

ARMS = ("none", "usual", "intervention")
NEVER = int(np.iinfo(np.int32).max)


@dataclass(frozen=True)
class Trial:
    """One element per company; ``sessions`` (companies, sessions) are days, ``NEVER`` where none is held."""

    arm: np.ndarray
    started_on: np.ndarray
    sessions: np.ndarray
    withdrew_on: np.ndarray

    @property
    def is_intervention(self) -> np.ndarray:
        """Companies that get the intervention."""
        return self.arm == ARMS.index("intervention")

    def sessions_held(self, day: np.ndarray | int) -> np.ndarray:
        """Return how many sessions each company has held before a day: (..., companies)."""
        return (self.sessions < np.asarray(day)[..., None, None]).sum(axis=-1)

    def rate_ratio(self, block: Block) -> np.ndarray:
        """Return the true rate ratio of new certified spells, (quarters, companies)."""
        by_session = np.array([1.0, *block.parameters.workplaces.intervention["rate_ratios"]])
        return by_session[self.sessions_held(block.timeline.quarters[:-1])]


def draw_trial(block: Block, companies: int) -> Trial:
    """Randomise companies to the two arms, and draw when each begins, what it completes and whether it withdraws."""
    rng, numbers = block.stream("trial"), block.parameters.workplaces.intervention
    order = rng.permutation(companies)
    taking_part = round(numbers["takes_part"] * companies)
    in_intervention = round(numbers["in_intervention"] * taking_part)
    arm = np.zeros(companies, dtype=int)
    arm[order[:taking_part]] = ARMS.index("usual")
    arm[order[:in_intervention]] = ARMS.index("intervention")
    start = block.timeline.start + rng.choice(numbers["start_days"], companies)
    sessions = start[:, None] + np.array(numbers["session_days"])
    sessions[rng.random(companies) < numbers["incomplete"], -1] = NEVER
    withdraws = rng.random(companies) < numbers["withdraws"]
    sessions[arm != ARMS.index("intervention")] = NEVER
    low, high = numbers["withdrawal_days"]
    withdrawal = start + rng.integers(low, high + 1, companies)
    return Trial(
        arm=arm,
        started_on=np.where(arm > 0, start, NEVER),
        sessions=np.where(sessions < block.timeline.end, sessions, NEVER),
        withdrew_on=np.where(withdraws & (arm == ARMS.index("usual")), withdrawal, NEVER),
    )
