"""The commands behind ``balance-risk alerts``: deliver, list, status."""

from __future__ import annotations

import argparse
import csv
import logging
import os
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from data_contracts.errors import BalanceRiskError, SettingsError
from data_contracts.time_windows import today
from serving.access.policy import Action, Purpose
from serving.alerts.deliver import Deliverer
from serving.alerts.teams import read_teams, receivers
from serving.audit.export import append_by_operator
from serving.audit.keys import read_audit_key
from serving.settings import Settings
from serving.store import Store, open_store

COLUMNS = (
    "alert_id", "person_id", "score_id", "team", "about", "kind", "night", "raised_at", "valid_until", "state",
    "acknowledged_at", "ended_on", "ended_why",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Run a command; an error is one line on standard error, without values, and a code."""
    asked = _parser().parse_args(arguments)
    try:
        settings = Settings.from_environment()
        asked.run(settings, open_store(settings.store), asked)
    except BalanceRiskError as error:
        sys.stderr.write(f"balance-risk: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    except Exception as error:  # its own text may quote rows
        if os.environ.get("BALANCE_RISK_TRACEBACK") == "1":
            raise
        sys.stderr.write(f"balance-risk: unexpected {type(error).__name__}; a fault of ours\n")
        return 70
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="balance-risk alerts")
    commands = parser.add_subparsers(required=True)
    for name, run in (("deliver", _deliver), ("list", _list), ("status", _status)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true")
        if name == "deliver":
            command.add_argument("--once", action="store_true")
        if name == "list":
            command.add_argument("--out", type=Path, required=True)
    return parser


def _deliver(settings: Settings, store: Store, asked: argparse.Namespace) -> None:
    if settings.teams is None:
        raise SettingsError("No teams are declared, so there is nobody to deliver to. Set BALANCE_RISK_TEAMS.")
    if not settings.public_url:
        raise SettingsError("Messages name the address of the worklist. Set BALANCE_RISK_PUBLIC_URL.")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log each address
    found = receivers(read_teams(settings.teams), settings.teams.parent)
    deliverer = Deliverer(store, found, settings.public_url, random.Random())

    def told(done: dict[str, int]) -> None:
        _say(done, ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in done.items()), asked.json)

    if asked.once:
        told(deliverer.once())
    else:
        deliverer.forever(told)


def _list(settings: Settings, store: Store, asked: argparse.Namespace) -> None:
    """Write every alert to a CSV file, for its owner only: data for monitoring what follows from alerts.

    It names persons, also those with a safety flag, so that it was taken out is an event of the audit log, written first.
    """
    rows = store.alerts(today())
    append_by_operator(
        settings.audit, read_audit_key(settings.audit_key), settings.audit_heads, Action.READ_ALERTS, None,
        "alerts taken out on the command line", purpose=Purpose.QUALITY,
        organisations=tuple(sorted({company for one in store.team_nights() for company in one.companies})),
    )  # fmt: skip
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with open(asked.out, "w", newline="", encoding="utf-8", opener=_for_owner) as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    states = dict(Counter(row["state"] for row in rows))
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet"
    _say({"path": str(asked.out), "alerts": len(rows), "states": states}, f"alerts: {asked.out}: {told}", asked.json)


def _status(settings: Settings, store: Store, asked: argparse.Namespace) -> None:
    """Say what each team was told in its newest night, and what became of the messages."""
    nights = [{**vars(one), "companies": sorted(one.companies)} for one in store.team_nights()]
    deliveries = store.deliveries()
    lines = [_line(one) for one in nights] or ["no night has raised alerts yet"]
    lines += [f"{team}: messages: " + ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in counts.items())
              for team, counts in deliveries.items()]  # fmt: skip
    _say({"nights": nights, "deliveries": deliveries}, "\n".join(lines), asked.json)


def _line(one: dict[str, Any]) -> str:
    where = f"{one['team']}, {one['night']}, {one['about']}"
    if one["why_not"]:
        return f"{where}: no alerts: {one['why_not'].replace('_', ' ')}"
    if one["threshold"] is None:
        return f"{where}: {one['n_raised']} raised"
    left = f", {one['n_left_out']} of them new or rising and without a place this week" if one["n_left_out"] else ""
    return f"{where}: {one['n_raised']} raised, {one['n_more']} more at {one['threshold']:.3g} or above{left}"


def _say(document: dict[str, Any], text: str, as_json: bool) -> None:
    sys.stdout.write(orjson.dumps(document).decode() + "\n" if as_json else f"{text}\n")
    sys.stdout.flush()


def _for_owner(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)  # a file that was there keeps its mode
    return descriptor


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
