"""What docs/deploy/service.md says beside what test_deploy_service.py runs: units, words of the access log, every command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest
import yaml

from data_contracts.pseudonyms import VARIABLE as PSEUDONYM_KEYS
from serving.clinician.pages import PAGES
from serving.endpoints import ENDPOINTS
from tests.lib import documented
from tests.lib.deployment import LONGEST_REQUEST, PROJECT
from tests.lib.documented_server import PAGE, starts, unit, units


def test_every_address_of_the_service_has_a_word_in_the_access_log():
    """An address that is not known there is logged as a dash, and operators wonder what fails."""
    known = re.findall(r'"~\^/\(\?<\w+>(.+)\)\(\?:/\|\$\)"', (PROJECT / "docs/deploy/nginx.conf").read_text())
    assert len(known) == 2
    for endpoint in (*ENDPOINTS, *PAGES):
        place = endpoint.path.lstrip("/").partition("/{")[0]
        assert re.match(f"(?:{'|'.join(known)})(?:/|$)", place), endpoint.path


def test_keys_of_pseudonyms_are_for_the_night_alone():
    page, service = PAGE.read_text(), unit("balance-risk.service")["Service"]
    (directory,) = re.findall(rf"`{PSEUDONYM_KEYS}=(.+)/keys`", page)
    assert service["InaccessiblePaths"] == f"-{directory}"
    assert service["EnvironmentFile"] == "/etc/balance-risk/service.env"
    assert "EnvironmentFile=-/etc/balance-risk/night.env" in units()["balance-risk-night.service"]


UNITS = [
    "balance-risk.service",
    *(f"balance-risk-{one}.{kind}" for one in ("night", "backup", "retention") for kind in ("service", "timer")),
]


@pytest.mark.parametrize("name", UNITS)
def test_units_are_units(name, tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("units are not verified: no systemd-analyze. apt-get install systemd as root")
    assert sorted(units()) == sorted(UNITS)
    for other, text in units().items():
        (tmp_path / other).write_text(re.sub(r"/opt/balance-risk/.venv/bin/balance-risk", "/bin/true", text))
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "balance-risk" in line]
    assert said == []


def test_the_units_keep_the_service_in_its_place():
    for name in (one for one in UNITS if one.endswith(".service")):
        service = unit(name)["Service"]
        assert service["User"] == "balance-risk"
        assert (service["ProtectSystem"], service["NoNewPrivileges"], service["UMask"]) == ("strict", "yes", "0077")
        assert service["CapabilityBoundingSet"] == ""
        assert service.get("Type") != "oneshot" or service["TimeoutStartSec"], "what hangs would hang for ever"
    assert int(unit("balance-risk.service")["Service"]["LimitNOFILE"]) >= 4096
    assert int(unit("balance-risk.service")["Service"]["TimeoutStopSec"]) >= LONGEST_REQUEST


RUN = ("-m serving.prepare", "https://risk.example.no/v1/risk", "audit verify", "token.header)", "restore /var/backups",
       "install -m 600 /etc/balance-risk/audit.key", "ALTER DATABASE")  # fmt: skip
"""By test_deploy_service.py and test_deploy_database.py."""
NOT_RUN = {
    "-m serving.store.move": "test_move.py, on databases of its own",
    "curl http://127.0.0.1:3000/readyz": "asked all the time by test_deploy_service.py",
    "apt-get": "the machine of the tests has them, or tests skip",
    "useradd": "an account of the reader's machine",
    "install ": "directories of the reader's machine",
    "cp -r": "the same",
    "rm -r": "the same",
    "make -C": "README's set-up, in another directory",
    "shred -u": "a file of the reader's machine",
    "sudo -u postgres": "the file or database that it names is that of test_deploy_database.py",
    "systemctl": "no systemd where tests run; the units are verified above",
    "certbot": "needs a name that others can reach",
    "nginx -t": "tests/lib/proxy.py, with the test's configuration",
    "chown": "an account of the reader's machine",
    "openssl rand": "a key of this form is in tests/lib/deployment.py",
}
"""How a command begins, or what is in it, and why it is not run by test_deploy_service.py."""


def test_every_command_of_the_page_is_run_or_named_with_the_reason():
    texts = [one.text for one in documented.commands(PAGE)]
    assert len(texts) > 15
    assert [text for text in texts if not any(part in text for part in (*RUN, *NOT_RUN))] == []
    assert [part for part in (*RUN, *NOT_RUN) if not any(part in text for text in texts)] == [], "named, and not there"


DELETES = re.compile(r"find (\S+) (-mindepth 1 -maxdepth 1 -mtime \+\d+ -exec rm -r \{\} \+)")
BACKUP_PAGE = PROJECT / "docs" / "deploy" / "backup.md"


def in_manifest(words: list[str]) -> str:
    return " ".join(["find", *words])


def deleting() -> dict[str, str]:
    """What deletes old backups, by where it stands."""
    compose = yaml.safe_load((PROJECT / "docs/deploy/compose.yaml").read_text())["services"]["retention"]
    assert compose["entrypoint"] == ["find"]
    jobs = yaml.safe_load_all((PROJECT / "docs/deploy/kubernetes/jobs.yaml").read_text())
    (job,) = (one for one in jobs if one["metadata"]["name"] == "retention")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["find"]
    (line,) = starts("balance-risk-retention.service")
    (by_hand,) = (one.text for one in documented.commands(BACKUP_PAGE) if one.program == "find")
    return {
        "systemd": line.removeprefix("/usr/bin/"), "compose": in_manifest(compose["command"]),
        "kubernetes": in_manifest(container["args"]), "backup.md": by_hand,
    }  # fmt: skip


def test_no_backup_is_kept_for_more_than_30_days_whatever_becomes_of_later_ones(tmp_path):
    """Who was erased is told so; a deletion behind a backup in one unit is not reached when the backup fails."""
    commands = deleting()
    assert len({DELETES.fullmatch(text)[2] for text in commands.values()}) == 1, commands
    now = time.time()
    for days in (0, 1, 27, 29, 30, 400):
        place = tmp_path / f"{days}-days" / "bundles"
        place.mkdir(parents=True)
        (place / "x").write_text("")
        os.utime(place.parent, (now - days * 86_400 - 60,) * 2)
    text = commands["systemd"].replace("/var/backups/balance-risk", str(tmp_path))
    subprocess.run(["sh", "-c", text], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0-days", "1-days", "27-days"], "runs once a day"
    for name in ("balance-risk-backup.service", "balance-risk-retention.service"):
        assert len(starts(name)) == 1, "a second one is not reached when the first fails"
    assert "for more than 30 days" in units()["balance-risk-retention.service"]
