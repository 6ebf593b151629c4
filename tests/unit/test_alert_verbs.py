"""The verbs ``alerts list`` and ``alerts status``: what they write and say, for whom, and what is logged."""

from __future__ import annotations

import csv
import json

import pytest
from typer.testing import CliRunner

from data_contracts.errors import MissingInputError
from data_contracts.time_windows import today
from pipeline.cli import app
from tests.lib.in_process import running
from tests.lib.stores import OUTCOME
from tests.lib.teams import at_risk, raised, rule


@pytest.fixture
def service(tmp_path, monkeypatch):
    """A store with a flag and a risk for team north, of which the risk was acknowledged, and an audit log."""
    with running(tmp_path) as found:
        persons = at_risk("p", 0.5), at_risk("q", 0.4), at_risk("f", None, is_flagged=True)
        raised(found.parts.store, today(), *persons, team=rule(per_week=2, has_webhook=True))
        (risk,) = [one for one in found.parts.store.open_alerts(["c"], today()) if one.person_id == "p"]
        found.parts.store.acknowledge_alert(risk.alert_id, "dr-1", today())
        for name in ("store", "audit", "audit_key", "audit_heads"):
            monkeypatch.setenv(f"BALANCE_RISK_{name.upper()}", str(getattr(found.parts.settings, name)))
        yield found


def run(tmp_path, *words: str):
    answer = CliRunner().invoke(app, ["alerts", *words, "-w", str(tmp_path)])
    return answer.exit_code


def test_the_list_has_each_alert_with_its_state_for_its_owner_only_also_where_the_file_was_everybodys(
    service, tmp_path, capfd
):
    path = tmp_path / "data" / "alerts.csv"
    path.parent.mkdir()
    path.write_text("older and longer than what comes\n" * 100)
    path.chmod(0o644)
    assert run(tmp_path, "list") == 0
    assert capfd.readouterr().out == f"alerts: {path}: 1 acknowledged, 1 open\n"
    with path.open(newline="") as file:
        rows = [
            (row["person_id"], row["team"], row["about"], row["kind"], row["state"]) for row in csv.DictReader(file)
        ]
    assert sorted(rows) == [("f", "north", "safety_flag", "safety_flag", "open"),
                            ("p", "north", OUTCOME, "new", "acknowledged")]  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600


def test_taking_the_list_out_is_an_event_with_the_companies(service, tmp_path, capfd):
    begun = len(service.events())
    assert run(tmp_path, "list", "--json") == 0
    assert json.loads(capfd.readouterr().out)["states"] == {"acknowledged": 1, "open": 1}
    (event,) = service.events()[begun:]
    assert (event["action"], event["purpose"], event["decision"]) == ("read_alerts", "quality", "allowed")
    assert json.loads(event["organisations"]) == ["c"]
    assert event["caller"].startswith("operator:")


def test_what_cannot_be_logged_is_not_written(service, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("BALANCE_RISK_AUDIT", f"sqlite:///{tmp_path}/none.db")
    assert run(tmp_path, "list") == MissingInputError.exit_code
    assert "no audit log there" in capfd.readouterr().err
    assert not (tmp_path / "data" / "alerts.csv").exists()


def test_the_status_says_numbers_by_team_and_names_nobody(service, tmp_path, capfd):
    assert run(tmp_path, "status") == 0
    assert capfd.readouterr().out.splitlines() == [
        f"north, {today()}, {OUTCOME}: 1 raised, 1 more at 0.2 or above, 1 of them new or rising and without a place this week",
        f"north, {today()}, safety_flag: 1 raised",
        "north: messages: 2 waiting, 0 delivered, 0 given up",
    ]  # fmt: skip
    assert run(tmp_path, "status", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["deliveries"] == {"north": {"waiting": 2, "delivered": 0, "given_up": 0}}
    assert [(one["about"], one["n_raised"], one["companies"]) for one in told["nights"]] == [
        (OUTCOME, 1, ["c"]), ("safety_flag", 1, ["c"]),
    ]  # fmt: skip
