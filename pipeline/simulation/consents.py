"""Who lets which source be read, for what, and until when; and the gate that every written row passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from data_contracts.records import Purpose, Source
from data_contracts.time_windows import NO_DAY
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.persons import Persons
from pipeline.simulation.timeline import DAYS_PER_YEAR

SOURCES: tuple[str, ...] = get_args(Source)
PURPOSES: tuple[str, ...] = get_args(Purpose)
_NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Consents:
    """``given`` and ``withdrawn_on`` are (sources, persons), ``purposes`` is (sources, purposes, persons)."""

    given: np.ndarray
    given_on: np.ndarray
    withdrawn_on: np.ndarray
    purposes: np.ndarray

    def readable(self, source: str, person: np.ndarray, natural: np.ndarray, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ``known_from`` of rows that would exist from day ``natural`` on, and which of them are read at all.

        Older rows are read on the day of the consent; after a withdrawal, and from the end of the data on, nothing is.
        """
        row = SOURCES.index(source)
        known_from = np.maximum(natural, self.given_on[person])
        return known_from, self.given[row, person] & (known_from < np.minimum(self.withdrawn_on[row, person], end))

    def stopped_on(self, day: np.ndarray) -> Consents:
        """Return the consents when everything of a person stops on a day, one element per person (far off: never)."""
        given = self.given & (self.given_on < day)
        return Consents(given, self.given_on, np.minimum(self.withdrawn_on, day), self.purposes)


def draw_consents(block: Block, persons: Persons) -> Consents:
    """Draw consents given on the day of joining, and later withdrawals."""
    rng, numbers = block.stream("consents"), block.parameters.consents
    shape = (len(SOURCES), BLOCK_SIZE)
    given = rng.random(shape) < np.array([numbers.given[source] for source in SOURCES])[:, None]
    wanted = rng.random((len(SOURCES), len(PURPOSES), BLOCK_SIZE))
    wait = rng.exponential(1 / numbers.withdrawal, BLOCK_SIZE) * DAYS_PER_YEAR + numbers.earliest_withdrawal
    withdrawn_on = persons.onboarded_on + wait.astype(int)
    of_all = rng.random(BLOCK_SIZE) < numbers.withdraws_all
    of_one = np.arange(len(SOURCES))[:, None] == rng.integers(0, len(SOURCES), BLOCK_SIZE)
    withdraws = (of_all | of_one) & (withdrawn_on < block.timeline.end)
    return Consents(
        given=given,
        given_on=persons.onboarded_on,
        withdrawn_on=np.where(withdraws, withdrawn_on, _NEVER),
        purposes=wanted < np.array([numbers.purposes[purpose] for purpose in PURPOSES])[:, None],
    )


def consent_rows(block: Block, consents: Consents) -> dict[str, np.ndarray]:
    """Return the rows of the consents: one when given, a second version when withdrawn."""
    source, purpose, person = np.nonzero(consents.given[:, None] & consents.purposes)
    given_on, withdrawn_on = consents.given_on[person], consents.withdrawn_on[source, person]
    again = np.flatnonzero(withdrawn_on < block.timeline.end)
    rows = np.concatenate([np.arange(len(person)), again])
    is_second = np.arange(len(rows)) >= len(person)
    known_from = np.where(is_second, withdrawn_on[rows], given_on[rows])
    return {
        "person": person[rows],
        "source": source[rows],
        "purpose": purpose[rows],
        "given_on": given_on[rows],
        "withdrawn_on": np.where(is_second, withdrawn_on[rows], NO_DAY),
        "known_from": known_from,
    }
