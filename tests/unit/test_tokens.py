"""Only a token that our issuer signed, for us, for now, says who calls; everything else is refused with a fixed code."""

from __future__ import annotations

import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.access.caller import ANY, Caller
from serving.access.development import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID
from serving.access.key_sets import KeySet, KeysUnavailable
from serving.access.tokens import TokenRefused, TokenVerifier
from tests.lib.issuer import AUDIENCE, ISSUER, claims, ec_key, public_jwk, rsa_key, segment, signed, write_key_set

NOW = 1_800_000_000
DAY = 24 * 3600
HELSEID = {
    "role": None,
    "organisations": None,
    "scope": ["openid", f"{AUDIENCE}/api"],
    "helseid://claims/identity/pid": "13097248022",
    "helseid://claims/identity/security_level": "4",
    "helseid://claims/hpr/hpr_number": "7654321",
    "helseid://claims/client/claims/orgnr_parent": "994598759",
    "helseid://claims/client/claims/orgnr_child": "974589095",
    "sub": "fyawb1RnCzOqTpaqcYlh4HtDlUJOREw2rroGIwNcR1U=",
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    path = tmp_path_factory.mktemp("issuer") / "jwks.json"
    return KeySet.from_file(
        write_key_set(
            path,
            public_jwk(ec_key("one"), "one"),
            public_jwk(rsa_key("two"), "two"),
            public_jwk(rsa_key("three"), "three", alg="PS256"),
            public_jwk(ec_key("development"), DEVELOPMENT_KEY_ID),
        )
    )


@pytest.fixture(scope="module")
def verifier(keys):
    return TokenVerifier(ISSUER, AUDIENCE, keys, now=lambda: NOW)


@pytest.fixture(scope="module")
def helseid(keys):
    return TokenVerifier(ISSUER, AUDIENCE, keys, "helseid", now=lambda: NOW)


def refusal(verifier, token):
    with pytest.raises(TokenRefused) as refused:
        verifier.verify(token)
    assert str(refused.value) == refused.value.reason
    assert refused.value.__cause__ is None
    return refused.value.reason


def test_a_sound_token_says_who_calls(verifier):
    assert verifier.verify(signed(claims(NOW))) == Caller("ann", "clinician", frozenset({"c1"}), ISSUER, NOW + 600)


@pytest.mark.parametrize(("key", "kid", "algorithm"), [("two", "two", "RS256"), ("two", "two", "PS256"),
                                                      ("three", "three", "PS256")])  # fmt: skip
def test_rsa_keys_verify_too(verifier, key, kid, algorithm):
    assert verifier.verify(signed(claims(NOW), rsa_key(key), kid, algorithm)).subject == "ann"


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT"])
def test_the_types_of_access_tokens_are_taken(verifier, kind):
    assert verifier.verify(signed(claims(NOW), typ=kind)).subject == "ann"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://other.example"}, "wrong_issuer"),
        ({"iss": ISSUER + "/"}, "wrong_issuer"),
        ({"aud": "another"}, "wrong_audience"),
        ({"aud": [AUDIENCE]}, "wrong_audience"),
        ({"aud": [AUDIENCE, "another"]}, "wrong_audience"),
        ({"aud": {}}, "claim_missing"),
        ({"iss": [ISSUER]}, "wrong_issuer"),
        ({"iss": 1}, "wrong_issuer"),
        ({"aud": AUDIENCE + " "}, "wrong_audience"),
        ({"iss": None}, "claim_missing"),
        ({"aud": None}, "claim_missing"),
        ({"sub": None}, "claim_missing"),
        ({"exp": None}, "claim_missing"),
        ({"nbf": None}, "claim_missing"),
        ({"iat": None}, "claim_missing"),
        ({"exp": NOW - 61}, "expired"),
        ({"exp": NOW - 60}, "expired"),
        ({"nbf": NOW + 61}, "not_yet_valid"),
        ({"iat": NOW + 61}, "issued_in_future"),
        ({"exp": NOW + DAY + 1}, "lives_too_long"),
        ({"iat": NOW - DAY, "exp": NOW + 1}, "lives_too_long"),
        ({"nbf": 0}, "lives_too_long"),
        ({"exp": str(NOW + 600)}, "claim_invalid"),
        ({"exp": True}, "claim_invalid"),
        ({"exp": 10**400}, "claim_invalid"),
        ({"exp": float("inf")}, "claim_invalid"),
        ({"nbf": float("nan")}, "claim_invalid"),
        ({"iat": [NOW]}, "claim_invalid"),
        ({"sub": 7}, "claim_invalid"),
        ({"sub": ""}, "claim_invalid"),
        ({"sub": "  "}, "claim_invalid"),
        ({"sub": "a\nb"}, "claim_invalid"),
        ({"sub": "a\u202eb"}, "claim_invalid"),
        ({"sub": "\ud800"}, "claim_invalid"),
        ({"sub": "x" * 201}, "claim_invalid"),
        ({"sub": "13097248022"}, "identity_number"),
        ({"sub": "nin:130972 48022"}, "identity_number"),
        ({"jti": 7}, "claim_invalid"),
        ({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, "proof_of_possession"),
        ({"role": None}, "no_role"),
        ({"role": "admin"}, "no_role"),
        ({"role": "Clinician"}, "no_role"),
        ({"role": ["clinician"]}, "no_role"),
        ({"organisations": "c1"}, "organisations_invalid"),
        ({"organisations": {"c1": 1}}, "organisations_invalid"),
        ({"organisations": [["c1"]]}, "organisations_invalid"),
        ({"organisations": [1]}, "organisations_invalid"),
        ({"organisations": [""]}, "organisations_invalid"),
        ({"organisations": ["c1 "]}, "organisations_invalid"),
        ({"organisations": ["c%"]}, "organisations_invalid"),
        ({"organisations": ["c1\n"]}, "organisations_invalid"),
        ({"organisations": [f"c{i}" for i in range(501)]}, "organisations_invalid"),
        ({"organisations": [ANY]}, "organisations_invalid"),
        ({"role": "employer", "organisations": [ANY]}, "organisations_invalid"),
    ],
)
def test_a_claim_that_is_not_ours_is_refused(verifier, changes, reason):
    assert refusal(verifier, signed(claims(NOW, **changes))) == reason


