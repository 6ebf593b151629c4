"""What a caller sees when what the service leans on fails while it runs: store, disk, issuer, clock, a bundle of another kind.

Real processes over HTTP; the parts alone are tested in test_store_faults, test_audit_faults, test_key_set_faults, test_bundle.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.bundle import move_current
from models.signing import sign
from tests.lib.deployment import PERSON, PROJECT, REQUEST, Deployment, Issuer, wait_for
from tests.lib.models import linear_model

CLOCK = PROJECT / "tests" / "lib" / "clock_hook"
WITHDRAWAL = {"source": "lab"}


class _Issuer(ThreadingHTTPServer):
    """Publishes a key set until it is closed."""

    daemon_threads = True

    def __init__(self, key_set: Path) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = key_set.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Leaning(Deployment):
    """A service whose store, issuer and clock a test can take away."""

    def __init__(self, root: Path) -> None:
        self.clock, self.stored = root / "clock", root / "main" / "store.db"
        self.stored.parent.mkdir(parents=True)
        super().__init__(
            root, BALANCE_RISK_STORE=f"sqlite:///{self.stored}", CLOCK_HOOK=str(self.clock),
            PYTHONPATH=os.pathsep.join(filter(None, [str(CLOCK), os.environ.get("PYTHONPATH", "")])),
        )  # fmt: skip
        self.keys = _Issuer(self.issuer.jwks)
        self.environment["BALANCE_RISK_JWKS"] = f"http://127.0.0.1:{self.keys.server_address[1]}/jwks.json"
        self.promote_both()
        self.start(until_ready=True)

    def withdraw(self):
        return self.post(f"/v1/persons/{PERSON}/withdrawals", WITHDRAWAL, **self.everywhere())

    def everywhere(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.issuer.token(organisations=['*'])}"}

    def risk(self):
        return self.post("/v1/risk", REQUEST | {"outcomes": ["burnout"]})

    @contextmanager
    def no_file_grows(self) -> Iterator[None]:
        """As on a full disk: what is written over the present sizes fails in every process of the service."""
        assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN, "Python turns the signal into an error"
        processes = [self.process.pid, *self.workers()]
        unlimited = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in processes}
        try:
            for pid, (_, hard) in unlimited.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
            yield
        finally:
            for pid, limits in unlimited.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Leaning]:
    found = Leaning(tmp_path_factory.mktemp("leaning") / "root")
    try:
        yield found
    finally:
        found.stop()
        found.keys.close()


def kind(response) -> str:
    return response.json()["type"].rpartition(":")[2]


def test_a_store_that_is_gone_costs_what_is_stored_and_nothing_half(service):
    assert service.withdraw().status_code == 200
    moved = service.root / "moved"
    service.stored.parent.rename(moved)
    try:
        refused = service.withdraw()
        assert (refused.status_code, kind(refused)) == (503, "store-unavailable")
        assert refused.headers["retry-after"]
        assert not service.stored.exists(), "an empty store in its place would forget every withdrawal"
    finally:
        shutil.rmtree(service.stored.parent, ignore_errors=True)
        moved.rename(service.stored.parent)
    wait_for(lambda: service.withdraw().status_code == 200, 30)


def test_a_locked_store_is_waited_for_and_then_said(service):
    with sqlite3.connect(service.stored, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = service.withdraw()
        assert (refused.status_code, kind(refused)) == (503, "store-unavailable")
        assert service.risk().status_code == 200, "a score writes nothing here and reads beside the lock"
        other.execute("ROLLBACK")
    assert service.withdraw().status_code == 200


def test_a_full_disk_means_no_score_because_no_event_and_recovery_by_itself(service):
    with service.no_file_grows():
        refused = service.risk()
        assert (refused.status_code, kind(refused)) == (503, "audit-unavailable")
        assert "outcomes" not in refused.text
    wait_for(lambda: service.risk().status_code == 200, 30)


def test_an_issuer_that_goes_away_takes_nobody_with_it(service):
    service.keys.close()
    assert service.risk().status_code == 200
    assert service.status("/readyz") == 200
    other = Issuer(service.root / "other.json")
    assert service.post("/v1/risk", REQUEST, authorization=f"Bearer {other.token()}").status_code == 401


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_jumps_lets_no_wrong_token_in_and_all_is_well_when_it_is_right_again(service, hours):
    service.clock.write_text(str(3600 * hours), encoding="ascii")
    assert service.risk().status_code == 401
    service.clock.unlink()
    assert service.risk().status_code == 200


def test_a_bundle_of_another_kind_is_refused_and_the_last_good_one_goes_on(service):
    before = service.version("long_sick_leave")
    strange = service.export(linear_model(seed=77), "9")
    move_current(service.root / "bundles", "long_sick_leave", _resealed(service, strange, fingerprint="0" * 64))
    wait_for(lambda: "degraded" in service.client.get("/readyz").text, 20)
    told = service.client.get("/readyz").json()
    assert "Retrain" in told["refused"]["long_sick_leave"]
    assert service.version("long_sick_leave") == before
    assert 'balance_risk_bundle_refused{outcome="long_sick_leave"} 1.0' in service.client.get("/metrics").text


def _resealed(service: Leaning, bundle: Path, **changes: object) -> Path:
    """Sign another manifest for the same files: sound, ours, and not what this service reads."""
    bundle.chmod(0o755)
    manifest = json.loads((bundle / "manifest.json").read_text()) | changes
    text = json.dumps(manifest).encode()
    for name, content in (("manifest.json", text), ("manifest.sig", sign(text, service.signing))):
        (bundle / name).chmod(0o644)
        (bundle / name).write_bytes(content)
    return bundle.rename(bundle.with_name(f"{manifest['version']}-{hashlib.sha256(text).hexdigest()[:12]}"))
