"""Verb doctor."""

from __future__ import annotations

from pipeline.commands.options import (
    HERE,
    PARAMS,
    JsonOption,
    OutcomeOption,
    ParamsOption,
    WorkspaceOption,
    outcomes_of,
    settings_of,
    show,
)
from pipeline.workspace import Workspace


def doctor(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Say whether the data are enough, what is missing, what will fail, and which verb comes next; writes nothing."""
    from pipeline import doctor as stage

    show(stage.run(Workspace(workspace), settings_of(params), outcomes_of(outcome)), json_)
