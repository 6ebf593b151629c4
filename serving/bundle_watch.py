"""Keeps the models in service those that are promoted: follows the ``current`` pointers, keeps the last good model."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data_contracts.errors import BalanceRiskError
from models.bundle import current_bundle, open_bundle
from models.outcomes import OUTCOMES
from models.risk_model import RiskModel
from serving.predictor import Predictor

LOGGER = logging.getLogger("bentoml.balance_risk")

POLL_SECONDS = 0.5
RETRY_SECONDS = 30.0
"""A bundle that was refused is tried again after this time, in case only the key was late."""

TRIALS = 2
"""Bundles that are tried at the same time, each in a process of its own for half a second."""


class BundleWatch:
    """The predictor in service and why it is not what it should be.

    ``predictor`` is replaced as a whole and never changed, so a request that has read it keeps its models to the end.
    """

    def __init__(self, bundles_dir: Path, public_key_path: Path) -> None:
        self.predictor: Predictor | None = None
        self._bundles_dir = bundles_dir
        self._public_key_path = public_key_path
        self._loaded: dict[str, Path] = {}
        self._refused: dict[str, tuple[Path, float, str]] = {}
        self._stopped = threading.Event()

    def start(self) -> None:
        """Look once, then watch in a thread of its own: a process that takes requests has the models that are there."""
        self._look()
        threading.Thread(target=self._watch, name="bundle-watch", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def check(self) -> None:
        """Look at every pointer once, and take into service what is new and sound."""
        due: dict[str, Path] = {}
        for outcome in OUTCOMES:
            bundle = current_bundle(self._bundles_dir, outcome)
            if bundle is not None and bundle == self._loaded.get(outcome):
                self._forget_refusal(outcome)  # a refused promotion was taken back
            elif bundle is not None and self._is_due(outcome, bundle):
                due[outcome] = bundle
        if fresh := self._open(due):
            served = {} if self.predictor is None else self.predictor.models
            predictor = Predictor({**served, **fresh})
            predictor.warm_up()  # before the swap, so that no request waits for it
            self.predictor = predictor
            _spare_the_collector()

    def not_ready_because(self) -> str:
        """Say why there is no predictor."""
        if self._refused:
            return " ".join(f"{outcome}: {reason}" for outcome, reason in self.refused().items())
        return "No model is promoted yet. Run: balance-risk promote"

    def refused(self) -> dict[str, str]:
        """Return the outcomes whose promoted model was refused, and why; the model before, if any, stays in service."""
        return {outcome: reason for outcome, (_, _, reason) in self._refused.items()}

    def versions(self) -> dict[str, str]:
        """Return the version in service of each outcome."""
        return {} if self.predictor is None else {name: model.version for name, model in self.predictor.models.items()}

    def _watch(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            self._look()

    def _look(self) -> None:
        try:
            self.check()
        except Exception as error:  # the thread must live on: without it no promotion is ever seen again
            LOGGER.error("looking for promoted models failed: %s", type(error).__name__)

    def _forget_refusal(self, outcome: str) -> None:
        # A new mapping, because other threads go through the old one.
        self._refused = {name: refusal for name, refusal in self._refused.items() if name != outcome}

    def _is_due(self, outcome: str, bundle: Path) -> bool:
        refused, when, _ = self._refused.get(outcome, (None, 0.0, ""))
        return bundle != refused or time.monotonic() - when > RETRY_SECONDS

    def _open(self, due: Mapping[str, Path]) -> dict[str, RiskModel]:
        """Return the models of bundles by outcome, without those that are refused: of these a line in the log says why."""
        fresh: dict[str, RiskModel] = {}
        if not due:
            return fresh
        with ThreadPoolExecutor(TRIALS) as pool:
            found = dict(zip(due, pool.map(self._opened, due.values()), strict=True))
        for outcome, model in found.items():
            if isinstance(model, str):
                self._refused = {**self._refused, outcome: (due[outcome], time.monotonic(), model)}
                LOGGER.error("%s: promoted model refused; the one before, if any, stays in service. %s", outcome, model)
                continue
            fresh[outcome] = model
            self._loaded[outcome] = due[outcome]
            self._forget_refusal(outcome)
            LOGGER.info("%s: version %s (%s) goes into service", outcome, model.version, model.artifact_sha256[:12])
        return fresh

    def _opened(self, bundle: Path) -> RiskModel | str:
        """Return the model of a bundle, or why it is refused."""
        try:
            return open_bundle(bundle, self._public_key_path)
        except (BalanceRiskError, OSError) as error:
            return str(error)


def _spare_the_collector() -> None:
    """Take what lives as long as the models do out of the collector's sight, or each full pass walks it while requests wait."""
    gc.unfreeze()  # the models before, which nobody holds any more
    gc.collect()
    gc.freeze()
