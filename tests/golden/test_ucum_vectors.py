"""The UCUM functional tests (version of 31 May 2010, 290 cases) through the library behind ``data_contracts.units``.

Where ucumvert answers otherwise than the cases, the case is listed with the reason; the list must be exact, so a new release
of the library that changes any answer fails here and is looked at.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pint import DimensionalityError
from ucumvert import InvalidUcumError, PintUcumRegistry

VECTORS = Path(__file__).parents[2] / "../shared/vectors/ucum/ucum_functional_tests.json"

_NO_UNITY = "ucumvert refuses the empty text, which UCUM reads as the unit 1"
_LAX_NUMBER = "ucumvert reads 10+3 as 10 to the power of 3; UCUM wants 10*+3"
_NOT_ASCII = "the case annotates with a letter outside ASCII, which the UCUM specification itself does not allow"
_LATER_UNIT = "[IU] joined UCUM beside [iU] after 2010; the case still calls it invalid"
_LEFT_TO_RIGHT = "the case takes a/b/c as a/(b/c) or a/b.c as a/(b.c); UCUM, and ucumvert, read from left to right"
_MERCURY = "pint's metre of mercury is 133.322387415 kPa, UCUM's is rounded to 133.3220 kPa"

KNOWN_DIFFERENCES = {
    "1-103": _NO_UNITY,
    "1-108": _LAX_NUMBER,
    **dict.fromkeys(("1-115", "1-116", "1-117", "1-118", "1-119"), _NOT_ASCII),
    **dict.fromkeys(("1-249", "1-250", "1-251", "1-252", "1-275", "1-337"), _LATER_UNIT),
    "2-101": _NO_UNITY,
    **dict.fromkeys(("3-108", "3-109", "3-110", "3-111", "3-115"), _LEFT_TO_RIGHT),
    "3-125": _MERCURY,
}


def cases() -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param("", {}, marks=pytest.mark.skip(reason="../shared/vectors is not here"))]
    found = json.loads(VECTORS.read_text(encoding="utf-8"))
    listed = [pytest.param(kind, case, id=case["id"]) for kind, group in found.items() for case in group]
    assert len(listed) == 290
    return listed


@pytest.fixture(scope="module")
def registry() -> PintUcumRegistry:
    return PintUcumRegistry()


@pytest.mark.parametrize(("kind", "case"), cases())
def test_ucumvert_answers_as_ucum_asks(registry: PintUcumRegistry, kind: str, case: dict[str, str]) -> None:
    answers_as_asked = _ANSWERS[kind](registry, case)
    assert answers_as_asked == (case["id"] not in KNOWN_DIFFERENCES), KNOWN_DIFFERENCES.get(case["id"])


def test_every_known_difference_is_a_case() -> None:
    if not VECTORS.exists():
        pytest.skip("../shared/vectors is not here")
    groups = json.loads(VECTORS.read_text(encoding="utf-8")).values()
    assert set(KNOWN_DIFFERENCES) <= {case["id"] for group in groups for case in group}


def is_read(registry: PintUcumRegistry, unit: str) -> bool:
    try:
        registry.from_ucum(unit)
    except InvalidUcumError:
        return False
    return True


def _validates(registry: PintUcumRegistry, case: dict[str, str]) -> bool:
    return is_read(registry, case["unit"]) == (case["valid"] == "true")


def _reads(registry: PintUcumRegistry, case: dict[str, str]) -> bool:
    """Of the eight display names only the unit is tested: ucumvert makes none, and we show none."""
    return is_read(registry, case["unit"])


def _converts(registry: PintUcumRegistry, case: dict[str, str]) -> bool:
    source, target = registry.from_ucum(case["srcUnit"]), registry.from_ucum(case["dstUnit"])
    try:
        value = float(case["value"]) * source.to(target.units).magnitude / target.magnitude
    except DimensionalityError:
        return False
    # The outcome is printed rounded: 6.3 of a four-fold unit is "25".
    exponent = Decimal(case["outcome"]).as_tuple().exponent
    assert isinstance(exponent, int)
    return abs(value - float(case["outcome"])) <= 0.5 * 10.0**exponent + 1e-12


def _multiplies(registry: PintUcumRegistry, case: dict[str, str]) -> bool:
    product = float(case["v1"]) * registry.from_ucum(case["u1"]) * float(case["v2"]) * registry.from_ucum(case["u2"])
    return bool(product == float(case["vRes"]) * registry.from_ucum(case["uRes"]))


_ANSWERS = {
    "validation": _validates,
    "displayNameGeneration": _reads,
    "conversion": _converts,
    "multiplication": _multiplies,
}
