"""parameters.yaml as attributes: ``parameters.absence.frailty_shape`` is the value; its unit and source stay there.

A scenario is an overlay: a file in scenarios/ that gives some of the same parameters other values.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from data_contracts.errors import SettingsError

FILE = Path(__file__).with_name("parameters.yaml")
SCENARIOS = FILE.parent / "scenarios"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C reads the file in a twentieth of the time, where libyaml is there."""


@dataclass(frozen=True)
class Parameters:
    """All numbers of the simulator, by section, the scenarios they come from, and the hash of all their files."""

    sections: dict[str, Any]
    scenarios: tuple[str, ...]
    sha256: str

    def __getattr__(self, section: str) -> Any:
        try:
            return self.__dict__["sections"][section]
        except KeyError:
            raise AttributeError(section) from None


@cache
def read_parameters(scenarios: tuple[str, ...] = ()) -> Parameters:
    """Read the parameter file and lay scenarios over it, later ones over earlier ones.

    Raises
    ------
    SettingsError
        There is no scenario of that name.
    ValueError
        A scenario names a parameter that parameters.yaml does not have.
    """
    content = FILE.read_bytes()
    nodes, digest = yaml.load(content, _LOADER), hashlib.sha256(content)
    for name in scenarios:
        digest.update(_file_of(name).read_bytes())
        _lay_over(nodes, read_scenario(name)["parameters"], name)
    sections = {name: _values(node) for name, node in nodes.items()}
    return Parameters(sections, scenarios, digest.hexdigest())


def scenario_names() -> tuple[str, ...]:
    """Names of all scenarios."""
    return tuple(sorted(path.stem for path in SCENARIOS.glob("*.yaml")))


def read_scenario(name: str) -> dict[str, Any]:
    """Return a scenario: ``meaning``, ``expect``, ``simulate`` (settings of its own) and ``parameters`` (the overlay)."""
    content = yaml.load(_file_of(name).read_bytes(), _LOADER)
    return {"simulate": {}, "parameters": {}} | content


def _file_of(name: str) -> Path:
    if name not in scenario_names():
        close = difflib.get_close_matches(name, scenario_names(), n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise SettingsError(f"There is no scenario {name!r}.{hint} There are: {', '.join(scenario_names())}.")
    return SCENARIOS / f"{name}.yaml"


def _lay_over(nodes: dict[str, Any], overlay: dict[str, Any], scenario: str) -> None:
    """Replace values in place; of a value that is a mapping only the keys that the scenario names, if it names any."""
    for section, parameters in overlay.items():
        for name, change in parameters.items():
            found = nodes.get(section, {}).get(name)
            if found is None:
                raise ValueError(f"scenario {scenario}: parameters.yaml has no {section}.{name}")
            old, new = found["value"], change["value"]
            # An empty mapping says "none of these", also over an earlier scenario.
            found["value"] = old | new if isinstance(old, dict) and isinstance(new, dict) and new else new


def _values(node: dict[str, Any]) -> Any:
    if "value" in node:
        return node["value"]
    return SimpleNamespace(**{name: _values(child) for name, child in node.items()})