@pytest.mark.parametrize("changes", [{"exp": NOW - 59}, {"nbf": NOW + 60}, {"iat": NOW + 60}, {"exp": NOW + DAY},
                                     {"exp": NOW + 0.5}])  # fmt: skip
def test_clocks_may_differ_by_a_minute(verifier, changes):
    assert verifier.verify(signed(claims(NOW, **changes))).subject == "ann"


@pytest.mark.parametrize("role", ["app", "auditor"])
def test_every_organisation_is_for_programs_and_auditors_only(verifier, role):
    assert verifier.verify(signed(claims(NOW, role=role, organisations=[ANY]))).organisations == {ANY}


def test_a_token_that_names_no_organisation_acts_for_none(verifier):
    assert verifier.verify(signed(claims(NOW, organisations=None))).organisations == frozenset()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"jku": "https://evil.example/keys"}, "header_not_allowed"),
        ({"jwk": public_jwk(ec_key("evil"), "one")}, "header_not_allowed"),
        ({"x5u": "https://evil.example/chain"}, "header_not_allowed"),
        ({"x5c": ["MIIB"]}, "header_not_allowed"),
        ({"b64": False}, "header_not_allowed"),
        ({"crit": ["exp"], "exp": 1}, "header_not_allowed"),
        ({"typ": None}, "wrong_type"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
        ({"typ": "logout+jwt"}, "wrong_type"),
        ({"typ": 1}, "wrong_type"),
        ({"typ": ["JWT"]}, "wrong_type"),
        ({"kid": None}, "no_key_id"),
        ({"kid": ""}, "no_key_id"),
        ({"kid": "k" * 257}, "no_key_id"),
        ({"kid": "../../etc/passwd"}, "unknown_key"),
        ({"kid": "ｏｎｅ"}, "unknown_key"),
        ({"kid": "one\u0000"}, "unknown_key"),
        ({"kid": "two"}, "algorithm_not_allowed"),  # an RSA key for a token that says ES256
    ],
)
def test_a_header_that_offers_a_key_or_names_none_of_ours_is_refused(verifier, header, reason):
    kid = header.pop("kid", "one")
    assert refusal(verifier, signed(claims(NOW), kid=kid, **header)) == reason


