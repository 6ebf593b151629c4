"""compose.yaml and the Kubernetes manifests: right by their schemas, and of one mind with the code and the Containerfile.

No container runs where this project is built and no registry is reached from there: what a schema and these tests cannot see
is said in docs/deploy/containers.md.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from data_contracts.pseudonyms import VARIABLE as PSEUDONYM_KEYS
from pipeline.cli import app
from pipeline.workspace import Workspace
from serving.openapi_pages import PAGES
from serving.settings import PREFIX, Settings
from tests.lib import documented
from tests.lib.deployment import LONGEST_REQUEST
from tests.lib.manifests import (
    DEPLOY,
    DOCUMENTS,
    FILES,
    KUBERNETES,
    KUSTOMIZATIONS,
    MANIFESTS,
    PODS,
    ROOT,
    SERVICES,
    containers,
    filled,
    of_kind,
    set_for_alerts,
    texts,
)
from tests.unit.test_container import instructions, of, stages

VERSIONS = ("1.32", "1.35")
OWN_IMAGES = {"balance-risk": "", "balance-risk-pipeline": "pipeline", "balance-risk-mlflow": "mlflow"}
"""Image -> target of the Containerfile; a build without a target makes the service."""

KNOWN_VARIABLES = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)} | {
    f"{PREFIX}ENGINE",
    f"{PREFIX}SCHEDULER",
    f"{PREFIX}OLD_STORE",
    f"{PREFIX}OLD_AUDIT",
}
NAMED = [pytest.param(one, id=f"{one['kind']} {one['metadata']['name']}") for one in DOCUMENTS]
EACH_POD = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
EACH_SERVICE = pytest.mark.parametrize("name", SERVICES)


# By schema.


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("one", NAMED)
def test_each_manifest_is_valid_and_has_no_key_that_kubernetes_does_not_know(one, version):
    kubernetes_validate.validate(one, version, strict=True)


def test_the_schema_is_strict():
    (deployment,) = (one for one in of_kind("Deployment") if one["metadata"]["name"] == "service")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**deployment, "spec": {**deployment["spec"], "replica": 2}}, VERSIONS[0], strict=True
        )


def test_compose_is_valid_by_the_specification(tmp_path):
    def check(path: Path) -> int:
        words = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path]
        return subprocess.run(words, capture_output=True, check=False).returncode

    assert check(DEPLOY / "compose.yaml") == 0
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DEPLOY / "compose.yaml").read_text().replace("    cap_add:", "    cap_ad:"))
    assert check(wrong) != 0


def test_each_kustomization_names_every_file_beside_it():
    assert [path.parent.name for path in KUSTOMIZATIONS] == ["alerts", "kubernetes"]
    for path in KUSTOMIZATIONS:
        kustomization = yaml.safe_load(path.read_text())
        assert sorted(kustomization["resources"]) == [one.name for one in MANIFESTS if one.parent == path.parent]
        assert {one["name"] for one in kustomization.get("images", [])} in (set(), set(OWN_IMAGES))


WITHOUT_ALERTS = "# components: [alerts]\n"


@pytest.mark.parametrize("alerts", [False, True])
def test_it_builds_without_alerts_and_with_them(alerts, tmp_path):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed: what it would build is not looked at")
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    place = tmp_path / "kubernetes" / "kustomization.yaml"
    assert place.read_text().count(WITHOUT_ALERTS) == 1
    if alerts:
        place.write_text(place.read_text().replace(WITHOUT_ALERTS, WITHOUT_ALERTS.removeprefix("# ")))
    built = subprocess.run([kubectl, "kustomize", place.parent], capture_output=True, text=True, check=True).stdout
    found = list(yaml.safe_load_all(built))
    left_out = [] if alerts else list(yaml.safe_load_all((KUBERNETES / "alerts" / "alerts.yaml").read_text()))
    generated = yaml.safe_load(place.read_text())["configMapGenerator"]
    assert len(found) == len(DOCUMENTS) - len(left_out) + len(generated)
    assert {one["metadata"].get("namespace") for one in found if one["kind"] != "Namespace"} == {"balance-risk"}
    assert not re.findall(r"image: (?!registry\.example\.org/\S+@sha256:)\S+", built)
    (settings,) = (one["data"] for one in found if one["metadata"]["name"] == "settings")
    added = {name: text for name, text in settings.items() if name not in settings_of_kubernetes() | {"PGPASSFILE": ""}}
    assert added == (set_for_alerts() if alerts else {})


# What every container must be.


@EACH_POD
def test_pods_are_what_a_restricted_namespace_lets_in(pod):
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert not any("hostPath" in volume for volume in pod["volumes"])
    for one in containers(pod):
        allowed = one["securityContext"]
        assert allowed == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@EACH_POD
def test_pods_run_as_the_account_of_the_image(pod):
    (user,) = {of(stage, "USER")[0] for stage in OWN_IMAGES.values()}
    context = pod["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert str(context["fsGroup"]) == user.split(":")[1]


@EACH_POD
def test_pods_say_what_they_need_and_how_much_they_may_have(pod):
    for one in containers(pod):
        assert {"cpu", "memory"} <= set(one["resources"]["requests"])
        assert "memory" in one["resources"]["limits"]


@EACH_POD
def test_volumes_and_mounts_fit(pod):
    there = {volume["name"] for volume in pod["volumes"]}
    mounted = {mount["name"] for one in containers(pod) for mount in one["volumeMounts"]}
    assert mounted == there
    claims = {one["metadata"]["name"] for one in of_kind("PersistentVolumeClaim")}
    assert {volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]
            if "persistentVolumeClaim" in volume} <= claims  # fmt: skip
    for volume in pod["volumes"]:
        if volume.get("persistentVolumeClaim", {}).get("readOnly"):
            mounts = [
                mount for one in containers(pod) for mount in one["volumeMounts"] if mount["name"] == volume["name"]
            ]
            assert all(mount.get("readOnly") for mount in mounts)


@EACH_SERVICE
def test_compose_gives_no_container_more_than_it_needs(name):
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert not one.get("privileged")
    assert set(one.get("cap_add", [])) <= {"CHOWN", "DAC_READ_SEARCH", "FOWNER", "SETGID", "SETUID", "NET_BIND_SERVICE"}
    assert name in ("proxy", "postgres") or "cap_add" not in one
    assert "memory" in one["deploy"]["resources"]["limits"]
    named = one.get("networks") or one["network_mode"] == "none"
    assert named, "without a list of networks a container is in one with everything else"


# Of one mind with the Containerfile and the code.


@EACH_POD
def test_images_are_ours_and_have_a_target(pod):
    for one in containers(pod):
        assert one["image"] in OWN_IMAGES


@EACH_SERVICE
def test_images_of_others_are_pinned_by_the_deployer_and_ours_are_built(name):
    image, build = SERVICES[name]["image"], SERVICES[name].get("build")
    if image in OWN_IMAGES:
        assert build is None or build.get("target", "") == OWN_IMAGES[image]
        assert any(image == other["image"] and other.get("build") for other in SERVICES.values())
    else:
        assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:\?pinned by digest\}", image)


def test_targets_are_stages():
    assert set(OWN_IMAGES.values()) <= set(stages())


def test_no_image_is_the_latest():
    for path in FILES:
        assert ":latest" not in path.read_text(), path.name
    assert all("@sha256:" in line for line in (DEPLOY / "compose.env").read_text().splitlines() if "_IMAGE=" in line)


def variables() -> dict[str, set[str]]:
    """Names of our variables by where they are set or named."""
    return {str(path): set(re.findall(rf"{PREFIX}[A-Z_]+", path.read_text())) for path in FILES}


def test_every_variable_is_one_that_the_code_reads():
    assert {name: found - KNOWN_VARIABLES for name, found in variables().items() if found - KNOWN_VARIABLES} == {}


def settings_of_kubernetes() -> dict[str, str]:
    (settings,) = of_kind("ConfigMap")
    return {name: text for name, text in settings["data"].items() if name.startswith(PREFIX)}


def settings_of_compose() -> dict[str, str]:
    found = SERVICES["service"]["environment"]
    return {name: filled(text) for name, text in found.items() if name.startswith(PREFIX)}


@pytest.mark.parametrize("of_deployment", [settings_of_kubernetes, settings_of_compose])
def test_the_settings_are_those_of_a_production_service_on_postgresql(of_deployment):
    settings = Settings.from_environment(of_deployment())
    assert settings.mode == "production"
    assert settings.issuer
    # SQLite is a file of one machine: two pods would each have a store and an audit log of their own.
    assert all(url.startswith("postgresql+psycopg://") for url in (settings.store, settings.audit))
    assert settings.store.split("@")[0] != settings.audit.split("@")[0], "each has an account of its own"
    # A setting that names a file which is not there ends the night before anybody is scored.
    assert settings.teams is None
    # What is told of the log is not where the log is, nor in the store's volume.
    assert str(settings.audit_heads).startswith("/data/heads/")


def test_ports_are_those_that_the_images_listen_on():
    exposed = {stage: of(stage, "EXPOSE")[0] for stage in ("", "mlflow")}
    for name, pod in PODS.items():
        for one in pod["containers"]:
            stage = OWN_IMAGES[one["image"]]
            wanted = exposed.get(stage, "8786")
            assert {str(port["containerPort"]) for port in one.get("ports", [])} <= {wanted}, name
    for service in of_kind("Service"):
        (port,) = service["spec"]["ports"]
        wanted = {"service": exposed[""], "mlflow": exposed["mlflow"], "dask-scheduler": "8786"}
        assert str(port["port"]) == wanted[service["metadata"]["name"]]
    command = " ".join(SERVICES["proxy"]["command"])
    assert f"127.0.0.1:{exposed['']}" in (DEPLOY / "nginx.conf").read_text()
    assert f"server service:{exposed['']} resolve" in command


def test_paths_are_below_what_the_image_lets_be_written():
    (volume,) = of("", "VOLUME")
    for pod in PODS.values():
        for one in containers(pod):
            for mount in one["volumeMounts"]:
                assert mount["mountPath"].startswith((f"{volume}/", "/tmp", "/run/secrets", "/secret", "/publish"))
    made = next(text for name, text in instructions() if name == "RUN" and "mkdir" in text)
    for name in ("service", "night"):
        for one in SERVICES[name]["volumes"]:
            place = one.split(":")[-2 if one.endswith(":ro") else -1]
            assert place in made or place in ("/data/teams", "/data/workspace/bundles")


@EACH_POD
def test_probes_ask_addresses_that_answer(pod):
    for one in pod["containers"]:
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = one.get(kind, {}).get("httpGet", {}).get("path")
            assert path is None or path in {"service": PAGES, "mlflow": {"/health"}}[one["name"]]


def test_a_service_without_its_database_is_not_restarted():
    pod = PODS["Deployment service"]["containers"][0]
    assert pod["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert pod["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_service_may_finish_what_it_has_begun():
    pod = PODS["Deployment service"]
    waits = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= LONGEST_REQUEST + waits
    for name in ("service", "proxy"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= LONGEST_REQUEST
    assert (
        "wait 75 s (10 s for a body, 55 s for a batch, 6 s for the log)" in (ROOT / "docs" / "container.md").read_text()
    )


def test_verbs_and_their_options_are_there():
    verbs = get_command(app).commands
    started = [one["args"] for pod in PODS.values() for one in pod["containers"]
               if one["image"] == "balance-risk-pipeline" and "command" not in one and "args" in one]  # fmt: skip
    started += [one["command"] for one in SERVICES.values()
                if one["image"] == "balance-risk-pipeline" and "entrypoint" not in one]  # fmt: skip
    shells = [
        text for one in texts([DOCUMENTS, SERVICES["night"]]) for text in re.findall(r"pipeline\.cli ([^&]+)", one)
    ]
    for words in [*started, *(text.split() for text in shells)]:
        verb = verbs[words[0]]
        verb = verb.commands[words[1]] if hasattr(verb, "commands") else verb
        known = {option for parameter in verb.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, words
    assert len(started) >= 5
    assert len(shells) >= 4


def test_what_the_page_has_compose_run_is_there():
    """``restore`` is the image's own program and the owner of the tables, ``night`` takes a line of shell."""
    verbs = get_command(app).commands
    page = (DEPLOY / "containers.md").read_text()
    seen = set()
    for line in re.findall(r"docker compose .*?\brun --rm (.+)", page):
        words = iter(shlex.split(line, comments=True))
        name = next(words)
        while name.startswith("--"):
            value = next(words)
            assert name == "--volume" or (name == "--env" and value.startswith(f"{PSEUDONYM_KEYS}="))
            name = next(words)
        given = list(words)
        seen.add((name, *given[:1]))
        if given and "entrypoint" in SERVICES[name]:
            assert SERVICES[name]["entrypoint"] == ["sh", "-c"]
            assert len(given) == 1, "sh -c takes one word"
            subprocess.run(["sh", "-n", "-c", *given], check=True)
        elif given:
            known = {option for parameter in verbs[given[0]].params for option in parameter.opts}
            assert {word for word in given if word.startswith("--")} <= known
    assert ("restore", "erase") in seen
    assert {name for name, *_ in seen} == {"night", "backup", "retention", "restore", "publish"}
    owner = urlsplit(SERVICES["restore"]["environment"][f"{PREFIX}STORE"]).username
    assert owner == "balance_risk_owner", "only the owner of the tables can write them anew without who was erased"


