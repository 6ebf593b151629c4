"""The Containerfile, read as a builder reads it: what goes in, who runs, how it starts and how it says that it is well."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.serve import command
from pipeline.serving_lock import PIPELINE_LOCK, SERVING_LOCK, entries
from serving.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
RUNNING = ("mlflow", "pipeline", "")
"""Stages that become images; the last is the service's."""


def instructions() -> list[tuple[str, str]]:
    """Return the instructions, each with its continued lines as one."""
    lines = [line for line in (ROOT / "Containerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def values(name: str) -> list[str]:
    return [text for instruction, text in instructions() if instruction == name]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions by stage; the last one has no name and is the service, so that a build without a target makes it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, text in instructions():
        if name == "FROM":
            current = text.split(" AS ")[1] if " AS " in text else ""
            found[current] = []
        if found:
            found[current].append((name, text))
    return found


def final_stage() -> list[tuple[str, str]]:
    last = max(i for i, (name, _) in enumerate(instructions()) if name == "FROM")
    return instructions()[last:]


def of(stage: str, name: str) -> list[str]:
    return [text for instruction, text in stages()[stage] if instruction == name]


def environment() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(of("base", "ENV") + of("", "ENV"))))


def copied(stage: str) -> list[str]:
    return [text.split()[0] for text in of(stage, "COPY") if "--from" not in text]


CODE = ["data_contracts", "features", "models", "serving"]


def test_what_is_copied_is_there_and_is_code_only():
    assert copied("") == CODE
    assert copied("pipeline") == [*CODE, "pipeline", "params.yaml"]
    assert copied("mlflow") == []
    for package in [*CODE, "pipeline"]:
        others = {
            path.suffix for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        }
        assert others <= {".py", ".csv", ".md", ".yaml", ".css", ".html", ".json", ".js", ".svg", ".po", ".typ"}, (
            package
        )


@pytest.mark.parametrize("name", [".containerignore", ".dockerignore"])
def test_only_what_is_copied_is_even_sent_to_the_builder(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == {
        text.split()[0] for text in values("COPY") if "--from" not in text
    }


def test_the_service_comes_last_and_everything_stands_on_the_same_base():
    assert list(stages()) == ["installer", "packages", "pipeline-packages", "base", "mlflow", "pipeline", ""]
    assert all(of(stage, "FROM") == [f"base AS {stage}"] for stage in ("mlflow", "pipeline"))
    assert of("", "FROM") == ["base"]


def test_packages_are_those_of_the_lock_by_hash_and_never_built():
    (install,) = of("installer", "ENV")
    assert all(option in install for option in ("--require-hashes", "--no-deps", "--only-binary :all:"))
    assert of("packages", "RUN") == [f"${{INSTALL}} -r {SERVING_LOCK.name}"]
    assert of("pipeline-packages", "RUN") == [f"${{INSTALL}} -r {PIPELINE_LOCK.name}"]
    # The stages that install are not those that run, and bring no installer with them.
    assert not any("pip" in text.split() for stage in ("base", *RUNNING) for text in of(stage, "RUN"))
    assert of("", "COPY")[0].startswith("--from=packages ")


def test_no_image_has_test_tools_and_that_of_the_service_no_training_stack():
    pipeline, serving = (set(entries(lock.read_text())) for lock in (PIPELINE_LOCK, SERVING_LOCK))
    assert not pipeline & {"pytest", "hypothesis", "ruff", "mypy", "playwright", "sphinx"}
    assert {"mlflow", "psycopg", "boto3", "distributed", "dvc", "scikit-learn"} <= pipeline
    assert not serving & {"mlflow", "pandas", "scikit-learn", "distributed", "boto3"}
    assert serving <= pipeline  # verbs run modules of the service


def test_it_runs_as_nobody_in_particular():
    for stage in RUNNING:
        (user,) = of(stage, "USER")
        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
        last_run = max(i for i, (name, _) in enumerate(stages()[stage]) if name in ("RUN", "COPY"))
        assert stages()[stage].index(("USER", user)) > last_run


def test_it_writes_below_its_volume_and_tmp_only():
    assert of("", "VOLUME") == of("pipeline", "VOLUME") == ["/data"]
    for name, value in environment().items():
        path = value.removeprefix("sqlite:///")
        if name in ("BENTOML_HOME", f"{PREFIX}STORE", f"{PREFIX}AUDIT", f"{PREFIX}AUDIT_HEADS", f"{PREFIX}BUNDLES"):
            assert path.startswith(("/data/", "/tmp/")), name
    assert environment()["PYTHONDONTWRITEBYTECODE"] == "1"


def test_it_is_a_production_service_without_secrets_that_calls_nobody():
    settings = Settings.from_environment(environment())
    assert settings.mode == "production"
    assert settings.issuer == ""
    assert {name for name in environment() if name.startswith(PREFIX)} <= {
        f"{PREFIX}{field.upper()}" for field in vars(settings)
    }
    assert environment()["BENTOML_DO_NOT_TRACK"] == "True"
    text = (ROOT / "Containerfile").read_text()
    assert values("ARG") == ["PYTHON=python:3.11-slim"]
    for name, value in re.findall(r"(\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*)=(\S+)", text):
        assert re.match(r"\$\(cat$|/run/secrets/", value), f"{name} must come from a file when the container starts"


def test_it_starts_what_balance_risk_serve_starts():
    (started,) = of("", "CMD")
    shell = json.loads(started)
    prepared, served = shell[2].split(" && exec ")
    assert shell[:2] == ["sh", "-c"]
    assert prepared == "python -m serving.prepare"
    assert served.split()[1:] == command("0.0.0.0", 3000)[1:]
    assert set(values("STOPSIGNAL")) == {"SIGTERM"}


def test_its_health_is_asked_of_the_readiness_page_with_python_alone():
    (health,) = values("HEALTHCHECK")
    words = json.loads(health.split("CMD ", 1)[1])
    assert "/readyz" in words[2]
    # Nothing listens on that port here: an answer other than 0 is what makes a container unhealthy.
    done = subprocess.run([sys.executable, "-c", words[2].replace("3000", "9")], capture_output=True, check=False)
    assert done.returncode != 0


def test_the_image_of_the_verbs_is_the_command_line_and_its_verbs_are_found():
    (words,) = of("pipeline", "ENTRYPOINT")
    done = subprocess.run(
        [sys.executable, *json.loads(words)[1:], "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(verb in done.stdout for verb in ("ingest", "score", "monitor", "backup"))


def test_the_registry_is_started_as_its_page_says():
    page = (ROOT / "docs" / "deploy" / "mlflow.md").read_text()
    (documented,) = re.findall(r"^mlflow server .*$", page, flags=re.MULTILINE)
    (started,) = of("mlflow", "CMD")
    words = json.loads(started)[2].split("exec ")[1].split()
    assert words[:4] == documented.split()[:4]
    assert set(re.findall(r"--[a-z-]+", documented)) == set(re.findall(r"--[a-z-]+", " ".join(words)))
