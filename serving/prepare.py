"""Before the service starts: make in development what production must bring, and say what is lacking.

Run by ``balance-risk serve`` and by the container: ``python -m serving.prepare``. It fails where the service would never be
ready.
"""

from __future__ import annotations

import sys
from pathlib import Path

from data_contracts.errors import BalanceRiskError
from serving.access.development import DEVELOPMENT_ISSUER, create_development_keys
from serving.audit.keys import create_audit_key
from serving.parts import Parts
from serving.settings import Settings


def main() -> int:
    """Prepare, and return the exit code."""
    try:
        settings = Settings.from_environment()
        if settings.mode == "development":
            if settings.issuer == DEVELOPMENT_ISSUER:
                create_development_keys(Path(settings.jwks).parent)
            create_audit_key(settings.audit_key)
        parts = Parts.build(settings)
        if not parts.lacking:
            _ = parts.store  # the tables are made, or brought up to date, once and not by every worker
    except BalanceRiskError as error:
        sys.stderr.write(f"balance-risk: {error}\n")
        return error.exit_code
    for reason in parts.lacking:
        sys.stderr.write(f"balance-risk: {reason}\n")
    return 2 if parts.lacking else 0


if __name__ == "__main__":
    sys.exit(main())
