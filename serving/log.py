"""What may be written to the log: that something failed and where, never what was sent."""

from __future__ import annotations

import logging
import traceback

LOGGER = logging.getLogger("bentoml.balance_risk")  # the framework shows loggers under its own name only


def log_without_values(error: Exception) -> None:
    """Log that and where something failed: no message and no traceback, which may quote what a person has sent."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    LOGGER.error("unexpected %s in %s, line %s", type(error).__name__, where.name, where.lineno)
