"""What every part of a mapping file has in common."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(min_length=1)]


class Part(BaseModel):
    """A part with known keys only, in which a key without a value says nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _an_empty_part_says_nothing(cls, part: Any) -> Any:
        filled = {} if part is None else part
        return (
            {key: value for key, value in filled.items() if value is not None} if isinstance(filled, dict) else filled
        )


def nearest(name: str, known: Collection[str]) -> str:
    """Return a hint at the known name that is most like ``name``."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else f" Known: {', '.join(known)}."
