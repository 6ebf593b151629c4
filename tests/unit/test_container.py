"""The Containerfile, read as a builder reads it: what goes in, who runs, how it starts and how it says that it is well."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.serve import command
from pipeline.serving_lock import SERVING_LOCK
from serving.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Return the instructions, each with its continued lines as one."""
    lines = [line for line in (ROOT / "Containerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def values(name: str) -> list[str]:
    return [text for instruction, text in instructions() if instruction == name]


def final_stage() -> list[tuple[str, str]]:
    last = max(i for i, (name, _) in enumerate(instructions()) if name == "FROM")
    return instructions()[last:]


def environment() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(text for name, text in final_stage() if name == "ENV")))


def test_what_is_copied_is_there_and_is_code_only():
    sources = [text.split()[0] for text in values("COPY") if "--from" not in text]
    assert sources == ["requirements-serving.lock", "data_contracts", "features", "models", "serving"]
    assert all((ROOT / source).exists() for source in sources)
    for package in sources[1:]:
        others = {
            path.suffix for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        }
        assert others <= {".py", ".csv", ".md", ".yaml", ".css", ".html", ".json", ".js", ".svg", ".po"}, package


@pytest.mark.parametrize("name", [".containerignore", ".dockerignore"])
def test_only_what_is_copied_is_even_sent_to_the_builder(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == {
        text.split()[0] for text in values("COPY") if "--from" not in text
    }


def test_packages_are_those_of_the_lock_by_hash_and_never_built():
    (install,) = [text for text in values("RUN") if "pip" in text]
    for option in ("--require-hashes", "--no-deps", "--only-binary :all:", f"-r {SERVING_LOCK.name}"):
        assert option in install
    # The stage that installs is not the one that runs, and brings no installer with it.
    assert not any("pip" in text for name, text in final_stage() if name == "RUN")


def test_it_runs_as_nobody_in_particular():
    users = [text for name, text in final_stage() if name == "USER"]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", users[-1])
    last_run = max(i for i, (name, _) in enumerate(final_stage()) if name in ("RUN", "COPY"))
    assert final_stage().index(("USER", users[-1])) > last_run


def test_it_writes_below_its_volume_and_tmp_only():
    assert values("VOLUME") == ["/data"]
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
    assert not re.search(r"(?i)password|BEGIN [A-Z ]*KEY|token=|ARG .*(key|secret)", text)


def test_it_starts_what_balance_risk_serve_starts():
    (started,) = values("CMD")[-1:]
    shell = json.loads(started)
    prepared, served = shell[2].split(" && exec ")
    assert shell[:2] == ["sh", "-c"]
    assert prepared == "python -m serving.prepare"
    assert served.split()[1:] == command("0.0.0.0", 3000)[1:]
    assert values("STOPSIGNAL") == ["SIGTERM"]


def test_its_health_is_asked_of_the_readiness_page_with_python_alone():
    (health,) = values("HEALTHCHECK")
    words = json.loads(health.split("CMD ", 1)[1])
    assert "/readyz" in words[2]
    # Nothing listens on that port here: an answer other than 0 is what makes a container unhealthy.
    done = subprocess.run([sys.executable, "-c", words[2].replace("3000", "9")], capture_output=True, check=False)
    assert done.returncode != 0
