"""docs/deploy/service.md done for real: PostgreSQL with four roles, two workers, nginx with TLS in front.

Roles, variables, unit, commands and nginx.conf are those of the page; paths, ports and the certificate are the test's.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from serving.audit.writer import LOOK_SECONDS
from tests.lib.deployment import PERSON, REQUEST, wait_for
from tests.lib.documented_server import Server, command, server, starts
from tests.lib.fhir_bundles import patient_view
from tests.lib.load import Load
from tests.lib.nights import NIGHT, steady_model
from tests.lib.proxy import NAME
from tests.lib.raw_clients import HalfAHeader, first_line, flood

BACK_WITHIN = 5.0
HEADER_SECONDS = 10
CLINICIAN = {"organisations": ["c"], "sub": "clinician-1"}
SOMEBODY = "SYNTHETIC-3"


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture(scope="module")
def half(service) -> HalfAHeader:
    """Begun early, looked at late."""
    found = HalfAHeader(service.proxy.port, service.trust)
    found.start()
    return found


@pytest.fixture(scope="module")
def night(service) -> None:
    """Everybody scored into PostgreSQL, by the line of the night's unit."""
    (line,) = [one for one in starts("balance-risk-night.service") if " score " in one]
    done = service.run(f"{service.here(line)} --index-date {NIGHT}")
    assert done.returncode == 0, done.stderr


def _answered(connections: list[ssl.SSLSocket], answers: dict[ssl.SSLSocket, bytes]) -> dict[ssl.SSLSocket, bytes]:
    """Add the first bytes of those that have an answer by now."""
    for one in connections:
        one.settimeout(0.1)
        if one not in answers:
            with suppress(TimeoutError):
                answers[one] = one.recv(12)
    return answers


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rpartition(":")[2])


def verified(service: Server) -> dict[str, Any]:
    """Let the role that may only read prove the chain, with the line of the page."""
    done = service.run(service.here(command("audit verify")) + " --json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_first_answer_is_that_of_the_page(service, half):
    kept, asked = command("token.header)"), service.here(command("/v1/risk"))
    line = f"cd {service.root} && {kept} && {asked} --cacert {service.proxy.certificate}"
    done = service.run(line, {"TOKEN": service.issuer.token()})
    answer = json.loads(done.stdout)
    assert set(answer["outcomes"]) == set(REQUEST["outcomes"]), done.stderr
    # Two workers, two models each; the second may still be writing its log.
    wait_for(lambda: service.log.read_text().count("goes into service") >= 4)
    assert (service.root / "token.header").stat().st_mode & 0o077 == 0


def test_a_batch_and_a_record_are_answered_and_the_answer_is_not_kept(service):
    records = {"index_date": REQUEST["index_date"], "outcomes": ["burnout"], "records": [REQUEST["record"]] * 3}
    answered = service.post("/v1/risk/batch", records)
    assert answered.status_code == 200
    assert answered.headers["cache-control"] == "no-store"
    assert answered.headers.get_list("strict-transport-security") == ["max-age=31536000"]
    assert answered.headers["server"] == "nginx"


def test_http_2_is_spoken_and_old_tls_is_not(service):
    for version, works in (("1.3", True), ("1.2", True), ("1.1", False)):
        asked = ["--tls-max", version, "--tlsv1.1", "--ciphers", "DEFAULT@SECLEVEL=0", f"{service.url}/v1/models"]
        shown = ["-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert", str(service.proxy.certificate)]
        words = ["curl", "--silent", *shown, *asked]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.stdout == "2 401") is works, done
    stranger = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", service.proxy.port), 10) as connection, pytest.raises(ssl.SSLError):
        stranger.wrap_socket(connection, server_hostname="other.example")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/livez", "/", "/healthz", "/docs.json", "//metrics", "/v1/../metrics",
                                  "/%6detrics", "/ui/../readyz", "/v1/..%2fmetrics", "/metrics/", "/v1"])  # fmt: skip
def test_what_is_for_this_machine_is_not_there_for_others(service, path):
    asked = f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
    status = first_line(service.proxy.port, service.trust, asked.encode())
    assert status.split()[1] in (b"404", b"400"), status
    assert service.asked("/metrics") == service.asked("/readyz") == 200


def test_another_name_and_clear_text_get_nothing(service):
    asked = b"GET /v1/models HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n"
    assert first_line(service.proxy.port, service.trust, asked).split()[1] == b"421"
    clear = f"http://127.0.0.1:{service.proxy.clear_port}"
    assert httpx.post(f"{clear}/v1/risk", json=REQUEST, headers=service.headers()).status_code == 403
    moved = httpx.get(f"{clear}/ui/persons/{SOMEBODY}")
    assert (moved.status_code, moved.headers["location"]) == (301, f"https://{NAME}/ui/")


