"""What lies with the bundle of a model in service: its evaluation and its card, each there, lacking or altered."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data_contracts.errors import BalanceRiskError
from models.bundle import bundle_name
from models.bundle_papers import read_card, read_evaluation
from models.risk_model import RiskModel

LOGGER = logging.getLogger("bentoml.balance_risk")

State = Literal["there", "lacking", "altered"]


@dataclass(frozen=True)
class Evidence:
    """One paper of a bundle: its content where it is what was sealed, else whether it is lacking or was altered."""

    state: State
    content: Any = None


LACKING, ALTERED = Evidence("lacking"), Evidence("altered")


def bundle_of(bundles: Path, model: RiskModel) -> Path:
    """Return where the bundle of a model in service lies."""
    return bundles / model.outcome / bundle_name(model.version, model.artifact_sha256)


def evaluation_of(bundles: Path, model: RiskModel) -> Evidence:
    """Return the evaluation that the model was promoted on, as a mapping; see :mod:`models.evaluation.excerpt`.

    It is read and verified each time, so that what is shown is what lies there.
    """
    bundle = bundle_of(bundles, model)
    if not bundle.is_dir():
        return LACKING
    try:
        found = read_evaluation(bundle, model.artifact_sha256)
    except (BalanceRiskError, OSError) as error:
        LOGGER.error("%s: evaluation refused. %s", model.outcome, error)
        return ALTERED
    return LACKING if found is None else Evidence("there", found)


def card_of(bundles: Path, model: RiskModel, verify_key: Path) -> Evidence:
    """Return the model card as bytes. It is read each time: a card may be written again."""
    try:
        found = read_card(bundle_of(bundles, model), verify_key)
    except (BalanceRiskError, OSError) as error:
        LOGGER.error("%s: model card refused. %s", model.outcome, error)
        return ALTERED
    return LACKING if found is None else Evidence("there", found)
