"""Which input decides: each is moved to its low and its high end, all others stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.economics.inputs import EconomicInputs, described


def tornado(inputs: EconomicInputs, result: Callable[[EconomicInputs], float]) -> list[dict[str, Any]]:
    """Move one input at a time through its range.

    Parameters
    ----------
    inputs : EconomicInputs
    result : callable
        Kroner for given inputs.

    Returns
    -------
    list of dict, widest first: ``input``, ``low``, ``high`` (ends of the range), ``at_low_nok``, ``at_high_nok``, ``decides``:
    whether the sign of the result changes within the range. Inputs that are certain, or that move nothing, are left out.
    """
    base, rows = result(inputs), []
    for name in described():
        given = getattr(inputs, name)
        if given.low == given.high:
            continue
        low, high = (result(inputs.with_value(name, end)) for end in (given.low, given.high))
        if low == high:
            continue
        rows.append({"input": name, "low": given.low, "high": given.high, "at_low_nok": low, "at_high_nok": high,
                     "decides": min(low, high, base) < 0 < max(low, high, base)})  # fmt: skip
    return sorted(rows, key=lambda row: -abs(row["at_high_nok"] - row["at_low_nok"]))
