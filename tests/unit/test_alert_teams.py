"""Teams as they are declared, the evidence that allows alerts, and the signature of the specification."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from data_contracts.errors import MissingInputError, SettingsError
from models.artifact import save
from models.bundle import create_keys, export_bundle
from models.evaluation.excerpt import excerpt
from serving.alerts.addresses import AddressRefused, check_url, is_public, resolved
from serving.alerts.evidence import is_useful, rules_of
from serving.alerts.messages import TEXTS, body, signature
from serving.alerts.teams import read_teams, receivers
from serving.store.outbox import Delivery
from tests.lib.models import linear_model
from tests.lib.receiver import SECRET, SECRET_TEXT
from tests.lib.words import words_found

DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"
HOOK = {"url": "https://example.org/hook", "secret_file": "north.secret"}
TEAM = {"name": "north", "companies": ["c"], "per_week": 5,
        "outcomes": {"long_sick_leave": {"contacts_in_vain_per_person_found": 4}}}  # fmt: skip


def written(directory: Path, *teams: dict) -> Path:
    path = directory / "teams.yaml"
    path.touch(0o600)
    path.write_text(yaml.safe_dump({"teams": teams}))
    return path


def test_what_the_docs_show_is_a_file_of_teams(tmp_path):
    shown = DOCS.read_text().partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "teams.yaml").touch(0o600)
    (tmp_path / "teams.yaml").write_text(shown)
    (team, *_) = read_teams(tmp_path / "teams.yaml")
    assert team.outcomes["long_sick_leave"].threshold == pytest.approx(0.1)


@pytest.mark.parametrize(("in_vain", "threshold"), [(1, 0.5), (4, 0.2), (9, 0.1), (19, 0.05)])
def test_the_threshold_is_where_one_found_outweighs_those_contacted_in_vain(tmp_path, in_vain, threshold):
    worth = {"long_sick_leave": {"contacts_in_vain_per_person_found": in_vain}}
    (team,) = read_teams(written(tmp_path, TEAM | {"outcomes": worth}))
    found = team.outcomes["long_sick_leave"].threshold
    assert found == pytest.approx(threshold)
    assert (1 - found) / found == pytest.approx(in_vain), "the odds of decision curve analysis"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"companies": []}, "teams.0.companies"),
        ({"per_week": -1}, "teams.0.per_week"),
        ({"capacity": 5}, "teams.0.capacity"),
        ({"outcomes": {"luck": {"contacts_in_vain_per_person_found": 4}}}, "teams.0.outcomes.luck: must be one of"),
        ({"outcomes": {"absence_days": {"contacts_in_vain_per_person_found": 4}}}, "absence_days: must be one of"),
        ({"webhook": HOOK | {"url": "http://example.org/SECRET"}}, "teams.0.webhook.url: must begin with https://"),
        ({"webhook": HOOK | {"url": "https://ann:SECRET@example.org"}}, "teams.0.webhook.url"),
        (
            {"webhook": HOOK | {"url": "https://example.org:SECRET"}},
            "teams.0.webhook.url: must be an address with a host",
        ),
        ({"webhook": HOOK | {"url": "https://SECRET..example/"}}, "teams.0.webhook.url: must have a host in ASCII"),
        ({"webhook": HOOK | {"url": "HTTP://localhost/SECRET"}}, "teams.0.webhook: must allow_private"),
        ({"valid_days": 0}, "teams.0.valid_days"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_not_quoted(tmp_path, changes, where):
    with pytest.raises(SettingsError) as error:
        read_teams(written(tmp_path, TEAM | changes))
    assert where in str(error.value)
    assert "SECRET" not in str(error.value)


def test_no_file_is_no_team_one_that_is_gone_is_said_and_two_of_a_name_are_refused(tmp_path):
    assert read_teams(None) == ()
    with pytest.raises(MissingInputError, match="no such file"):
        read_teams(tmp_path / "teams.yaml")
    with pytest.raises(SettingsError, match="two teams"):
        read_teams(written(tmp_path, TEAM, TEAM))
    (tmp_path / "teams.yaml").write_text("teams: [")
    with pytest.raises(SettingsError, match="not valid YAML"):
        read_teams(tmp_path / "teams.yaml")


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", base64.b64encode(SECRET).decode(), "whsec_*" + "a" * 40]
)
def test_a_secret_that_is_none_is_refused_without_being_quoted(tmp_path, text):
    secret = tmp_path / "north.secret"
    secret.write_text(text)
    secret.chmod(0o600)
    teams = read_teams(written(tmp_path, TEAM | {"webhook": HOOK}))
    with pytest.raises(SettingsError, match="whsec_ and 24 to 64 bytes") as error:
        receivers(teams, tmp_path)
    assert not text[6:] or text[6:] not in str(error.value)


def test_a_secret_is_read_beside_the_file_and_for_its_owner_only(tmp_path):
    teams = read_teams(written(tmp_path, TEAM | {"webhook": HOOK}, TEAM | {"name": "silent"}))
    with pytest.raises(MissingInputError):
        receivers(teams, tmp_path)
    secret = tmp_path / "north.secret"
    secret.write_text(SECRET_TEXT + "\n")
    with pytest.raises(SettingsError, match="chmod 600"):
        receivers(teams, tmp_path)
    secret.chmod(0o600)
    found = receivers(teams, tmp_path)
    assert found.keys() == {"north"}
    assert found["north"].secret == SECRET


def test_a_file_with_addresses_of_webhooks_is_for_its_owner_only_and_one_without_for_everybody(tmp_path):
    path = written(tmp_path, TEAM | {"webhook": HOOK})
    path.chmod(0o640)
    with pytest.raises(SettingsError, match=rf"chmod 600 {path}"):
        read_teams(path)
    written(tmp_path, TEAM)
    assert [team.webhook for team in read_teams(path)] == [None]


# Evidence

CURVE = {"thresholds": [0.05, 0.06, 0.2, 0.21], "useful_at": [0.05, 0.2]}


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.05, True),
        (0.2, True),
        (1 / 5, True),
        (0.06, False),
        (0.055, False),
        (0.205, False),
        (0.04, False),
        (0.3, False),
    ],
)
def test_a_threshold_needs_both_neighbours_of_the_curve_to_be_useful(threshold, expected):
    assert is_useful(CURVE, threshold) is expected


def test_only_what_is_sealed_with_the_model_of_the_night_allows_alerts(tmp_path):
    (team,) = read_teams(written(tmp_path, TEAM))
    model, (private, _) = linear_model(), create_keys(tmp_path / "keys")
    save(model, tmp_path / "model")
    report = {"decision_curve": {**CURVE, "net_benefit": {}}, "models": {}, "test": {}}
    found = {}
    for version, evaluation in (
        ("1", excerpt(report)),
        ("2", None),
        ("3", {"decision_curve": CURVE | {"useful_at": []}}),
    ):
        bundle = export_bundle(tmp_path / "model", tmp_path / "bundles", model.outcome, version, private, evaluation)
        digest = __import__("hashlib").sha256((bundle / "manifest.json").read_bytes()).hexdigest()
        found[version] = {model.outcome: {"directory": bundle.name, "artifact_sha256": digest}}
    unproven = {
        version: rules_of([team], models, tmp_path / "bundles")[0].unproven for version, models in found.items()
    }
    assert unproven == {"1": {}, "2": {model.outcome: "no_evaluation"}, "3": {model.outcome: "no_net_benefit"}}
    assert rules_of([team], {}, tmp_path / "bundles")[0].unproven == {model.outcome: "no_model"}
    (tmp_path / "bundles" / model.outcome / found["1"][model.outcome]["directory"] / "evaluation.json").write_text("{}")
    assert rules_of([team], found["1"], tmp_path / "bundles")[0].unproven == {model.outcome: "no_evaluation"}


# Messages


def test_the_signature_is_that_of_the_specifications_example():
    """The example of the reference implementations, github.com/standard-webhooks/standard-webhooks."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', secret)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("language", ["nb", "en"])