def test_verbs_find_the_bundles_that_the_service_has():
    """``score`` looks in the workspace, and what it starts where the settings say: one claim, at both places."""
    workspace = Workspace(Path("/data/workspace"))
    places = {str(workspace.bundles), settings_of_kubernetes()[f"{PREFIX}BUNDLES"]}
    for name in ("score", "monitor", "backup"):
        mounts = PODS[f"CronJob {name}"]["containers"][0]["volumeMounts"]
        assert {mount["mountPath"] for mount in mounts if mount["name"] == "bundles"} == places
    for name in ("night", "backup"):
        found = {volume.split(":")[1] for volume in SERVICES[name]["volumes"] if volume.startswith("bundles:")}
        assert found == places


def test_dask_answers_nobody_without_a_certificate_and_finds_our_code():
    """``dask`` is a program of its own: without PYTHONPATH it does not look where the code is."""
    started = [one["args"] for pod in PODS.values() for one in pod["containers"] if one.get("command") == ["dask"]]
    started += [one["command"] for one in SERVICES.values() if one.get("entrypoint") == ["dask"]]
    preload = "pipeline.dask_without_http"
    assert len(started) == 4
    for words in started:
        assert " --no-dashboard " in " ".join(words)
        assert f"--preload {preload}" in " ".join(words)
    assert importlib.util.find_spec(preload)
    assert any("PYTHONPATH=/app" in text for text in of("pipeline", "ENV"))
    page = [one.text for one in documented.commands(DEPLOY / "dask.md") if one.program == "dask"]
    assert all(f"--preload {preload}" in text for text in page)
    assert len(page) == 2


