"""docs/deploy/service.md: what each of its four roles may do in PostgreSQL, and what it may not."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.audit.journal import Journal
from serving.audit.keys import read_audit_key
from tests.lib.audit_writer import event
from tests.lib.deployment import PROJECT
from tests.lib.documented_server import DATABASES, DRILL, OWNER, Server, block, command, databases, starts
from tests.lib.postgresql import client_programs, postgresql_server
from tests.lib.stores import opened, scored, write

SOMEBODY = "SYNTHETIC-1"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Iterator[Server]:
    with databases(tmp_path_factory.mktemp("server")) as found:
        yield found


def test_roles_may_what_the_page_says_and_no_more(prepared):
    def tried(database: str, role: str, statement: str) -> str:
        return prepared.psql(f"balance_risk_{database}", f"balance_risk_{role}", statement, f"{role}-password").stderr

    assert tried("store", "store", "SELECT 1 FROM nights; DELETE FROM deliveries WHERE false") == ""
    assert "must be owner" in tried("store", "store", "DROP TABLE nights")
    assert "permission denied" in tried("store", "store", "CREATE TABLE x ()")
    assert tried("audit", "audit", "SELECT count(*) FROM audit_event") == ""
    for statement in ("UPDATE audit_event SET role = ''", "DELETE FROM audit_event", "TRUNCATE audit_event"):
        assert "permission denied" in tried("audit", "audit", statement)
    assert "permission denied" in tried("audit", "auditor", "INSERT INTO audit_event SELECT * FROM audit_event")
    for lock in ("pg_advisory_lock(1)", "pg_try_advisory_lock_shared(1, 2)", "pg_advisory_xact_lock(1)"):
        assert "permission denied" in tried("audit", "auditor", f"SELECT {lock}"), "with it she could stop the service"
    assert "only grows" in tried("audit", "owner", "DELETE FROM audit_event"), "mistakes of the owner are kept out too"
    for database, role in (("store", "audit"), ("audit", "store"), ("store", "auditor"), ("postgres", "nobody")):
        assert "FATAL" in tried(database, role, "SELECT 1")
    wrong = prepared.psql("balance_risk_store", "balance_risk_store", "SELECT 1", "wrong")
    assert "password authentication failed" in wrong.stderr


def test_a_role_that_may_not_make_tables_says_so(prepared):
    url = prepared.owner["BALANCE_RISK_STORE"].replace("balance_risk_owner:owner", "balance_risk_store:store")
    empty = {"BALANCE_RISK_STORE": url, "BALANCE_RISK_AUDIT": prepared.environment["BALANCE_RISK_AUDIT"],
             "BALANCE_RISK_AUDIT_HEADS": str(prepared.root / "no-heads.jsonl")}  # fmt: skip
    prepared.psql("balance_risk_audit", "postgres", "ALTER TABLE audit_event RENAME TO moved")
    try:
        done = prepared.run(prepared.here(command("serving.prepare").rpartition(";")[2]), empty)
    finally:
        prepared.psql("balance_risk_audit", "postgres", "ALTER TABLE moved RENAME TO audit_event")
    assert "Name its owner in BALANCE_RISK_AUDIT" in done.stderr
    assert done.returncode
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def backed_up(prepared) -> Path:
    """A backup of a night and an event, by the line of the backup's unit: it has the service's own two roles."""
    prepared.environment["PATH"] = f"{client_programs()}{os.pathsep}{os.environ['PATH']}"
    variables = prepared.environment
    key = read_audit_key(Path(variables["BALANCE_RISK_AUDIT_KEY"]))
    journal = Journal(variables["BALANCE_RISK_AUDIT"], key, Path(variables["BALANCE_RISK_AUDIT_HEADS"]))
    journal.start()
    journal.append([event("before")]).result()
    journal.close()
    with opened(variables["BALANCE_RISK_STORE"], migrate=False) as store:
        write(store, scored(SOMEBODY))
    (line,) = starts("balance-risk-backup.service")
    done = prepared.run(prepared.here(line.replace("$$", "$").replace("%%", "%")))
    assert done.returncode == 0, done.stderr
    (found,) = (prepared.root / "backups").iterdir()
    return found


def test_the_service_s_own_roles_can_take_a_backup(prepared, backed_up):
    """A role that may use a sequence and not select from it is refused by pg_dump."""
    listed = prepared.run(f"pg_restore --list {backed_up}/store.dump").stdout
    assert "SEQUENCE SET" in listed, "without them the database would give numbers that are taken"


def asked(prepared: Server, database: str, role: str) -> str:
    return prepared.psql(database, role, "SELECT person_id FROM scores", f"{role.rpartition('_')[2]}-password").stdout


def restored(prepared: Server, backup: Path, part: str) -> None:
    line = prepared.here(command(part)).replace("/DATE ", f"/{backup.name} ")
    done = prepared.run(f"{line} --nobody-erased")
    assert done.returncode == 0, done.stderr


def test_a_drill_touches_nothing_of_the_live_service(prepared, backed_up):
    """Least of all its heads, which prove the live log."""
    heads = Path(prepared.environment["BALANCE_RISK_AUDIT_HEADS"])
    before = heads.read_bytes()
    drill = prepared.root / "drill"
    drill.mkdir()
    (drill / "drill.env").write_text(prepared.here(block(DRILL)))
    assert prepared.run(prepared.here(command("install -m 600 /etc/balance-risk/audit.key"))).returncode == 0
    for what in ("store", "audit"):
        prepared.psql("postgres", "postgres", f"CREATE DATABASE balance_risk_{what}_drill OWNER balance_risk_owner")
    restored(prepared, backed_up, "--workspace /root/drill")
    assert before
    assert heads.read_bytes() == before
    assert (drill / "audit-heads.jsonl").read_bytes() != before
    assert SOMEBODY in asked(prepared, "balance_risk_store_drill", "balance_risk_owner")


def test_what_is_restored_opens_to_the_service_s_roles_and_the_log_belongs_to_none_of_them(prepared, backed_up):
    renames = re.findall(r"ALTER DATABASE \w+ RENAME TO \w+", command("RENAME TO"))
    assert len(renames) == 2
    for statement in (*renames, block(DATABASES)):
        done = prepared.psql("postgres", "postgres", statement)
        assert done.returncode == 0, done.stderr
    prepared.write_environment("old.env", "BALANCE_RISK_OLD_STORE=postgresql+psycopg://balance_risk_owner")
    (prepared.root / "keys" / "service.env").write_text("")  # the test's own variables are those of the page
    prepared.write_environment("owner.env", OWNER)
    restored(prepared, backed_up, "/etc/balance-risk/old.env")
    assert SOMEBODY in asked(prepared, "balance_risk_store", "balance_risk_store")
    test_roles_may_what_the_page_says_and_no_more(prepared)
    done = prepared.run(prepared.here(command("serving.prepare").rpartition(";")[2]).removesuffix("--tables"))
    assert done.returncode == 0, done.stderr


def test_the_script_of_the_containers_makes_the_databases_and_makes_them_again(tmp_path):
    """postgres-init.sh is run by PostgreSQL's image once, and by hand before a restore."""
    text = (PROJECT / "docs" / "deploy" / "postgres-init.sh").read_text()
    for name in ("admin", "owner", "store", "audit", "auditor", "mlflow"):
        (tmp_path / f"postgres_{name}").write_text(f'{name}\'s "password"')
    with postgresql_server() as server:
        variables = {**os.environ, "PATH": f"{client_programs()}{os.pathsep}{os.environ['PATH']}",
                     "PGHOST": str(server.pgdata), "POSTGRES_USER": "postgres"}  # fmt: skip
        script = text.replace("/run/secrets", str(tmp_path))
        for words in ([], ["again"]):
            subprocess.run(["bash", "-c", script, "roles.sh", *words], env=variables, check=True, capture_output=True)
        asked = ["psql", "--username", "postgres", "--tuples-only", "--command", "SELECT datname FROM pg_database"]
        listed = subprocess.run(asked, env=variables, check=True, capture_output=True, text=True).stdout.split()
    made = {f"balance_risk_{what}{old}" for what in ("store", "audit") for old in ("", "_old")}
    assert made | {"mlflow", "mlflow_accounts"} < {*listed}
