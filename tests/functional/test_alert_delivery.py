"""Messages about alerts against receivers that fail: at least once, signed, nothing of the person, given up in time."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from data_contracts.time_windows import today
from serving.alerts import deliver
from serving.alerts.deliver import FIRST_WAIT, GIVE_UP_AFTER, LONGEST_WAIT, Deliverer, wait_after
from serving.alerts.teams import Receiver
from serving.store.tables import DELIVERIES
from tests.lib.receiver import SECRET, SECRET_TEXT, closes_mid_answer, drips, is_signed, is_silent, receiving
from tests.lib.stores import opened, rows, write
from tests.lib.teams import at_risk, raised, rule

PROJECT = Path(__file__).parents[2]
PERSON = "SYNTHETIC-person-4711"


@pytest.fixture
def store(tmp_path):
    with opened(f"sqlite:///{tmp_path}/store.db") as found:
        yield found


def alerted(store, *persons: str) -> None:
    raised(store, today(), *(at_risk(one, 0.5) for one in persons or (PERSON,)), team=rule(has_webhook=True))


def deliverer(store, url: str, later: timedelta = timedelta(0), allow_private: bool = True) -> Deliverer:
    receivers = {"north": Receiver(url, SECRET, "nb", allow_private)}
    return Deliverer(store, receivers, "https://balance.example/", random.Random(1), lambda: datetime.now(UTC) + later)


def state(store) -> dict:
    (row,) = rows(store)["deliveries"]
    names = ["message_id", "alert_id", "team", "created_at", "next_attempt_at", "attempts", "last_result",
             "delivered_at", "gave_up_at"]  # fmt: skip
    return dict(zip(names, row, strict=True))


def test_a_message_is_signed_and_says_that_there_is_an_alert_and_nothing_of_whom(store):
    alerted(store)
    with receiving() as receiver:
        assert deliverer(store, receiver.url).once() == {"delivered": 1, "failed": 0, "given_up": 0}
    ((headers, body),) = receiver.got
    assert is_signed(headers, body)
    assert not is_signed(headers, body + b" ")
    told = json.loads(body)
    assert told["data"].keys() == {"alert_id", "text", "worklist"}, "nor of what kind it is"
    assert told["data"]["worklist"] == "https://balance.example/ui/worklist"
    (alert,) = store.open_alerts(["c"], today())
    assert told["data"]["alert_id"] == alert.alert_id
    assert PERSON not in body.decode() + repr(headers)
    assert state(store)["last_result"] == "delivered"
    assert store.deliveries() == {"north": {"waiting": 0, "delivered": 1, "given_up": 0}}


@pytest.mark.parametrize(
    ("fails", "result"),
    [(500, "http_500"), (429, "http_429"), (302, "http_302"), (is_silent, "timed_out"), (drips, "timed_out"),
     (closes_mid_answer, "connection_failed")],
)  # fmt: skip
def test_whatever_fails_is_sent_again_with_the_same_identifier_and_body(store, monkeypatch, fails, result):
    monkeypatch.setattr(deliver, "ATTEMPT_SECONDS", 0.7 if result == "timed_out" else 10.0)
    alerted(store)
    with receiving(fails) as receiver:
        assert deliverer(store, receiver.url).once() == {"delivered": 0, "failed": 1, "given_up": 0}
        assert (state(store)["last_result"], state(store)["attempts"]) == (result, 1)
        assert sum(deliverer(store, receiver.url).once().values()) == 0, "it waits"
        assert deliverer(store, receiver.url, FIRST_WAIT + timedelta(seconds=1)).once()["delivered"] == 1
    assert len(receiver.got) == 2, "and a redirect is not followed"
    assert len(set(receiver.ids())) == 1
    assert len({body for _, body in receiver.got}) == 1


def test_nobody_listening_is_a_failure_like_any_other(store):
    alerted(store)
    with receiving() as receiver:
        url = receiver.url
    assert deliverer(store, url).once()["failed"] == 1
    assert state(store)["last_result"] == "connection_failed"


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(store):
    alerted(store)
    with receiving(410) as receiver:
        assert deliverer(store, receiver.url).once()["given_up"] == 1
        assert sum(deliverer(store, receiver.url, timedelta(days=1)).once().values()) == 0
    assert state(store)["last_result"] == "gone"
    assert store.deliveries()["north"]["given_up"] == 1


def test_after_three_days_it_gives_up_and_is_counted(store):
    alerted(store)
    with receiving(*[500] * 100) as receiver:
        waited, attempts = timedelta(0), 0
        while not state(store)["gave_up_at"]:
            attempts += sum(deliverer(store, receiver.url, waited).once().values())
            waited += timedelta(hours=1)
        assert GIVE_UP_AFTER <= waited - timedelta(hours=1) <= GIVE_UP_AFTER + LONGEST_WAIT
        assert attempts == len(receiver.got) == state(store)["attempts"]
    assert len(set(receiver.ids())) == 1
    assert store.deliveries() == {"north": {"waiting": 0, "delivered": 0, "given_up": 1}}


def certificate(directory: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate of its own making for a host, and the server's side of it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    file, secret = directory / f"{host}.pem", directory / f"{host}.key"
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    secret.write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file, secret)
    return file, server


@pytest.mark.parametrize(("host", "result"), [("localhost", "delivered"), ("other.example", "connection_failed")])
def test_the_certificate_must_be_of_the_name_though_the_address_is_what_is_connected_to(
    store, tmp_path, monkeypatch, host, result
):
    authority, server = certificate(tmp_path, host)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    deliver._authorities.cache_clear()
    alerted(store)
    with receiving(tls=server) as receiver:
        deliverer(store, receiver.url).once()
    deliver._authorities.cache_clear()
    assert state(store)["last_result"] == result
    assert [headers["host"].partition(":")[0] for headers, _ in receiver.got] == ["localhost"] * (result == "delivered")


def test_a_private_address_is_refused_unless_it_is_meant_and_nothing_is_sent(store):
    alerted(store)
    with receiving() as receiver:
        assert deliverer(store, receiver.url, allow_private=False).once()["failed"] == 1
        assert receiver.got == []
    assert state(store)["last_result"] == "address_refused"


def test_messages_of_a_team_without_a_webhook_are_given_up(store):
    alerted(store)
    assert Deliverer(store, {}, "https://b.example", random.Random(1)).once()["given_up"] == 1
    assert state(store)["last_result"] == "no_receiver"


def alerted_two_teams(store) -> None:
    """North is alerted to a person, and south to another."""
    write(store, at_risk("n", 0.5), at_risk("s", 0.5, companies=("d",)), night=today())
    teams = [rule(has_webhook=True), rule(name="south", companies=frozenset({"d"}), has_webhook=True)]
    store.raise_alerts(today(), teams)


def two_receivers(store, north: str, south: str) -> Deliverer:
    receivers = {name: Receiver(url, SECRET, "nb", True) for name, url in (("north", north), ("south", south))}
    return Deliverer(store, receivers, "https://balance.example/", random.Random(1))


def results(store) -> dict[str, str | None]:
    return {row.team: row.last_result for row in store_rows(store)}


def store_rows(store) -> list:
    with store.database.reading() as connection:
        return list(connection.execute(select(DELIVERIES)))


@pytest.mark.parametrize("url", ["https://foo..example/", f"https://{'a' * 64}.example/", "https://[::1"])
def test_an_address_that_is_none_does_not_stop_the_messages_of_other_teams(store, url):
    alerted_two_teams(store)
    with receiving() as receiver:
        assert two_receivers(store, url, receiver.url).once() == {"delivered": 1, "failed": 1, "given_up": 0}
    assert results(store) == {"north": "connection_failed", "south": "delivered"}


def test_what_is_delivered_is_noted_while_others_are_still_waited_for(store, monkeypatch):
    monkeypatch.setattr(deliver, "ATTEMPT_SECONDS", 15.0)
    alerted_two_teams(store)
    meanwhile = []

    def looks(handler) -> None:
        until = time.monotonic() + 10
        while results(store)["south"] != "delivered" and time.monotonic() < until:
            time.sleep(0.05)
        meanwhile.append(results(store)["south"])
        handler.send_response(204)
        handler.end_headers()

    with receiving(looks) as slow, receiving() as quick:
        assert two_receivers(store, slow.url, quick.url).once()["delivered"] == 2
    assert meanwhile == ["delivered"]


def test_a_name_that_is_looked_up_for_long_ends_in_time_and_holds_up_nobody(store, monkeypatch):
    monkeypatch.setattr(deliver, "ATTEMPT_SECONDS", 3.0)
    look_up, ended = socket.getaddrinfo, threading.Event()

    def slow(host, *rest, **named):
        if host == "slow.example":
            ended.wait(20)
        return look_up("127.0.0.1" if host == "slow.example" else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    alerted_two_teams(store)
    begun = time.monotonic()
    with receiving() as receiver:
        two_receivers(store, "https://slow.example/", receiver.url).once()
    seconds = time.monotonic() - begun
    ended.set()
    assert results(store) == {"north": "timed_out", "south": "delivered"}
    assert seconds < 15


def test_an_erased_alert_is_not_told_of(store):
    alerted(store)
    store.withdraw(PERSON, None, today())
    with receiving() as receiver:
        assert sum(deliverer(store, receiver.url).once().values()) == 0


def test_two_that_send_at_once_do_not_send_the_same(store):
    alerted(store, *(f"p{i}" for i in range(5)))
    now = datetime.now(UTC)
    assert len(store.claim_deliveries(now, now)) == 5
    assert store.claim_deliveries(now, now) == []


def test_waits_double_up_to_six_hours_with_jitter_and_the_same_seed_gives_the_same():
    waits = [wait_after(n, random.Random(3)) for n in range(1, 40)]
    assert waits == [wait_after(n, random.Random(3)) for n in range(1, 40)]
    assert len({wait_after(1, random.Random(seed)) for seed in range(20)}) == 20
    for n in (1, 2, 5, 13, 39):
        full = min(FIRST_WAIT * 2 ** (n - 1), LONGEST_WAIT)
        assert all(full / 2 <= wait_after(n, random.Random(seed)) <= full for seed in range(50))


def process(root: Path, url: str) -> subprocess.Popen:
    """The deliverer as it is deployed."""
    secret = root / "north.secret"
    secret.write_text(SECRET_TEXT)
    secret.chmod(0o600)
    hook = f"{{url: '{url}', secret_file: north.secret, allow_private: true}}"
    (root / "teams.yaml").touch(0o600)
    (root / "teams.yaml").write_text(f"teams:\n- {{name: north, companies: [c], per_week: 5, webhook: {hook}}}\n")
    variables = {"BALANCE_RISK_STORE": f"sqlite:///{root}/store.db", "BALANCE_RISK_TEAMS": str(root / "teams.yaml"),
                 "BALANCE_RISK_PUBLIC_URL": "https://balance.example"}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "serving.alerts", "deliver", "--once"], cwd=PROJECT, env=os.environ | variables,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_killed_between_sending_and_noting_it_is_sent_again_with_the_same_identifier(store, tmp_path):
    alerted(store)
    running = []

    def kill(handler) -> None:
        running[0].send_signal(signal.SIGKILL)
        running[0].wait()
        handler.send_response(204)  # it did arrive, only nobody noted it

    with receiving(kill) as receiver:
        running.append(process(tmp_path, receiver.url))
        running[0].communicate(timeout=60)
        assert running[0].returncode == -signal.SIGKILL
        assert (state(store)["delivered_at"], state(store)["attempts"]) == (None, 1)
        assert deliverer(store, receiver.url, timedelta(minutes=2)).once()["delivered"] == 1
    assert len(receiver.ids()) == 2
    assert len(set(receiver.ids())) == 1


def test_the_process_says_in_numbers_what_it_did_and_nothing_of_persons(store, tmp_path):
    alerted(store, PERSON, "q")
    with receiving(500) as receiver:
        out, err = process(tmp_path, receiver.url).communicate(timeout=60)
    assert (out, err) == ("1 delivered, 1 failed, 0 given up\n", "")


def test_the_attempt_ends_in_time_though_each_single_wait_is_short(store, monkeypatch):
    monkeypatch.setattr(deliver, "ATTEMPT_SECONDS", 0.5)
    alerted(store)
    with receiving(drips) as receiver:
        begun = time.monotonic()
        deliverer(store, receiver.url).once()
        assert time.monotonic() - begun < 1.5