def test_a_message_is_the_same_bytes_each_time_and_speaks_the_teams_language(language):
    delivery = Delivery("msg_1", "a" * 32, "north", datetime(2026, 3, 1, tzinfo=UTC), 1)
    content = body(delivery, language, "https://b.example/")
    assert content == body(delivery, language, "https://b.example")
    assert json.loads(content)["data"]["text"] == TEXTS[language]


def test_the_text_is_in_both_languages_and_does_not_frighten():
    assert {name: words_found(text, name) for name, text in TEXTS.items()} == {"nb": [], "en": []}


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://xn--bcher-kva.example",
        "https://10.0.0.1:8443/x",
        "http://127.0.0.1:80",
        "http://[::1]/",
    ],
)
def test_https_or_this_machine(url):
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url", ["http://example.org", "ftp://127.0.0.1", "https://", "file:///x", "https://h#x", "https://h:x",
            "https://foo..example/", f"https://{'a' * 64}.example/", "https://bücher.example/", "https://[::1"]
)  # fmt: skip
def test_no_other_address(url):
    with pytest.raises(ValueError, match=r".+"):
        check_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]", "[fd00::1]",
                                  "[::ffff:10.0.0.1]", "0.0.0.0", "100.64.0.1", "2130706433", "0x7f000001",
                                  "224.0.1.1", "[ff0e::1]", "[fec0::1]", "[2002:a00:1::1]", "[64:ff9b::a00:1]",
                                  "[64:ff9b:1::808:808]", "[::a00:1]", "[::ffff:127.0.0.1]"])  # fmt: skip
def test_private_addresses_are_refused_however_they_are_written(host):
    with pytest.raises(AddressRefused, match="private network"):
        asyncio.run(resolved(f"https://{host}/", allow_private=False))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "2002:5db8:d822::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public_also_within_one_of_ipv6(address):
    assert is_public(address)


def test_a_public_address_is_taken_and_a_name_that_nobody_knows_is_not():
    assert asyncio.run(resolved("https://93.184.216.34/", allow_private=False)) == "93.184.216.34"
    with pytest.raises(AddressRefused, match="not known"):
        asyncio.run(resolved("https://nobody.invalid/", allow_private=False))
