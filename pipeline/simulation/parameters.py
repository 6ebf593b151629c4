"""parameters.yaml as attributes: ``parameters.absence.frailty_shape`` is the value; its unit and source stay there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

FILE = Path(__file__).with_name("parameters.yaml")


@dataclass(frozen=True)
class Parameters:
    """All numbers of the simulator, by section, and the hash of the file they come from."""

    sections: dict[str, Any]
    sha256: str

    def __getattr__(self, section: str) -> Any:
        try:
            return self.__dict__["sections"][section]
        except KeyError:
            raise AttributeError(section) from None


@cache
def read_parameters(path: Path = FILE) -> Parameters:
    """Read the parameter file."""
    content = path.read_bytes()
    sections = {name: _values(node) for name, node in yaml.safe_load(content).items()}
    return Parameters(sections, hashlib.sha256(content).hexdigest())


def _values(node: dict[str, Any]) -> Any:
    if "value" in node:
        return node["value"]
    return SimpleNamespace(**{name: _values(child) for name, child in node.items()})
