"""What /v1/risk/batch answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from serving.responses import Answer, RiskResponse


class BatchItem(Answer):
    """What came of one record: the answer, or the problem document that /v1/risk would have sent."""

    status: int = Field(description="200, or the status of the problem.")
    answer: RiskResponse | None
    problem: dict[str, Any] | None


class BatchResponse(Answer):
    """One item per record, in the order sent."""

    results: tuple[BatchItem, ...]
