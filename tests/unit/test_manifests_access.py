"""What the manifests keep secret, who reaches whom in them, and who may write what."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.lib import documented
from tests.lib.manifests import (
    COMPOSE,
    DEPLOY,
    DOCUMENTS,
    FILES,
    KUBERNETES,
    PODS,
    SERVICES,
    containers,
    example,
    of_kind,
    placeholders,
    set_for_alerts,
    texts,
)

# Secrets, and who reaches whom.


def test_no_manifest_holds_a_secret():
    assert not list(of_kind("Secret"))
    for path in FILES:
        assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", path.read_text()), f"{path.name}: a password in an address"
    for one in texts([DOCUMENTS, SERVICES]):
        assert not re.search(r"BEGIN [A-Z ]*KEY", one)
    for pod in PODS.values():
        for one in containers(pod):
            for variable in one.get("env", []):
                assert not re.search(r"PASSWORD|SECRET|TOKEN", variable["name"]), variable
    for name, one in SERVICES.items():
        for variable, value in one.get("environment", {}).items():
            is_secret = re.search(r"PASSWORD|SECRET_|TOKEN", variable)
            assert not is_secret or str(value).startswith("/run/secrets/"), f"{name}: {variable}"


def test_every_secret_file_is_declared_used_and_explained():
    page = (DEPLOY / "containers.md").read_text()
    used = {
        one if isinstance(one, str) else one["source"]
        for service in SERVICES.values()
        for one in service.get("secrets", [])
    }
    assert used == set(COMPOSE["secrets"])
    for name, one in COMPOSE["secrets"].items():
        assert re.fullmatch(r"\$\{SECRETS:\?directory of the secrets\}/[\w.-]+", one["file"]), name
        assert f"`{one['file'].rsplit('/', 1)[1]}`" in page, f"{one['file']} is not explained"
    for pod in PODS.values():
        for volume in pod["volumes"]:
            if "secret" in volume:
                assert f"`{volume['secret']['secretName']}`" in page


def keys_of_secrets() -> dict[str, set[str]]:
    """What the page demands of each secret; those that alerts need besides have a row of their own."""
    rows = re.findall(
        r"^\| `([\w-]+)`(, with alerts)? \| (.+) \|$", (DEPLOY / "containers.md").read_text(), re.MULTILINE
    )
    return {name + also: set(re.findall(r"`([\w.-]+)`", keys)) for name, also, keys in rows}


def files_named(value: object) -> set[str]:
    return {name for text in texts(value) for name in re.findall(r"/run/secrets/([\w.-]+)", text)}


def test_every_file_that_a_setting_names_is_among_the_keys_that_the_page_demands():
    keys = keys_of_secrets()
    (settings,) = of_kind("ConfigMap")
    looked_at = set()
    for name, pod in PODS.items():
        named = set()
        for one in containers(pod):
            named |= files_named([one.get("env", []), one.get("args", []), one.get("command", [])])
            named |= files_named(settings["data"] if "envFrom" in one else [])
        secrets = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        there = set().union(*(keys[secret] for secret in secrets))
        assert named <= there, f"{name}: {sorted(named - there)} would not be there"
        looked_at |= secrets if named else set()
    assert looked_at == {"service-keys", "database-owner", "registry", "dask"}
    assert files_named(set_for_alerts()) == {"teams.yaml"} == keys["service-keys, with alerts"]


def test_every_variable_of_compose_is_in_the_pattern_and_stops_it_or_has_a_default():
    assert set(placeholders()) == set(example())
    assert all(rest.startswith((":?", ":-")) for rest in placeholders().values())
    assert not [text for text in texts(COMPOSE) if re.search(r"(?<!\$)\$[A-Za-z]", text)], "$NAME would be empty unseen"


def test_roles_of_the_databases_are_those_of_the_page():
    script = re.sub(r":'\w+'", "''", (DEPLOY / "postgres-init.sh").read_text())
    page = "".join(one.text for one in documented.blocks(DEPLOY / "service.md", "sql"))
    statements = re.sub(r"PASSWORD '[^']*'", "PASSWORD ''", page).strip().splitlines()
    assert len(statements) > 15
    for statement in statements:
        assert statement in script
    subprocess.run(["bash", "-n", DEPLOY / "postgres-init.sh"], check=True)
    assert {f"postgres_{name}" for name in re.findall(r"\$\(secret (\w+)\)", script)} == set(
        SERVICES["postgres"]["secrets"]
    )


def test_the_network_is_shut_but_for_what_is_named():
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    cluster = {"podSelector": {"matchLabels": {"balance-risk/cluster": "yes"}}}
    assert policies["dask"]["ingress"] == [{"from": [cluster]}]
    assert policies["dask"]["egress"] == [{"to": [cluster]}]
    reach = set(policies["database"]["podSelector"]["matchExpressions"][0]["values"])
    labels = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for one in DOCUMENTS
              for spec in [one.get("spec", {})] for spec in [spec.get("jobTemplate", {}).get("spec", spec)]
              if (pod := spec.get("template"))}  # fmt: skip
    assert reach == labels - {"dask-scheduler", "dask-worker", "publish", "retention"}


def test_only_what_must_be_is_reached_from_outside():
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert published == {"proxy": ["443:443", "80:80"], "mlflow": ["127.0.0.1:5000:5000"]}
    open_ = {name for name, one in COMPOSE["networks"].items() if not one.get("internal")}
    reached = {
        network: {name for name, one in SERVICES.items() if network in one.get("networks", [])} for network in open_
    }
    assert reached == {"front": {"proxy", "alerts"}, "desk": {"mlflow"}}
    for name in ("scheduler", "worker", "training"):
        assert SERVICES[name]["networks"] == ["cluster"], "Dask speaks pickle"
    for ingress in of_kind("Ingress"):
        paths = [path["path"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
        assert ingress["spec"]["tls"]
        assert ingress["metadata"]["name"] == "mlflow" or not set(paths) & {"/", "/metrics", "/livez", "/readyz"}


def test_only_who_promotes_may_write_bundles():
    in_pods = {
        name
        for name, pod in PODS.items()
        for volume in pod["volumes"]
        if volume["name"] == "bundles" and not volume["persistentVolumeClaim"].get("readOnly")
    }
    assert in_pods == {"CronJob publish", "CronJob restore"}
    in_containers = {
        name
        for name, one in SERVICES.items()
        for volume in one.get("volumes", [])
        if volume.startswith("bundles:") and not volume.endswith(":ro")
    }
    assert in_containers == {"publish", "restore"}


def publish(source: Path, target: Path) -> str:
    words = ["sh", KUBERNETES / "publish-bundles.sh", source, target]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_bundles_are_published_whole_and_the_link_last(tmp_path):
    source, target = tmp_path / "from", tmp_path / "to"
    for name in ("1-aaa", "2-bbb"):
        (source / "burnout" / name).mkdir(parents=True)
        (source / "burnout" / name / "manifest.json").write_text(name)
    (source / "burnout" / "history.jsonl").write_text("")
    current = source / "burnout" / "current"
    current.symlink_to("1-aaa")
    (target / "burnout" / ".coming").mkdir(parents=True)  # of a run that was killed
    assert publish(source, target) == "burnout: 1-aaa\n"
    current.unlink()
    current.symlink_to("2-bbb")
    assert publish(source, target) == publish(source, target) == "burnout: 2-bbb\n"
    link = target / "burnout" / "current"
    assert (str(link.readlink()), (link / "manifest.json").read_text()) == ("2-bbb", "2-bbb")
    assert {path.name for path in (target / "burnout").iterdir()} == {"1-aaa", "2-bbb", "current"}