def test_large_bodies_wait_in_memory_and_larger_ones_are_refused(service):
    """nginx's directories for bodies cannot be written: whatever went there would be a 500."""
    large = json.dumps({"index_date": REQUEST["index_date"], "outcomes": ["burnout"], "records": ["x" * 12_000_000]})
    taken = service.post("/v1/risk/batch", large.encode())
    assert (taken.status_code, kind(taken)) == (400, "invalid-json"), (
        "the service has read it, and found a text that is too long"
    )
    for path, size in (("/v1/risk", 12_000_000), ("/v1/risk/batch", 17_000_000)):
        refused = service.post(path, b"x" * size)
        assert (refused.status_code, kind(refused)) == (413, "too-large")
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["strict-transport-security"]
    within = service.post("/v1/risk", b"x" * (2**20 - 10))
    assert (within.status_code, kind(within)) == (400, "invalid-json"), "the service's limit, and nginx's, is 1 MiB"


def test_who_has_no_token_cannot_have_much_memory_held(service):
    """Bodies are held before a token is asked for: of one address four large ones, and the rest is refused at once."""
    head = f"POST /v1/risk/batch HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {2**24}\r\n\r\n".encode()
    with ExitStack() as stack:
        open_ = []
        for _ in range(6):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", service.proxy.port), 10))
            open_.append(stack.enter_context(service.trust.wrap_socket(plain, server_hostname=NAME)))
            open_[-1].sendall(head + b"{")
        # Which of the six are refused is the proxy's affair; the bodies of the others are waited for.
        answers: dict[ssl.SSLSocket, bytes] = {}
        wait_for(lambda: len(_answered(open_, answers)) >= 2, 10)
        assert list(_answered(open_, answers).values()) == [b"HTTP/1.1 429"] * 2
        small = service.post("/v1/risk", REQUEST)
    assert small.status_code == 200, "a question of its own has room meanwhile"


def test_readers_sign_in_and_see_the_night_from_postgresql(service, night):
    token = service.issuer.token("clinician", **CLINICIAN)
    page = service.client.get("/ui/sign-in")
    assert page.status_code == 200
    form = {"token": token, "next": "/ui/worklist"}
    for origin in ("https://evil.example", f"http://{NAME}:{service.proxy.port}", "https://localhost"):
        assert service.client.post("/ui/sign-in", data=form, headers={"origin": origin}).status_code == 403, origin
    signed = service.client.post("/ui/sign-in", data=form, headers={"origin": service.url})
    assert (signed.status_code, signed.headers["location"]) == (303, "/ui/worklist")
    cookie = signed.headers["set-cookie"]
    assert cookie.startswith("__Secure-balance_risk_token=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/ui"))
    listed = service.client.get("/ui/worklist")
    assert listed.status_code == 200
    assert "SYNTHETIC-" in listed.text


def test_programs_read_the_night_and_only_what_they_may(service, night):
    found = service.get(f"/v1/worklist?outcome=long_sick_leave&night={NIGHT}", "clinician", **CLINICIAN)
    assert found.status_code == 200, found.text
    assert {one["person_id"] for one in found.json()["persons"]} <= {f"SYNTHETIC-{i}" for i in range(12)}
    path = f"/v1/persons/{SOMEBODY}"
    assert service.get(f"{path}/risk", "clinician", **CLINICIAN).status_code == 403
    clinician = service.headers("clinician", **CLINICIAN)
    assert service.post(f"{path}/care-relation", {"reason": "SYNTHETIC"}, **clinician).status_code == 200
    assert service.get(f"{path}/risk", "clinician", **CLINICIAN).status_code == 200


def test_cards_lead_to_the_address_that_readers_reach(service):
    found = service.post("/cds-services/balance-risk", patient_view(PERSON), **service.headers(organisations=["*"]))
    assert found.status_code == 200, found.text
    assert [link["url"] for card in found.json()["cards"] for link in card["links"]] == [f"{service.url}/ui"]


def test_it_listens_on_loopback_only(service):
    processes = [psutil.Process(service.process.pid), *psutil.Process(service.process.pid).children(recursive=True)]
    listening = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_swap_reaches_both_workers_and_loses_no_request(service):
    with Load(service, rate=10, verify=service.trust) as load:
        time.sleep(0.5)
        service.swap(steady_model(seed=9), "2")
        wait_for(lambda: {service.told()["models"]["long_sick_leave"] for _ in range(20)} == {"2"}, 20)
    assert {one.status for one in load.sent} == {200}


