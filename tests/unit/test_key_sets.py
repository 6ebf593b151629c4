"""Which keys may verify tokens, how long without their source, and how seldom the source is asked."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from data_contracts.errors import SettingsError
from serving.access.jwks import MOST_BYTES, KeySetRefused, parse_key_set
from serving.access.key_sets import KeySet, KeysUnavailable, uptime
from serving.access.key_sources import FileSource, UrlSource
from tests.lib.issuer import ec_key, key_set, public_jwk, rsa_key, write_key_set

HOUR = 3600.0
ONE = public_jwk(ec_key("one"), "one")
TWO = public_jwk(rsa_key("two"), "two")


class Planned:
    """A source that gives what a test has laid out."""

    where, every, least = "planned", 600.0, 60.0

    def __init__(self, *answers):
        self.answers = list(answers)
        self.reads = 0

    def read(self):
        self.reads += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return parse_key_set(answer)


class Clocks:
    """The clock that nobody sets, and the clock on the wall."""

    def __init__(self):
        self.up, self.wall = 5000.0, 1_800_000_000.0

    def pass_by(self, seconds):
        self.up += seconds
        self.wall += seconds

    def keys(self, source):
        return KeySet(source, uptime=lambda: self.up, wall=lambda: self.wall)


def ec_jwk(**changes):
    return {name: value for name, value in {**ONE, **changes}.items() if value is not None}


def test_keys_of_both_kinds_are_read_with_what_they_may_be_used_for():
    keys = parse_key_set(key_set(ONE, TWO, public_jwk(rsa_key("two"), "three", alg="PS256")))
    assert {kid: sorted(key.algorithms) for kid, key in keys.items()} == {
        "one": ["ES256"],
        "two": ["PS256", "RS256"],
        "three": ["PS256"],
    }


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "x"},
        ec_jwk(kid="x", use="enc"),
        ec_jwk(kid="x", key_ops=["encrypt"]),
        ec_jwk(kid="x", key_ops="verify"),
        ec_jwk(kid="x", crv="P-384"),
        ec_jwk(kid="x", crv="secp256k1"),
        ec_jwk(kid="x", crv=None),
        ec_jwk(kid="x", alg="HS256"),
        ec_jwk(kid="x", alg="RS256"),
        ec_jwk(kid="x", alg="none"),
        ec_jwk(kid="x", alg=["ES256"]),
        ec_jwk(kid="x", kty=["EC"]),
        ec_jwk(kid="x", y=ONE["x"]),  # no point of the curve
        ec_jwk(kid="x", x=None),
        ec_jwk(kid="x", x=7),
        ec_jwk(kid="x", x="é"),
        ec_jwk(kid=None),
        ec_jwk(kid=7),
        ec_jwk(kid=""),
        ec_jwk(kid="k" * 257),
        {**TWO, "kid": "x", "e": "AQ"},  # exponent 1: everything is a signature
        {**TWO, "kid": "x", "n": ""},
        {},
    ],
)
def test_keys_that_are_not_for_tokens_are_passed_over(other):
    assert set(parse_key_set(key_set(ONE, other))) == {"one"}
    with pytest.raises(KeySetRefused, match="no RSA key"):
        parse_key_set(key_set(other))


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()])
def test_keys_of_other_curves_verify_nothing(curve):
    other = public_jwk(ec.generate_private_key(curve), "other")
    assert set(parse_key_set(key_set(ONE, other))) == {"one"}


def test_a_set_of_endless_keys_is_refused():
    with pytest.raises(KeySetRefused, match="at most 100"):
        parse_key_set(key_set(ONE, *[{}] * 100))


def test_short_rsa_keys_verify_nothing():
    assert set(parse_key_set(key_set(ONE, public_jwk(rsa_key("short", 1024), "short")))) == {"one"}


@pytest.mark.parametrize(
    "leaked",
    [
        {**ONE, "d": "x"},
        {**ONE, "kid": "other", "use": "enc", "d": "x"},
        {**TWO, "p": "x"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
    ],
)
def test_a_set_with_a_private_or_shared_key_is_worthless(leaked):
    with pytest.raises(KeySetRefused, match="private or symmetric") as refused:
        parse_key_set(key_set(TWO | {"kid": "sound"}, leaked))
    assert "c2VjcmV0" not in str(refused.value)


def test_one_name_for_two_keys_is_refused():
    with pytest.raises(KeySetRefused, match="same kid"):
        parse_key_set(key_set(ONE, {**TWO, "kid": "one"}))


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1]}', b"\xff\xfe{}", b"[" * 100_000,
     b'{"keys": [' + b"{}," * 100 + b"{}]}", b" " * MOST_BYTES + key_set(ONE)],
)  # fmt: skip
def test_what_is_no_key_set_is_refused(content):
    with pytest.raises(KeySetRefused):
        parse_key_set(content)


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://10.0.0.1/keys",
        "ftp://issuer.example/keys",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@issuer.example/keys",
        "https://issuer.example/keys#part",
        "https://issuer.example:port/keys",
        "https://issuer.example/a b",
        "https://issuer.example/a\r\nHost: evil",
        "https://issuer.example/é",
        "//issuer.example/keys",
        "",
    ],
)
def test_an_address_that_could_be_listened_to_or_tampered_with_is_refused(url):
    with pytest.raises(SettingsError, match="BALANCE_RISK_JWKS") as refused:
        KeySet.from_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://issuer.example/keys", "http://localhost:8080/keys", "http://[::1]:8080/keys"])
def test_nothing_is_fetched_before_the_start(url):
    keys = KeySet.from_url(url)
    assert not keys.is_healthy()
    with pytest.raises(KeysUnavailable):
        keys.find("one")


def test_a_file_is_read_at_once_and_again_when_it_changes(tmp_path):
    path = write_key_set(tmp_path / "jwks.json", ONE)
    keys = KeySet.from_file(path)
    assert keys.is_healthy()
    assert keys.find("one") is not None
    write_key_set(path, TWO)
    assert keys.refresh()
    assert keys.find("one") is None, "a key that was withdrawn must not go on to count"
    assert keys.find("two") is not None


def test_a_file_that_has_not_changed_is_not_parsed_again(tmp_path):
    source = FileSource(write_key_set(tmp_path / "jwks.json", ONE))
    assert source.read() is source.read()


def test_a_file_is_noticed_even_if_its_size_and_name_stay(tmp_path):
    path = write_key_set(tmp_path / "jwks.json", ONE)
    source = FileSource(path)
    source.read()
    path.write_bytes(path.read_bytes().replace(b'"one"', b'"two"'))
    os.utime(path, ns=(1, 1))
    assert set(source.read()) == {"two"}


@pytest.mark.parametrize("fault", [OSError("gone"), KeySetRefused("garbage")])
def test_during_an_outage_the_last_good_set_counts_for_a_day(fault):
    clocks = Clocks()
    keys = clocks.keys(Planned(key_set(ONE), fault))
    assert keys.refresh()
    clocks.pass_by(24 * HOUR - 1)
    assert not keys.refresh()
    assert keys.find("one") is not None
    assert keys.is_healthy()
    assert keys.age() == 24 * HOUR - 1
    clocks.pass_by(2)
    with pytest.raises(KeysUnavailable):
        keys.find("one")
    assert not keys.is_healthy()
    assert keys.trouble


def test_after_the_outage_all_is_as_before():
    clocks = Clocks()
    keys = clocks.keys(Planned(key_set(ONE), OSError(), key_set(TWO)))
    keys.refresh()
    clocks.pass_by(48 * HOUR)
    keys.refresh()
    assert keys.refresh()
    assert keys.find("two") is not None
    assert keys.trouble == ""
    assert keys.age() == 0.0


@pytest.mark.parametrize("jump", [-48 * HOUR, 48 * HOUR])
def test_a_wall_clock_that_is_set_neither_ends_nor_prolongs_the_life_of_a_set(jump):
    clocks = Clocks()
    keys = clocks.keys(Planned(key_set(ONE), OSError()))
    keys.refresh()
    clocks.wall += jump
    clocks.pass_by(23 * HOUR)
    assert keys.find("one") is not None
    clocks.pass_by(2 * HOUR)
    with pytest.raises(KeysUnavailable):
        keys.find("one")


def test_a_wall_clock_that_runs_away_asks_for_fresh_keys():
    clocks = Clocks()
    keys = clocks.keys(Planned(key_set(ONE)))
    keys.refresh()
    keys.find("one")
    assert not keys._asked.is_set()
    clocks.wall += 3 * HOUR  # such as a machine that was restored from a snapshot
    keys.find("one")
    assert keys._asked.is_set()
    keys._asked.clear()
    keys.refresh()
    keys.find("one")
    assert not keys._asked.is_set()


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the system has no clock that counts sleep")
def test_the_clock_of_the_age_goes_on_while_the_machine_sleeps():
    assert abs(uptime() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1.0


def test_a_fault_is_logged_once_and_holds_nothing_of_the_answer(caplog):
    keys = Clocks().keys(Planned(KeySetRefused("The key set is not JSON.")))
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            keys.refresh()
    assert [record.getMessage().startswith("planned: The key set is not JSON.") for record in caplog.records] == [True]


def wait_until(holds, seconds=5.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture
def running():
    started = []

    def start(source, every, least):
        source.every, source.least = every, least
        keys = KeySet(source)
        started.append(keys)
        keys.start()
        return keys

    yield start
    for keys in started:
        keys.close()
        keys._thread.join(5)
        assert not keys._thread.is_alive()


def test_a_new_key_is_fetched_when_it_is_first_seen(running):
    source = Planned(key_set(ONE), key_set(ONE, {**TWO}))
    keys = running(source, 600.0, 0.1)
    wait_until(keys.is_healthy)
    assert keys.find("two") is None
    wait_until(lambda: keys.find("two") is not None)
    assert source.reads == 2


def test_a_flood_of_unknown_keys_reaches_the_issuer_once_per_pause(running):
    source = Planned(key_set(ONE))
    keys = running(source, 600.0, 0.4)
    wait_until(keys.is_healthy)
    end = time.monotonic() + 1.0
    asked = 0
    while time.monotonic() < end:
        assert keys.find(f"evil-{asked}") is None
        asked += 1
    assert asked > 1000
    assert source.reads <= 4
    time.sleep(0.5)  # the pause in which the last of them is still answered
    settled = source.reads
    time.sleep(1.0)
    assert source.reads == settled, "the issuer is asked though nobody asks for a key"


def test_looking_up_never_waits_for_the_source(running):
    class Stuck(Planned):
        def read(self):
            if self.reads:
                never.wait(3)
            return super().read()

    never = threading.Event()
    keys = running(Stuck(key_set(ONE)), 600.0, 0.01)
    wait_until(keys.is_healthy)
    keys.find("unknown")
    time.sleep(0.1)  # now the thread is stuck in the source
    begun = time.perf_counter()
    for _ in range(1000):
        keys.find("unknown")
        assert keys.find("one") is not None
    assert time.perf_counter() - begun < 0.5
    never.set()


def test_without_any_keys_the_source_is_asked_again_soon_and_by_itself(running):
    source = Planned(OSError(), OSError(), key_set(ONE))
    keys = running(source, 600.0, 0.05)
    wait_until(keys.is_healthy)
    assert source.reads == 3


def test_a_fault_that_nobody_thought_of_does_not_end_the_thread(running):
    source = Planned(ZeroDivisionError("a person's name"), key_set(ONE))
    keys = running(source, 600.0, 0.05)
    wait_until(keys.is_healthy)
    assert "person" not in keys.trouble


def test_starting_twice_starts_one_thread():
    keys = KeySet(Planned(key_set(ONE)))
    keys.start()
    first = keys._thread
    keys.start()
    assert keys._thread is first
    keys.close()


def test_the_issuer_is_asked_at_most_once_a_minute_and_at_least_every_ten():
    assert (UrlSource.least, UrlSource.every) == (60.0, 600.0)


def test_the_log_says_where_but_not_with_which_query():
    assert UrlSource("https://issuer.example/keys?secret=1").where == "https://issuer.example/keys"
