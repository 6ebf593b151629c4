"""What docs/deploy/service.md says beside what test_deploy_service.py runs: units, words of the access log, every command."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from serving.clinician.pages import PAGES
from serving.endpoints import ENDPOINTS
from tests.lib import documented
from tests.lib.deployment import PROJECT
from tests.lib.documented_server import PAGE, unit, units


def test_every_address_of_the_service_has_a_word_in_the_access_log():
    """An address that is not known there is logged as a dash, and operators wonder what fails."""
    known = re.findall(r'"~\^/\(\?<\w+>(.+)\)\(\?:/\|\$\)"', (PROJECT / "docs/deploy/nginx.conf").read_text())
    assert len(known) == 2
    for endpoint in (*ENDPOINTS, *PAGES):
        place = endpoint.path.lstrip("/").partition("/{")[0]
        assert re.match(f"(?:{'|'.join(known)})(?:/|$)", place), endpoint.path


@pytest.mark.parametrize("name", ["balance-risk.service", "balance-risk-night.service", "balance-risk-night.timer"])
def test_units_are_units(name, tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("units are not verified: no systemd-analyze. apt-get install systemd as root")
    for other, text in units().items():
        (tmp_path / other).write_text(re.sub(r"/opt/balance-risk/.venv/bin/balance-risk", "/bin/true", text))
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "balance-risk" in line]
    assert said == []


def test_the_units_keep_the_service_in_its_place():
    for name in ("balance-risk.service", "balance-risk-night.service"):
        service = unit(name)["Service"]
        assert service["User"] == "balance-risk"
        assert (service["ProtectSystem"], service["NoNewPrivileges"], service["UMask"]) == ("strict", "yes", "0077")
        assert service["CapabilityBoundingSet"] == ""
    assert int(unit("balance-risk.service")["Service"]["LimitNOFILE"]) >= 4096
    assert int(unit("balance-risk.service")["Service"]["TimeoutStopSec"]) >= 71, "body 10, batch 55, log 6"


RUN = ("-m serving.prepare", "https://risk.example.no/v1/risk", "audit verify")
"""By test_deploy_service.py."""
NOT_RUN = {
    "-m serving.store.move": "test_move.py, on databases of its own",
    "curl http://127.0.0.1:3000/readyz": "asked all the time by test_deploy_service.py",
    "apt-get": "the machine of the tests has them, or tests skip",
    "useradd": "an account of the reader's machine",
    "install ": "directories of the reader's machine",
    "cp -r": "the same",
    "make -C": "README's set-up, in another directory",
    "sudo -u postgres": "the file that it names is run by test_deploy_service.py",
    "systemctl": "no systemd where tests run; the units are verified above",
    "certbot": "needs a name that others can reach",
    "nginx -t": "tests/lib/proxy.py, with the test's configuration",
    "chmod 600": "test_audit_journal.py: a key that others can read is refused",
    "chown": "an account of the reader's machine",
    "openssl rand": "a key of this form is in tests/lib/deployment.py",
}
"""How a command begins, or what is in it, and why it is not run by test_deploy_service.py."""


def test_every_command_of_the_page_is_run_or_named_with_the_reason():
    texts = [one.text for one in documented.commands(PAGE)]
    assert len(texts) > 15
    assert [text for text in texts if not any(part in text for part in (*RUN, *NOT_RUN))] == []
    assert [part for part in (*RUN, *NOT_RUN) if not any(part in text for text in texts)] == [], "named, and not there"
