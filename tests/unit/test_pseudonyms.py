"""Pseudonyms are stable, say their key, resemble no identity number, and nobody who lacks the key can make them."""

from __future__ import annotations

import hashlib
import hmac
import re

import pytest

from data_contracts.errors import ContractViolation, SettingsError
from data_contracts.national_identity_number import contains
from data_contracts.pseudonyms import VARIABLE, Pseudonymiser, read_keys
from data_contracts.records import Person, columns
from data_contracts.tables import Coded

OLD, NEW = "0f" * 32, "a5" * 32
NUMBER = "01814550016"
"""A synthetic national identity number."""


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "pseudonym.keys"
    path.write_text(f"# current first\np2: {NEW}\n\np1: {OLD}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def pseudonymiser(keys):
    return Pseudonymiser.from_environment({VARIABLE: str(keys)})


def test_a_pseudonym_is_the_keyed_hash_in_base32_behind_the_name_of_its_key(pseudonymiser):
    digest = hmac.new(bytes.fromhex(NEW), b"balance-risk person\x00ansatt 4711", hashlib.sha256).digest()
    bits = "".join(f"{byte:08b}" for byte in digest[:16]) + "00"
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    by_hand = "".join(letters[int(bits[i : i + 5], 2)] for i in range(0, 130, 5))
    assert pseudonymiser.pseudonym("ansatt 4711") == f"p2-{by_hand}"


def test_it_fits_the_contract_and_never_resembles_an_identity_number(pseudonymiser):
    (identifier,) = [column for column in columns(Person) if column.name == "person_id"]
    made = [pseudonymiser.pseudonym(str(number)) for number in range(2000)]
    assert all(re.fullmatch(identifier.pattern, name) for name in made)
    assert len(set(made)) == 2000
    assert not any(map(contains, made))
    assert not contains("p2-22334455667722334455667722"), "26 digits, the worst that base32 can do"


def test_the_key_decides_and_the_identifier_is_taken_as_it_is(pseudonymiser):
    other = Pseudonymiser({"p2": bytes.fromhex(OLD)})
    assert pseudonymiser.pseudonym("4711") != other.pseudonym("4711")
    assert len({pseudonymiser.pseudonym(text) for text in ("4711", "04711", "4711 ", "Å")}) == 4


def test_rotation_gives_new_names_and_still_knows_the_old_ones(pseudonymiser):
    before = Pseudonymiser({"p1": bytes.fromhex(OLD)})
    current, old = pseudonymiser.all_pseudonyms("4711")
    assert (current, old) == (pseudonymiser.pseudonym("4711"), before.pseudonym("4711"))
    assert (current[:3], old[:3]) == ("p2-", "p1-")


@pytest.mark.parametrize("text", [NUMBER, f"{NUMBER[:6]} {NUMBER[6:]}", f"ansatt-{NUMBER}", NUMBER.lstrip("0")])
def test_an_identity_number_is_refused_and_never_shown(pseudonymiser, text):
    with pytest.raises(ContractViolation) as refused:
        pseudonymiser.pseudonym(text)
    assert NUMBER.lstrip("0") not in str(refused.value)


def test_renaming_a_column_keeps_its_rows_and_leaves_identity_numbers_for_the_checks(pseudonymiser):
    column = Coded.from_texts(["4711", None, "12", "4711", NUMBER])
    renamed = pseudonymiser.rename(column).texts()
    assert renamed[:4] == [pseudonymiser.pseudonym("4711"), None, pseudonymiser.pseudonym("12"), renamed[0]]
    assert renamed[4] == NUMBER, "the check behind it quarantines the row and masks the number"


def test_keys_are_never_printed(pseudonymiser):
    assert repr(pseudonymiser) == "Pseudonymiser(keys=['p2', 'p1'])"
    assert NEW not in str(vars(pseudonymiser)["_known"])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610])
def test_a_file_that_others_may_touch_is_refused(keys, mode):
    keys.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_keys(keys)


@pytest.mark.parametrize("lines", [
    "", "# nothing\n", f"p1 {NEW}\n", f"P1: {NEW}\n", f"p1: {NEW}f\n", "p1: 0011\n", f"p1: {NEW}\np1: {OLD}\n",
    f"p1: {NEW}\np2: {NEW}\n", f"person-key: {NEW}\n", f"p1: {NEW[:-1]}g\n",
])  # fmt: skip
def test_a_file_with_any_wrong_line_is_refused_without_showing_a_key(keys, lines):
    keys.write_text(lines)
    with pytest.raises(SettingsError) as refused:
        read_keys(keys)
    assert NEW[:16] not in str(refused.value)


def test_no_file_no_pseudonyms(tmp_path):
    with pytest.raises(SettingsError, match="is not set"):
        Pseudonymiser.from_environment({})
    with pytest.raises(SettingsError, match="not a text file"):
        Pseudonymiser.from_environment({VARIABLE: str(tmp_path / "none")})
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not a text file"):
        read_keys(tmp_path / "binary")
