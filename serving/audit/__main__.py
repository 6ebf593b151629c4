"""``python -m serving.audit verify | export | statistics | rotate | key``: what ``balance-risk audit`` runs.

``statistics`` is for the governance pack: one JSON array of counts on stdout.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from data_contracts.errors import BalanceRiskError, SettingsError
from data_contracts.national_identity_number import contains
from serving.audit import chain, export, heads, reading
from serving.audit.errors import AuditBroken, AuditUnavailable
from serving.audit.keys import create_audit_key, read_audit_key
from serving.audit.proof import report_of
from serving.audit.store import StoredRow
from serving.audit.verify import verify
from serving.settings import Settings

_SHOWN_EVERY = 50_000


def main() -> None:
    """Run one of the commands with the settings of the service; errors a user can mend come without a traceback."""
    options = _options()
    try:
        options.run(Settings.from_environment(), options)
    except BalanceRiskError as error:
        sys.stderr.write(f"balance-risk: {error}\n")
        sys.exit(error.exit_code)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="balance-risk audit", description="The log of who saw what about whom.")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("verify", help="prove the chain; exit code 3 if it is broken")
    one.add_argument("--key", type=Path, action="append", default=[], help="an older key of the chain; repeatable")
    one.add_argument("--restored", action="append", default=[], help="name of a restore you know of; repeatable")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=_verify)
    one = commands.add_parser("export", help="a person's own log")
    one.add_argument("--person", required=True)
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=_export)
    one = commands.add_parser("statistics", help="counts by month, role, purpose, action and decision; nobody is named")
    one.set_defaults(run=_statistics)
    one = commands.add_parser("rotate", help="hand the chain over to another key")
    one.add_argument("--to", type=Path, required=True, help="file of the new key; made if it is not there")
    one.set_defaults(run=_rotate)
    one = commands.add_parser("key", help="make the key of the chain if there is none")
    one.set_defaults(run=_key)
    return parser.parse_args()


def _verify(settings: Settings, options: argparse.Namespace) -> None:
    keys = {chain.key_id(key): key for key in map(read_audit_key, [settings.audit_key, *options.key])}
    try:
        # Heads first: each of them is of an event that is there before the first is read.
        signed = _signed(settings.audit_heads)
        proof = verify(_told(reading.events(settings.audit)), signed, keys, options.restored)
    except OSError as error:
        raise AuditUnavailable(f"{settings.audit_heads}: the heads cannot be read ({error.strerror}).") from None
    report = report_of(proof)
    sys.stdout.write((json.dumps(report, indent=2, ensure_ascii=False) if options.json else report["summary"]) + "\n")
    if not proof.is_sound:
        raise AuditBroken(
            "The audit log is not as it was written. Keep it and its heads as they are, and find out why."
        )


def _signed(path: Path) -> Iterator[heads.Head]:
    return heads.read(path) if path.exists() else iter(())


def _told(rows: Iterator[StoredRow]) -> Iterator[StoredRow]:
    """Pass the rows on and say on a terminal how far it is."""
    is_shown = sys.stderr.isatty()
    for count, row in enumerate(rows, 1):
        if is_shown and count % _SHOWN_EVERY == 0:
            sys.stderr.write(f"\r{count:,} events")
        yield row
    if is_shown:
        sys.stderr.write("\r\x1b[K")


def _export(settings: Settings, options: argparse.Namespace) -> None:
    if contains(options.person):
        raise SettingsError(
            "--person holds a national identity number, which the log must not keep. Give the pseudonym."
        )
    export.record_export(settings.audit, read_audit_key(settings.audit_key), settings.audit_heads, options.person)
    write = export.write_json if options.json else export.write_csv
    write(reading.accesses(settings.audit, options.person), sys.stdout)


def _statistics(settings: Settings, _: argparse.Namespace) -> None:
    sys.stdout.write(json.dumps([*reading.statistics(settings.audit)]) + "\n")


def _rotate(settings: Settings, options: argparse.Namespace) -> None:
    old = read_audit_key(settings.audit_key)
    new = create_audit_key(options.to)
    if new == old:
        raise SettingsError(f"{options.to}: this is the key of the chain already. Name another file.")
    n = export.append_by_operator(settings.audit, old, settings.audit_heads, chain.ROTATE, None, chain.key_id(new))
    sys.stdout.write(
        f"Event {n} hands the chain over to the key in {options.to}. Start the service with it (BALANCE_RISK_AUDIT_KEY), and "
        f"keep the old one: balance-risk audit verify --key {settings.audit_key}\n"
    )


def _key(settings: Settings, _: argparse.Namespace) -> None:
    key = create_audit_key(settings.audit_key)
    sys.stdout.write(f"{settings.audit_key}: key {chain.key_id(key)}\n")


if __name__ == "__main__":
    main()