@pytest.mark.parametrize("header", [[], "x", {"alg": "ES256", "typ": "JWT", "kid": ["one"]}, {"typ": "JWT", "kid": "one"},
                                    {"alg": None, "typ": "JWT", "kid": "one"}, {"alg": ["ES256"], "typ": "JWT", "kid": "one"},
                                    {"alg": "ES256", "typ": "JWT", "kid": "one", "b64": False},
        {"alg": "ES256", "typ": "JWT", "kid": "one", "crit": []}])  # fmt: skip
def test_a_header_of_the_wrong_form_is_refused(verifier, header):
    _, payload, signature = signed(claims(NOW)).split(".")
    reason = refusal(verifier, f"{segment(header)}.{payload}.{signature}")
    assert reason in {"malformed", "no_key_id", "algorithm_not_allowed", "header_not_allowed"}


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_an_unsigned_token_is_refused(verifier, algorithm):
    header = segment({"alg": algorithm, "typ": "at+jwt", "kid": "one"})
    for signature in ("", "AA"):
        assert refusal(verifier, f"{header}.{segment(claims(NOW))}.{signature}") in {
            "malformed",
            "algorithm_not_allowed",
        }


@pytest.mark.parametrize(
    "form", [(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
)
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_shared_secret(verifier, form, algorithm):
    secret = rsa_key("two").public_key().public_bytes(*form)
    unsigned = f"{segment({'alg': algorithm, 'typ': 'at+jwt', 'kid': 'two'})}.{segment(claims(NOW))}"
    signature = jwt.algorithms.get_default_algorithms()[algorithm].sign(unsigned.encode(), secret)
    assert refusal(verifier, f"{unsigned}.{segment(signature)}") == "algorithm_not_allowed"


def test_an_algorithm_that_the_deployment_or_the_key_does_not_name_is_refused(verifier, keys):
    assert refusal(verifier, signed(claims(NOW), rsa_key("two"), "two", "RS512")) == "algorithm_not_allowed"
    assert refusal(verifier, signed(claims(NOW), rsa_key("three"), "three", "RS256")) == "algorithm_not_allowed"
    strict = TokenVerifier(ISSUER, AUDIENCE, keys, now=lambda: NOW, algorithms=frozenset({"PS256"}))
    assert refusal(strict, signed(claims(NOW))) == "algorithm_not_allowed"
    assert strict.verify(signed(claims(NOW), rsa_key("three"), "three", "PS256")).subject == "ann"


@pytest.mark.parametrize("algorithms", [frozenset(), frozenset({"HS256"}), frozenset({"none", "ES256"})])
def test_no_deployment_can_allow_a_weak_algorithm(keys, algorithms):
    with pytest.raises(ValueError, match="algorithms"):
        TokenVerifier(ISSUER, AUDIENCE, keys, algorithms=algorithms)


@pytest.mark.parametrize(("issuer", "audience"), [("", AUDIENCE), (ISSUER, "")])
def test_a_verifier_without_issuer_or_audience_cannot_be_made(keys, issuer, audience):
    with pytest.raises(ValueError, match="needed"):
        TokenVerifier(issuer, audience, keys)


def test_another_key_under_the_same_name_is_refused(verifier):
    assert refusal(verifier, signed(claims(NOW), ec_key("evil"))) == "bad_signature"
    assert refusal(verifier, signed(claims(NOW), rsa_key("evil"), "two", "PS256")) == "bad_signature"


def test_claims_of_another_token_are_refused_under_this_signature(verifier):
    header, _, signature = signed(claims(NOW)).split(".")
    assert (
        refusal(verifier, f"{header}.{segment(claims(NOW, role='auditor', organisations=[ANY]))}.{signature}")
        == "bad_signature"
    )


def test_a_psychic_signature_is_refused(verifier):
    header, payload, _ = signed(claims(NOW)).split(".")
    assert refusal(verifier, f"{header}.{payload}.{segment(bytes(64))}") == "bad_signature"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.b.c",
        "a\n.b.c",
        "a.b.c\n",
        " a.b.c",
        "a.b.c ",
        "\ud800.b.c",
        "ａ.b.c",
        "a.b.c==",
    ],
)
def test_what_is_no_token_is_refused(verifier, token):
    assert refusal(verifier, token) == "malformed"