def test_a_restore_is_done_by_the_owner_into_new_databases_with_the_old_ones_beside_it():
    (container,) = PODS["CronJob restore"]["containers"]
    in_kubernetes = {one["name"]: one.get("value", "") for one in container["env"]}
    in_compose = SERVICES["restore"]["environment"]
    for found in (in_kubernetes, in_compose):
        for what in ("store", "audit"):
            for name, database in ((what, f"balance_risk_{what}"), (f"old_{what}", f"balance_risk_{what}_old")):
                url = urlsplit(found[f"{PREFIX}{name.upper()}"])
                assert (url.username, url.path) == ("balance_risk_owner", f"/{database}")
    (secret,) = (one["secret"] for one in PODS["CronJob restore"]["volumes"] if "secret" in one)
    assert secret["secretName"] == "database-owner"
    assert {"source": "pgpass_owner", "target": "pgpass"} in SERVICES["restore"]["secrets"]
    again = (DEPLOY / "postgres-init.sh").read_text().split("if [", 1)[1].split("else")[0]
    renamed = re.findall(r"ALTER DATABASE (\w+) RENAME TO (\w+);", again)
    assert renamed == [(f"balance_risk_{what}", f"balance_risk_{what}_old") for what in ("store", "audit")]
    (suspended,) = (one["spec"]["suspend"] for one in of_kind("CronJob") if one["metadata"]["name"] == "restore")
    assert suspended is True
