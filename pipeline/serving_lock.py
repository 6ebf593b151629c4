"""What the images need of ``requirements.lock`` and nothing else: ``requirements-serving.lock`` and ``-pipeline.lock``.

An image that can score needs no training stack, no notebook of anybody and no test tool; each package less is one less to
be attacked through, to audit and to download. The versions and hashes are those of ``requirements.lock``, so that what is
tested is what runs. The image of the verbs has what the project depends on, Dask and the client of the object store, and no
test tool. ``python -m pipeline.serving_lock`` writes the files, ``--check`` says whether they are current.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from data_contracts.errors import BalanceRiskError

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
SERVING_LOCK = ROOT / "requirements-serving.lock"
PIPELINE_LOCK = ROOT / "requirements-pipeline.lock"

NEEDED = (
    "alembic",
    "babel",
    "bentoml",
    "cryptography",
    "fhir.resources",
    "holidays",
    "httptools",
    "httpx",
    "jinja2",
    "lightgbm",
    "numpy",
    "orjson",
    "prometheus-client",
    "psycopg[binary]",
    "pydantic",
    "pyjwt",
    "pyyaml",
    "sqlalchemy",
    "starlette",
    "tzdata",
    "uvloop",
    "vl-convert-python",
)
"""What the packages ``data_contracts``, ``features``, ``models`` and ``serving`` import in a process that scores."""

FOR_THE_REGISTRY = ("boto3", "flask-wtf")
"""What a shared MLflow needs besides: the client of its bucket, and forms for its accounts (docs/deploy/mlflow.md)."""

_SYSTEMS = [
    {"platform_machine": machine, "python_version": version, "python_full_version": f"{version}.0"}
    for machine, version in product(("x86_64", "aarch64"), ("3.11", "3.12", "3.13"))
]


class LockOutOfDate(BalanceRiskError):
    """The lock file lacks a package, or was made from another."""


def names(needed: Iterable[str] = NEEDED) -> set[str]:
    """Return the canonical names of the given distributions and all that they require, as they are installed here."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    left = list(needed)
    while left:
        wanted = Requirement(left.pop())
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key not in seen:
            seen.add(key)
            found.add(key[0])
            left += _required_by(wanted)
    return found


def _required_by(wanted: Requirement) -> list[str]:
    try:
        declared = map(Requirement, distribution(wanted.name).requires or [])
    except PackageNotFoundError:  # for another system or Python than this one
        return []
    # The name is all that is asked here; the lock file says on which systems a package is installed, and in which version.
    return [
        f"{one.name}[{','.join(sorted(one.extras))}]" if one.extras else one.name
        for one in declared
        if any(_holds(one.marker, extra) for extra in wanted.extras or {""})
    ]


def _holds(marker: Marker | None, extra: str) -> bool:
    # The file must be the same wherever it is made, so this machine's own system and Python are not asked.
    return marker is None or any(
        marker.evaluate(
            {"extra": extra, "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"} | other
        )
        for other in _SYSTEMS
    )


def entries(lock: str) -> dict[str, str]:
    """Return the entries of a lock file, each with its hashes, by canonical name."""
    parts = filter(None, re.split(r"^(?=\S)", lock, flags=re.MULTILINE))
    return {str(canonicalize_name(re.split(r"[=\[ ;]", part, maxsplit=1)[0])): part for part in parts}


def serving_lock(lock: str, wanted: set[str]) -> str:
    """Return the entries of the wanted packages as they stand in a lock file."""
    by_name = entries(lock)
    missing = sorted(wanted - by_name.keys())
    if missing:
        raise LockOutOfDate(f"requirements.lock lacks {', '.join(missing)}. Run: make lock")
    return "".join(by_name[name] for name in sorted(wanted))


def pipeline_needs() -> tuple[str, ...]:
    """Return what pyproject.toml says that the verbs need, with a Dask cluster and a shared registry."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return (*project["dependencies"], *project["optional-dependencies"]["cluster"], *FOR_THE_REGISTRY)


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` say whether they are current."""
    for path, needed in ((SERVING_LOCK, NEEDED), (PIPELINE_LOCK, pipeline_needs())):
        text = serving_lock(LOCK.read_text(), names(needed))
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise LockOutOfDate(f"{path.name} is not what requirements.lock gives. Run: make format")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BalanceRiskError as error:
        sys.exit(str(error))