@pytest.mark.parametrize("change", ["{}==", "{}=", " {}", "{}\n", "{}.", ".{}", "{}\u200b"])
def test_a_sound_token_has_one_form(verifier, change):
    assert refusal(verifier, change.format(signed(claims(NOW)))) == "malformed"


def test_deep_json_is_refused(verifier):
    deep = segment(b"[" * 5000)
    assert refusal(verifier, f"{deep}.b.c") == "malformed"


def test_a_huge_token_is_refused_before_it_is_read(verifier):
    token = signed(claims(NOW, filler="x" * 8000))
    assert refusal(verifier, token) == "too_large"
    huge = "a" * 50_000_000
    begun = time.perf_counter()
    assert refusal(verifier, huge) == "too_large"
    assert time.perf_counter() - begun < 0.05


def test_every_truncation_is_refused(verifier):
    token = signed(claims(NOW))
    for length in range(len(token)):
        refusal(verifier, token[:length])


@settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_mutation_of_a_sound_token_is_accepted(verifier, data):
    token = signed(claims(NOW))
    at = data.draw(st.integers(0, len(token)))
    length = data.draw(st.integers(0, 3))
    new = data.draw(st.text(st.sampled_from("ABCxyz019-_.=+/ \u00e6\u0000") | st.characters(), max_size=4))
    mutated = token[:at] + new + token[at + length :]
    if mutated != token:
        refusal(verifier, mutated)


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_nothing_random_is_accepted_and_nothing_else_is_raised(verifier, text):
    refusal(verifier, text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(sorted(claims())), value=_JSON)
def test_a_signed_claim_of_any_form_is_read_or_refused_never_an_error(verifier, name, value):
    try:
        caller = verifier.verify(signed({**claims(NOW), name: value}))
    except TokenRefused:
        return
    assert caller.role == "clinician"
    assert caller.issuer == ISSUER
    assert ANY not in caller.organisations


def test_a_clock_that_is_set_moves_what_is_valid_and_nothing_is_remembered(keys):
    clock = [float(NOW)]
    verifier = TokenVerifier(ISSUER, AUDIENCE, keys, now=lambda: clock[0])
    token = signed(claims(NOW))
    assert verifier.verify(token)
    clock[0] = NOW + 3600.0
    assert refusal(verifier, token) == "expired"
    clock[0] = NOW - 3600.0
    assert refusal(verifier, token) == "not_yet_valid"
    clock[0] = float(NOW)
    assert verifier.verify(token)


def test_the_development_key_signs_for_the_development_issuer_only(verifier, keys):
    key = ec_key("development")
    assert refusal(verifier, signed(claims(NOW), key, DEVELOPMENT_KEY_ID)) == "development_key"
    development = TokenVerifier(DEVELOPMENT_ISSUER, AUDIENCE, keys, now=lambda: NOW)
    token = signed(claims(NOW, iss=DEVELOPMENT_ISSUER), key, DEVELOPMENT_KEY_ID)
    assert development.verify(token).issuer == DEVELOPMENT_ISSUER


def test_without_keys_it_is_not_the_callers_fault(tmp_path):
    verifier = TokenVerifier(ISSUER, AUDIENCE, KeySet.from_file(tmp_path / "none.json"), now=lambda: NOW)
    with pytest.raises(KeysUnavailable):
        verifier.verify(signed(claims(NOW)))
    assert refusal(verifier, "rubbish") == "malformed"


