"""Development tokens work where they are made and nowhere else; the key that signs them is its owner's alone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from data_contracts.errors import SettingsError
from pipeline.commands import access
from serving.access import development
from serving.access.caller import ANY, ROLES
from serving.access.development import (
    DEVELOPMENT_ISSUER,
    DEVELOPMENT_KEY_ID,
    create_development_keys,
    development_token,
    refuse_in_production,
)
from serving.access.key_sets import KeySet
from serving.access.tokens import TokenRefused, TokenVerifier
from tests.lib.issuer import ec_key, public_jwk, rsa_key, write_key_set

PROJECT = Path(__file__).parents[2]
AUDIENCE = "balance-risk"


def verifier_of(keys_directory, issuer=DEVELOPMENT_ISSUER, audience=AUDIENCE):
    return TokenVerifier(issuer, audience, KeySet.from_file(keys_directory / "development.jwks.json"))


def run(*words, **environment):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("BALANCE_RISK_")}
    return subprocess.run(
        [sys.executable, "-m", "serving.access.development", *words],
        cwd=PROJECT, env=variables | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_a_token_lets_its_role_in(tmp_path, role):
    token = development_token(tmp_path, role, ["c1", "c2"], "kari")
    caller = verifier_of(tmp_path).verify(token)
    assert (caller.subject, caller.role, caller.organisations) == ("kari", role, {"c1", "c2"})


@pytest.mark.parametrize(("role", "organisations"), [("app", {ANY}), ("auditor", {ANY}), ("clinician", set()),
                                                     ("employer", set())])  # fmt: skip
def test_without_organisations_only_programs_and_auditors_act_for_all(tmp_path, role, organisations):
    token = development_token(tmp_path, role)
    assert verifier_of(tmp_path).verify(token).organisations == organisations


def test_a_header_is_written_for_curl_and_for_its_owner_alone(tmp_path, capsys):
    """A token in the words of a command is read by whoever lists the machine's processes."""
    keys, file = tmp_path / "workspace", tmp_path / "app.header"
    words = ["--role", "app", "--workspace", str(keys), "--header", str(file)]
    assert development.main(words, {}) == 0
    name, _, token = file.read_text().removesuffix("\n").partition(": Bearer ")
    assert name == "Authorization"
    assert verifier_of(keys / "keys").verify(token).role == "app"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert development.main([*words[:-1], str(tmp_path / "no" / "app.header")], {}) == SettingsError.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert "No such file or directory. Choose another --header." in said.err


def test_a_token_runs_out(tmp_path):
    later = TokenVerifier(
        DEVELOPMENT_ISSUER, AUDIENCE, KeySet.from_file(create_development_keys(tmp_path).public),
        now=lambda: time.time() + 5 * 60 + 61,
    )  # fmt: skip
    with pytest.raises(TokenRefused, match="expired"):
        later.verify(development_token(tmp_path, "app", minutes=5))


def test_the_private_key_is_for_its_owner_and_the_published_one_is_public(tmp_path):
    before = os.umask(0)  # the worst that a shell can bring
    try:
        keys = create_development_keys(tmp_path / "keys")
    finally:
        os.umask(before)
    assert stat.S_IMODE(keys.private.stat().st_mode) == 0o600
    (jwk,) = json.loads(keys.public.read_text())["keys"]
    assert "d" not in jwk
    assert jwk["kid"] == DEVELOPMENT_KEY_ID
    assert sorted(path.name for path in keys.private.parent.iterdir()) == ["development.jwks.json", "development.key"]


def test_a_key_that_others_may_read_is_not_used(tmp_path):
    create_development_keys(tmp_path).private.chmod(0o640)
    with pytest.raises(SettingsError, match="others may read"):
        development_token(tmp_path, "app")


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_said_in_words(tmp_path, content):
    create_development_keys(tmp_path).private.write_bytes(content)
    with pytest.raises(SettingsError, match="not an unencrypted P-256 key"):
        development_token(tmp_path, "app")


def test_a_key_of_another_kind_is_not_used(tmp_path):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = rsa_key("two").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    create_development_keys(tmp_path).private.write_bytes(pem)
    with pytest.raises(SettingsError, match="P-256"):
        development_token(tmp_path, "app")


def test_keys_are_kept_and_a_lost_or_foreign_public_half_is_made_again(tmp_path):
    keys = create_development_keys(tmp_path)
    private, public = keys.private.read_bytes(), keys.public.read_bytes()
    write_key_set(keys.public, public_jwk(ec_key("another"), DEVELOPMENT_KEY_ID))
    create_development_keys(tmp_path)
    assert (keys.private.read_bytes(), keys.public.read_bytes()) == (private, public)
    keys.public.unlink()
    create_development_keys(tmp_path)
    assert keys.public.read_bytes() == public


def test_service_and_verb_that_start_at_once_share_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create_development_keys(tmp_path).private.read_bytes(), range(24)))
    assert len(set(made)) == 1
    verifier_of(tmp_path).verify(development_token(tmp_path, "app"))
    assert len(list(tmp_path.iterdir())) == 2


