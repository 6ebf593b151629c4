"""GET /v1/models: what is in service."""

from __future__ import annotations

from pydantic import Field

from serving.call import Basis, Call
from serving.responses import Answer, ModelBody, Texts


class ModelInService(Answer):
    """One outcome's model."""

    outcome: str
    label: Texts
    horizon_days: int
    reference_risk: float | None = Field(
        description="Share of events among the training rows; null where days are expected."
    )
    model: ModelBody


class ModelsResponse(Answer):
    """The models in service, and the promoted ones that were refused."""

    models: tuple[ModelInService, ...]
    refused: dict[str, str] = Field(description="Outcome and why its promoted model was not taken into service.")


def basis(call: Call) -> Basis:
    """Return the models that are listed."""
    return (() if call.predictor is None else call.predictor.named), ""


def models(call: Call) -> ModelsResponse:
    """List the models in service."""
    served = call.predictor.served if call.predictor is not None else {}
    listed = tuple(
        ModelInService(
            outcome=name,
            label=one.label,
            horizon_days=one.horizon_days,
            reference_risk=one.model.reference_risk if one.model.link == "logit" else None,
            model=one.body,
        )
        for name, one in served.items()
    )
    return ModelsResponse(models=listed, refused=call.parts.watch.refused())