class TestHelseId:
    def test_registered_personnel_are_clinicians_for_the_organisation_of_their_client(self, helseid):
        caller = helseid.verify(signed(claims(NOW, **HELSEID)))
        assert caller.role == "clinician"
        assert caller.organisations == {"994598759", "974589095"}

    def test_the_identity_number_is_not_kept(self, helseid):
        caller = helseid.verify(signed(claims(NOW, **HELSEID)))
        assert caller.subject == HELSEID["sub"]
        assert HELSEID["helseid://claims/identity/pid"] not in repr(caller)

    def test_a_subject_that_is_the_identity_number_is_refused(self, helseid):
        wrong = {**HELSEID, "helseid://claims/identity/pid": "no-number", "sub": "no-number"}
        assert refusal(helseid, signed(claims(NOW, **wrong))) == "identity_number"

    @pytest.mark.parametrize("level", [None, "3", 4, "04"])
    def test_a_person_must_have_logged_in_at_level_four(self, helseid, level):
        wrong = {**HELSEID, "helseid://claims/identity/security_level": level}
        assert refusal(helseid, signed(claims(NOW, **wrong))) == "security_level"

    @pytest.mark.parametrize("number", [None, "", 7654321, "12a", "٣٤"])
    def test_without_a_registration_number_there_is_no_clinician(self, helseid, number):
        wrong = {**HELSEID, "helseid://claims/hpr/hpr_number": number}
        assert refusal(helseid, signed(claims(NOW, **wrong))) == "no_role"

    def test_our_own_role_claim_counts_for_nothing(self, helseid):
        wrong = {**HELSEID, "helseid://claims/hpr/hpr_number": None, "role": "auditor", "organisations": [ANY]}
        assert refusal(helseid, signed(claims(NOW, **wrong))) == "no_role"

    @pytest.mark.parametrize("scope", [[f"{AUDIENCE}/app"], f"openid {AUDIENCE}/app"])
    def test_a_program_is_named_by_its_client(self, helseid, scope):
        person = {name: None for name in HELSEID if "identity" in name or "hpr" in name}
        program = {**HELSEID, **person, "sub": None, "client_id": "4a1b-client", "scope": scope}
        caller = helseid.verify(signed(claims(NOW, **program)))
        assert (caller.subject, caller.role) == ("4a1b-client", "app")
        unnamed = {**program, "client_id": None}
        assert refusal(helseid, signed(claims(NOW, **unnamed))) == "claim_missing"

    def test_an_auditor_is_a_person_at_level_four(self, helseid):
        auditor = {**HELSEID, "helseid://claims/hpr/hpr_number": None, "scope": [f"{AUDIENCE}/auditor"]}
        assert helseid.verify(signed(claims(NOW, **auditor))).role == "auditor"
        auditor["helseid://claims/identity/security_level"] = None
        assert refusal(helseid, signed(claims(NOW, **auditor))) == "security_level"

    def test_a_person_behind_a_program_must_have_logged_in_at_level_four_too(self, helseid):
        at_level_three = {"helseid://claims/hpr/hpr_number": None, "helseid://claims/identity/security_level": "3"}
        wrong = {**HELSEID, **at_level_three, "scope": [f"{AUDIENCE}/app"]}
        assert refusal(helseid, signed(claims(NOW, **wrong))) == "security_level"

    def test_a_person_is_never_named_by_the_program(self, helseid):
        wrong = {**HELSEID, "sub": None, "client_id": "4a1b-client"}
        assert refusal(helseid, signed(claims(NOW, **wrong))) == "claim_missing"

    def test_two_roles_at_once_are_none(self, helseid):
        both = {**HELSEID, "scope": [f"{AUDIENCE}/app"]}
        assert refusal(helseid, signed(claims(NOW, **both))) == "no_role"

    def test_no_scope_makes_an_employer_or_a_clinician(self, helseid):
        for role in ("employer", "clinician"):
            wrong = {**HELSEID, "helseid://claims/hpr/hpr_number": None, "scope": [f"{AUDIENCE}/{role}"]}
            assert refusal(helseid, signed(claims(NOW, **wrong))) == "no_role"

    @pytest.mark.parametrize("number", [ANY, "c1", 994598759, ["994598759"], ""])
    def test_an_organisation_is_a_number_also_for_a_program(self, helseid, number):
        person = {name: None for name in HELSEID if "identity" in name or "hpr" in name}
        program = {**HELSEID, **person, "scope": [f"{AUDIENCE}/app"]}
        program["helseid://claims/client/claims/orgnr_parent"] = number
        assert refusal(helseid, signed(claims(NOW, **program))) == "organisations_invalid"