def settings(tmp_path, **changes):
    return SimpleNamespace(**{"mode": "production", "issuer": "https://issuer.example", "jwks": "", **changes})


def test_production_does_not_start_with_the_development_issuer(tmp_path):
    with pytest.raises(SettingsError, match="BALANCE_RISK_ISSUER"):
        refuse_in_production(settings(tmp_path, issuer=DEVELOPMENT_ISSUER))


def test_production_does_not_start_with_the_development_key_under_any_name_of_file(tmp_path):
    copied = tmp_path / "issuer.json"
    copied.write_bytes(create_development_keys(tmp_path).public.read_bytes())
    with pytest.raises(SettingsError, match="BALANCE_RISK_JWKS"):
        refuse_in_production(settings(tmp_path, jwks=str(copied)))


@pytest.mark.parametrize("jwks", ["https://issuer.example/keys", "not-there.json", "", "\0"])
def test_production_starts_with_an_issuer_of_its_own(tmp_path, jwks):
    refuse_in_production(settings(tmp_path, jwks=jwks))
    refuse_in_production(settings(tmp_path, mode="development", issuer=DEVELOPMENT_ISSUER))


def test_a_development_token_opens_nothing_at_another_issuers_service_even_with_its_key(tmp_path):
    token = development_token(tmp_path, "auditor")
    with pytest.raises(TokenRefused, match="development_key"):
        verifier_of(tmp_path, issuer="https://issuer.example").verify(token)


def test_the_process_prints_a_token_and_nothing_else(tmp_path):
    done = run("--role", "clinician", "--organisation", "c1", "--organisation", "c2", "--subject", "kari",
               "--workspace", str(tmp_path))  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == done.stdout.strip() + "\n"
    caller = verifier_of(tmp_path / "keys").verify(done.stdout.strip())
    assert (caller.subject, caller.role, caller.organisations) == ("kari", "clinician", {"c1", "c2"})


def test_a_token_that_opens_nothing_says_so_beside_it(tmp_path):
    done = run("--role", "clinician", "--workspace", str(tmp_path))
    assert done.returncode == 0
    assert "opens no person" in done.stderr
    assert done.stdout.count(".") == 2


def test_the_audience_is_the_services(tmp_path):
    done = run("--role", "app", "--workspace", str(tmp_path), BALANCE_RISK_AUDIENCE="other")
    assert verifier_of(tmp_path / "keys", audience="other").verify(done.stdout.strip()).role == "app"


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--role", "app"], {"BALANCE_RISK_MODE": "production"}, "accepts no development token"),
        (["--role", "app", "--minutes", "0"], {}, "--minutes"),
        (["--role", "app", "--minutes", "1441"], {}, "--minutes"),
        (["--role", "employer", "--organisation", "*"], {}, "counts for app and auditor only"),
        (["--role", "admin"], {}, "invalid choice"),
        ([], {}, "--role"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_makes_no_key(tmp_path, words, environment, said):
    done = run(*words, "--workspace", str(tmp_path), **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "keys").exists()


def test_a_workspace_that_cannot_be_written_is_said_in_words(tmp_path):
    (tmp_path / "keys").write_text("a file where the directory should be")
    done = run("--role", "app", "--workspace", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Choose another --workspace" in done.stderr


def test_tokens_are_made_without_anything_heavy():
    heavy = {"numpy", "pydantic", "bentoml", "starlette", "lightgbm", "sqlalchemy", "pandas"}
    code = f"import sys, serving.access.development; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


class TestVerb:
    @pytest.fixture
    def app(self):
        app = typer.Typer()
        app.command("token")(access.token)
        return app

    def test_it_prints_the_token_of_the_workspace(self, app, tmp_path, capfd, monkeypatch):
        monkeypatch.delenv("BALANCE_RISK_MODE", raising=False)
        monkeypatch.delenv("BALANCE_RISK_AUDIENCE", raising=False)
        monkeypatch.chdir(tmp_path)
        app(["--role", "clinician", "--organisation", "c1", "--subject", "-kari"], standalone_mode=False)
        caller = verifier_of(tmp_path / "keys").verify(capfd.readouterr().out.strip())
        assert (caller.subject, caller.organisations) == ("-kari", {"c1"})

    def test_its_exit_code_is_that_of_the_process(self, app, tmp_path, monkeypatch):
        monkeypatch.setenv("BALANCE_RISK_MODE", "production")
        assert CliRunner().invoke(app, ["--role", "app", "--workspace", str(tmp_path)]).exit_code == 2

    def test_its_roles_are_those_of_the_service(self):
        assert tuple(role.value for role in access.Role) == ROLES


def test_the_entry_of_the_module_takes_its_words_as_given(tmp_path, capsys):
    assert development.main(["--role", "auditor", "--workspace", str(tmp_path)], {}) == 0
    assert verifier_of(tmp_path / "keys").verify(capsys.readouterr().out.strip()).organisations == {ANY}
