"""The model card of a stored run: its facts are gathered from the workspace and written beside the evaluation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_contracts.errors import ContractViolation
from models import artifact
from models.model_card.card import write_card
from models.model_card.facts import CardFacts, champion_facts
from models.model_card.study import read_study
from models.outcomes import OUTCOMES
from pipeline.console import read_json
from pipeline.workspace import Workspace

STUDY = Path("data", "study.yaml")
"""What only the study team knows; optional, the keys are in docs/model_card.md."""

PICTURES = ("calibration", "decision_curve", "contributions", "subgroups")


def write(workspace: Workspace, outcome: str, lineage: Mapping[str, str], *, not_enough_data: str = "") -> Path:
    """Write the card of an outcome's champion beside its evaluation; also where nothing could be trained or judged.

    Raises SettingsError if the study team's file is wrong.
    """
    destination = workspace.evaluation(outcome)
    write_card(destination, gather(workspace, outcome, lineage, not_enough_data=not_enough_data))
    return destination


def gather(
    workspace: Workspace,
    outcome: str,
    lineage: Mapping[str, str],
    registration: Mapping[str, str] | None = None,
    *,
    not_enough_data: str = "",
) -> CardFacts:
    """Gather what the workspace knows of a champion; what is not there stays empty, and is missing on the card.

    ``not_enough_data`` is the message of a NotEnoughDataError. A champion or report of an earlier run is then left out.
    """
    evaluation, champion = workspace.evaluation(outcome), workspace.model(outcome) / "champion"
    report = evaluation / "metrics.json"
    is_trained = champion.exists() and not not_enough_data
    is_judged = is_trained and report.exists()
    found = read_json(report) if is_judged else {}
    _refuse_another_champion(found, lineage, report)
    trained = champion_facts(artifact.load(champion)) if is_trained else {}
    return CardFacts(
        outcome=outcome,
        definition=_definition(outcome, trained),
        champion=trained,
        report=found,
        lineage=dict(lineage),
        registration=dict(registration or {}),
        study=read_study(workspace.root / STUDY),
        pictures={name: (evaluation / f"{name}.png").read_bytes() for name in PICTURES
                  if is_judged and (evaluation / f"{name}.png").exists()},
        not_enough_data=not_enough_data,
        synthetic=_synthetic(workspace),
    )  # fmt: skip


def _synthetic(workspace: Workspace) -> bool | None:
    """Tell whether the tables are of simulated persons, None if there are no tables that say."""
    stamp = workspace.tables / "ingest.json"
    found = read_json(stamp).get("synthetic") if stamp.exists() else None
    return found if isinstance(found, bool) else None


def _refuse_another_champion(report: Mapping[str, object], lineage: Mapping[str, str], path: Path) -> None:
    told, known = report.get("champion_sha256"), lineage.get("champion_sha256")
    if told and known and told != known:
        raise ContractViolation(f"{path} judges another champion than the one stored. Run: balance-risk evaluate")


def _definition(name: str, champion: Mapping[str, Any]) -> str:
    """The first paragraph of the outcome's declaration; its parameters are filled in if they are those it was trained with."""
    if name not in OUTCOMES:
        return ""
    outcome = OUTCOMES[name]
    first = (inspect.getdoc(type(outcome)) or "").split("\n\n")[0].replace("\n", " ")
    is_usual = champion.get("label", {}).get("en") == outcome.label_en
    return re.sub(
        r"``(\w+)``",
        lambda found: str(getattr(outcome, found[1], found[1])) if is_usual else found[1].replace("_", " "),
        first,
    )
