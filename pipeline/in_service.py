"""What is in service, for those who compare with it or change it."""

from __future__ import annotations

from dataclasses import dataclass

from data_contracts.errors import ArtifactError, MissingInputError
from models.bundle import current_bundle, open_bundle
from models.promotion_policy import InService
from models.risk_model import RiskModel
from models.signing import VERIFY_KEY
from pipeline.erasure.models import version_of
from pipeline.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Champion:
    """The champion that ``current`` points to.

    Parameters
    ----------
    about : InService
    model : RiskModel or None
        None where this code, and so serving, refuses it; ``about.refused`` says why.
    """

    about: InService
    model: RiskModel | None


def champion_in_service(workspace: Workspace, outcome: str) -> Champion | None:
    """Open the bundle that serves an outcome as serving does; None if nothing is promoted."""
    bundle = current_bundle(workspace.bundles, outcome)
    if bundle is None:
        return None
    try:
        model = open_bundle(bundle, workspace.keys / VERIFY_KEY)
    except (ArtifactError, MissingInputError) as error:
        return Champion(InService(version_of(bundle), "", str(error)), None)
    return Champion(InService(model.version, model.artifact_sha256), model)
