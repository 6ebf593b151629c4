"""Before the service starts: make in development what production must bring, and say what is lacking.

Run by ``balance-risk serve`` and by the container: ``python -m serving.prepare``. It fails where the service would never be
ready. With ``--tables`` it also makes the table of the audit log: where the service's own role may only insert and select,
the owner of both databases runs it, once and after each upgrade (docs/deploy/service.md).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_contracts.errors import BalanceRiskError
from serving.access.development import DEVELOPMENT_ISSUER, create_development_keys
from serving.audit.errors import AuditUnavailable
from serving.audit.keys import create_audit_key
from serving.audit.store import AuditStore, StoreFault
from serving.parts import Parts
from serving.settings import Settings


def main(words: Sequence[str] = ()) -> int:
    """Prepare, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m serving.prepare", description="Before the service starts.")
    parser.add_argument("--tables", action="store_true", help="make the table of the audit log too, as its owner")
    with_tables = parser.parse_args(words).tables
    try:
        settings = Settings.from_environment()
        if settings.mode == "development":
            if settings.issuer == DEVELOPMENT_ISSUER:
                create_development_keys(Path(settings.jwks).parent)
            create_audit_key(settings.audit_key)
        parts = Parts.build(settings)
        if not parts.lacking:
            _ = parts.store  # the tables are made, or brought up to date, once and not by every worker
            if with_tables:
                _make_log(settings)
    except BalanceRiskError as error:
        sys.stderr.write(f"balance-risk: {error}\n")
        return error.exit_code
    for reason in parts.lacking:
        sys.stderr.write(f"balance-risk: {reason}\n")
    return 2 if parts.lacking else 0


def _make_log(settings: Settings) -> None:
    if settings.audit_heads.exists():
        return  # heads tell of a log: where it is gone it must come back, an empty one would hide the loss
    log = AuditStore(settings.audit)
    try:
        log.create()
    except StoreFault as fault:
        raise AuditUnavailable(
            f"The audit log cannot be made ({fault}). Name its owner in BALANCE_RISK_AUDIT."
        ) from None
    finally:
        log.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
