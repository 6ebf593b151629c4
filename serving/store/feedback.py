"""All decisions of clinicians, one JSON document a line, for monitoring: ``python -m serving.store.feedback``."""

from __future__ import annotations

import sys

import orjson

from data_contracts.errors import BalanceRiskError
from serving.settings import Settings
from serving.store.store import open_store


def main() -> int:
    """Write the decisions of the store to standard output."""
    try:
        for decision in open_store(Settings.from_environment().store).decisions():
            sys.stdout.buffer.write(orjson.dumps(decision) + b"\n")
    except BalanceRiskError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
