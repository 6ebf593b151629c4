"""The manifests of docs/deploy as documents: those of Kubernetes, their pods, and the services of compose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
KUSTOMIZATIONS = sorted(KUBERNETES.rglob("kustomization.yaml"))
MANIFESTS = sorted(path for path in KUBERNETES.rglob("*.yaml") if path not in KUSTOMIZATIONS)
"""Also those of the component ``alerts``, which a deployment has only where it asks for it."""

FILES = [*MANIFESTS, *KUSTOMIZATIONS, DEPLOY / "compose.yaml", DEPLOY / "compose.env"]
DOCUMENTS = [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text())]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def of_kind(*kinds: str) -> Iterator[dict[str, Any]]:
    return (one for one in DOCUMENTS if one["kind"] in kinds)


def pod_of(one: dict[str, Any]) -> dict[str, Any] | None:
    spec = one.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return spec["template"]["spec"] if "template" in spec else None


PODS = {f"{one['kind']} {one['metadata']['name']}": pod for one in DOCUMENTS if (pod := pod_of(one))}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def set_for_alerts() -> dict[str, str]:
    """Return what the component ``alerts`` adds to the settings."""
    component = yaml.safe_load((KUBERNETES / "alerts" / "kustomization.yaml").read_text())
    (patch,) = component["patches"]
    assert patch["target"] == {"kind": "ConfigMap", "name": "settings"}
    return {one["path"].removeprefix("/data/"): one["value"] for one in yaml.safe_load(patch["patch"])}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (text for one in value.items() for part in one for text in texts(part))
    elif isinstance(value, list):
        yield from (text for one in value for text in texts(one))
    else:
        yield str(value)


def placeholders() -> dict[str, str]:
    """Every variable of compose.yaml with what stands behind its name."""
    return dict(re.findall(r"(?<!\$)\$\{([A-Z_]+)([^}]*)\}", (DEPLOY / "compose.yaml").read_text()))


def example() -> dict[str, str]:
    lines = [line for line in (DEPLOY / "compose.env").read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def filled(text: str) -> str:
    return re.sub(r"(?<!\$)\$\{([A-Z_]+)[^}]*\}", lambda found: example()[found[1]], text)