def test_a_worker_that_is_killed_is_missed_for_five_seconds_at_most_and_the_chain_does_not_fork(service):
    with Load(service, rate=10, verify=service.trust) as load:
        time.sleep(0.5)
        killed, first = load.seconds(), service.workers()[0]
        os.kill(first, signal.SIGKILL)
        time.sleep(BACK_WITHIN + 1.5)
    assert {one.status for one in load.sent} <= {200, 502, 503}, "0 would be the proxy's"
    late = [one for one in load.sent if one.at > killed + BACK_WITHIN]
    assert late, "requests came later"
    assert {one.status for one in late} == {200}
    assert max(one.took for one in late) < BACK_WITHIN, "answered, not only taken"
    wait_for(lambda: first not in service.workers() and service.is_ready(workers=2), 30)
    report = verified(service)
    assert report["events"] > len([one for one in load.sent if one.status == 200])


def test_without_postgresql_it_says_so_and_goes_on_when_it_is_back(service, night):
    service.postgresql.stop()
    try:
        refused = service.post("/v1/risk", REQUEST)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        listed = service.get("/v1/worklist?outcome=long_sick_leave", "clinician", **CLINICIAN)
        assert (listed.status_code, listed.headers["retry-after"]) == (503, "5")
        wait_for(lambda: {service.asked("/readyz") for _ in range(20)} == {503}, LOOK_SECONDS + 3)
        begun = time.monotonic()
        assert service.asked("/livez") == 200
        assert service.asked("/readyz") == 503
        assert time.monotonic() - begun < 2, "nobody asks the database meanwhile"
        assert "balance_risk_ready 0.0" in httpx.get(f"{service.direct}/metrics").text
    finally:
        service.postgresql.ensure_postgres_running()
    wait_for(lambda: service.is_ready(workers=2), 15)
    wait_for(lambda: service.told().get("store") == "there", 5)
    assert service.post("/v1/risk", REQUEST).status_code == 200
    assert verified(service)["events"]


def test_with_the_store_alone_away_records_are_scored_and_readiness_tells(service):
    """The audit log is another database: what needs no store goes on for a minute, and /readyz says why it is degraded."""
    keep_out = "ALTER DATABASE balance_risk_store ALLOW_CONNECTIONS {}; SELECT pg_terminate_backend(pid) FROM " \
               "pg_stat_activity WHERE datname = 'balance_risk_store'"  # fmt: skip
    service.psql("postgres", "postgres", keep_out.format("false"))
    try:
        wait_for(lambda: {service.told().get("store") for _ in range(10)} == {"away"}, 15)  # each meets one worker
        told = service.told()
        assert (told["status"], told["refused"]) == ("degraded", {})
        assert "balance_risk_store_there 0.0" in httpx.get(f"{service.direct}/metrics").text
        assert service.post("/v1/risk", REQUEST).status_code == 200
        stored = service.get("/v1/worklist?outcome=long_sick_leave", "clinician", **CLINICIAN)
        assert (stored.status_code, kind(stored)) == (503, "store-unavailable")
    finally:
        service.psql("postgres", "postgres", keep_out.format("true"))
    wait_for(lambda: all(service.told()["status"] == "ready" for _ in range(10)), 15)


def test_too_many_requests_of_one_address_are_refused_by_the_proxy(service):
    answers = flood(f"{service.url}/openapi.json", service.trust)
    refused = [one for one in answers if one.status_code == 429]
    assert {one.status_code for one in answers} == {200, 429}
    assert {(kind(one), one.headers["retry-after"]) for one in refused} == {("overloaded", "1")}


def test_whoever_never_ends_a_header_is_cut_off(half):
    half.join(HEADER_SECONDS + 20)
    assert HEADER_SECONDS - 1 < half.seconds < HEADER_SECONDS + 10


def test_no_log_names_anybody(service):
    """Also where nginx itself has something to say: a service that is away, a body that is too large, a wrong address."""
    named = f"/v1/persons/{SOMEBODY}/risk?of={PERSON}"
    for path in (named, f"/{PERSON}", f"/ui/persons/{SOMEBODY}", f"/v1/{PERSON}", f"/ui/persons/{SOMEBODY}%00"):
        service.client.get(path, headers={"referer": f"{service.url}/ui/persons/{SOMEBODY}"})
    service.client.post(named, content=b"x" * 2_000_000)
    service.stop()
    with httpx.Client(base_url=service.url, verify=service.trust) as client:
        away = client.get(named)
        assert (away.status_code, kind(away), away.headers["retry-after"]) == (502, "not-answered", "5")
    logs = {
        "access": service.proxy.access_log(),
        "error": service.proxy.error_log(),
        "service": service.log.read_text(),
        "database": (Path(service.postgresql.pgdata) / "log").read_text(),
    }
    for name, text in logs.items():
        assert text, name
        for word in ("SYNTHETIC", PERSON, "?", "Traceback", "eyJ") if name != "database" else ("SYNTHETIC", PERSON):
            assert word not in text, f"{word} in the log {name}"
    assert re.search(r" GET /v1/persons 200 \d+ [\d.]+ 200 [\d.]+ [0-9a-f]{32}\n", logs["access"]), logs["access"][
        -500:
    ]
