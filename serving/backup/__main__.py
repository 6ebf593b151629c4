"""``python -m serving.backup take | restore``: what ``balance-risk backup`` and ``balance-risk restore`` run."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from data_contracts.errors import BalanceRiskError, MissingInputError
from serving.audit.errors import AuditBroken
from serving.backup.restore import Known, restore
from serving.backup.take import Keys, take
from serving.settings import Settings
from serving.store.address import sqlite_url

_OLD = {"store": "store.db", "audit": "audit.db", "heads": "audit-heads.jsonl"}


def main() -> None:
    """Run one of the two with the settings of the service; errors a user can mend come without a traceback."""
    os.umask(0o077)
    options = _options()
    try:
        settings = Settings.from_environment()
        report = options.run(settings, options, Keys.read(settings.audit_key, options.key))
        sys.stdout.write((json.dumps(report, indent=2) if options.json else report["summary"]) + "\n")
        if report.get("sound") is False:
            raise AuditBroken("The audit log does not verify. Keep everything as it is, and find out why.")
    except BalanceRiskError as error:
        sys.stderr.write(f"balance-risk: {error}\n")
        sys.exit(error.exit_code)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="balance-risk", description="Backup and restore of all that the service keeps."
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("take", help="back up into a directory that is not there")
    one.set_defaults(run=_take)
    other = commands.add_parser("restore", help="put a backup where nothing is")
    other.add_argument("--old", type=Path, help="what is left of the directory that the backup replaces")
    other.add_argument("--withdrawals-lost", action="store_true")
    other.add_argument("--nobody-erased", action="store_true")
    other.set_defaults(run=_restore)
    for command in (one, other):
        command.add_argument("directory", type=Path)
        command.add_argument("--erasures", type=Path, default=Path("erasures"))
        command.add_argument("--key", type=Path, action="append", default=[])
        command.add_argument("--json", action="store_true")
    return parser.parse_args()


def _take(settings: Settings, options: argparse.Namespace, keys: Keys) -> dict[str, Any]:
    return take(settings, options.directory, keys, options.erasures)


def _restore(settings: Settings, options: argparse.Namespace, keys: Keys) -> dict[str, Any]:
    old = {} if options.old is None else {what: options.old / name for what, name in _OLD.items()}
    there = {what: path for what, path in old.items() if path.exists()}
    if old and not there:
        raise MissingInputError(f"{options.old}: has none of {', '.join(_OLD.values())}.")
    urls = {what: sqlite_url(path) for what, path in there.items() if what != "heads"}
    for what in ("store", "audit"):  # addresses of servers hold passwords, so they are no arguments
        if address := os.environ.get(f"BALANCE_RISK_OLD_{what.upper()}"):
            urls[what] = address
    known = Known(options.erasures, urls.get("store"), urls.get("audit"), there.get("heads"), options.withdrawals_lost,
                  options.nobody_erased)  # fmt: skip
    return restore(settings, options.directory, keys, known)


if __name__ == "__main__":
    main()
