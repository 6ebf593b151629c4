"""The issuer's public keys, kept fresh by a thread of their own, so that verifying a token never waits for the network."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import BalanceRiskError
from serving.access.jwks import KeySetRefused, VerifyKey
from serving.access.key_sources import FileSource, Source, UrlSource

LOGGER = logging.getLogger("bentoml.balance_risk")

LONGEST_OUTAGE_SECONDS = 24 * 3600.0
"""So long the last good set counts while its source cannot be read; a key withdrawn meanwhile counts as long."""
SECONDS_WITHOUT_KEYS = 5.0
"""Between attempts while there has never been a set: nobody can be let in, so it hurries."""
CLOCK_STEP_SECONDS = 60.0


class KeysUnavailable(BalanceRiskError):
    """There are no keys to verify with: not the caller's fault, so 503 and not 401."""


def uptime() -> float:
    """Return seconds on a clock that nobody sets, and that goes on while the machine sleeps (where the system has one)."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True)
class _Held:
    keys: Mapping[str, VerifyKey]
    confirmed_at: float
    clocks_apart: float


class KeySet:
    """Keys by ``kid``. ``start`` it to keep it fresh; ``find`` never blocks.

    Parameters
    ----------
    source : Source
    uptime : callable
        By which the age of a set is told; the wall clock may be set while the service runs.
    wall : callable
        Seconds of the wall clock. If it runs away from ``uptime`` (set anew, or the machine was restored from a snapshot),
        keys are fetched at the next occasion, but no age is told by it.
    """

    def __init__(
        self, source: Source, uptime: Callable[[], float] = uptime, wall: Callable[[], float] = time.time
    ) -> None:
        self._source, self._uptime, self._wall = source, uptime, wall
        self._held: _Held | None = None
        self._asked, self._closing, self._has_tried = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = "The key set has not been read yet."
        """Why the last look failed; empty if it did not."""

    @classmethod
    def from_file(cls, path: Path) -> KeySet:
        """Keys in a file, read at once; a file that is not there yet is looked for every few seconds."""
        keys = cls(FileSource(path))
        keys.refresh()
        return keys

    @classmethod
    def from_url(cls, url: str) -> KeySet:
        """Keys at an https address; nothing is fetched before ``start``. Raises SettingsError for another kind of address."""
        return cls(UrlSource(url))

    def start(self) -> None:
        """Read the source at once and keep at it, in a thread; calling it again changes nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_fresh, name="key-set", daemon=True)
            self._thread.start()

    def wait_for_first_look(self, seconds: float) -> None:
        """Return when the source was read, or could not be, or after so many seconds."""
        self._has_tried.wait(seconds)

    def close(self) -> None:
        """Tell the thread to end; a fetch under way is not waited for."""
        self._closing.set()
        self._asked.set()

    def find(self, kid: str) -> VerifyKey | None:
        """Return the key, None if the issuer has no such key; a look at the source is then asked for.

        Raises
        ------
        KeysUnavailable
            If no set has been read, or none for 24 hours.
        """
        held = self._held
        if held is None or self._age(held) > LONGEST_OUTAGE_SECONDS:
            self._asked.set()
            raise KeysUnavailable("The issuer's keys cannot be read, so no token can be checked.")
        key = held.keys.get(kid)
        if key is None or abs(self._clocks_apart() - held.clocks_apart) > CLOCK_STEP_SECONDS:
            self._asked.set()
        return key

    def is_healthy(self) -> bool:
        """True if tokens can be checked, be it with keys of an hour ago."""
        held = self._held
        return held is not None and self._age(held) <= LONGEST_OUTAGE_SECONDS

    def age(self) -> float | None:
        """Return the seconds since the source last gave a good set."""
        held = self._held
        return None if held is None else self._age(held)

    def refresh(self) -> bool:
        """Read the source once, here and now; True if it gave a good set. What was held stays if it did not."""
        begun = self._uptime()
        try:
            keys = self._source.read()
        except KeySetRefused as error:
            return self._failed(str(error))
        except OSError as error:
            return self._failed(f"The key set cannot be read ({type(error).__name__}).")
        if self.trouble or self._held is None or self._held.keys.keys() != keys.keys():
            LOGGER.info("%s: %d key(s) for tokens", self._source.where, len(keys))
        self._held, self.trouble = _Held(keys, begun, self._clocks_apart()), ""
        return True

    def _failed(self, reason: str) -> bool:
        if reason != self.trouble:  # once per fault, not once a minute for a day
            LOGGER.error("%s: %s Keys read before, if any, count for up to 24 hours.", self._source.where, reason)
        self.trouble = reason
        return False

    def _keep_fresh(self) -> None:
        while not self._closing.is_set():
            self._asked.clear()
            try:
                is_good = self.refresh()
            except Exception as error:  # the thread must live on: without it no rotation is ever seen
                is_good = self._failed(f"The key set cannot be used ({type(error).__name__}).")
            self._has_tried.set()
            pause = SECONDS_WITHOUT_KEYS if self._held is None else self._source.least
            if self._closing.wait(min(pause, self._source.least)):
                return
            if is_good:
                self._asked.wait(self._source.every - self._source.least)

    def _age(self, held: _Held) -> float:
        return self._uptime() - held.confirmed_at

    def _clocks_apart(self) -> float:
        return self._wall() - self._uptime()
