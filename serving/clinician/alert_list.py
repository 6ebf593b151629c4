"""The alerts on top of the worklist: a short list, each with the person's page and a button that says it was seen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.responses import RedirectResponse, Response

from models.outcomes import OUTCOMES
from serving.access.policy import Subject
from serving.call import Call
from serving.clinician.addresses import HOMES
from serving.clinician.messages import N_
from serving.handlers import alerts, stored_worklist
from serving.store.alert_rules import FLAG, WhyNot

WHY_NOT: Mapping[WhyNot, str] = MappingProxyType(
    {
        "no_model": N_("ingen modell er i drift"),
        "no_evaluation": N_("ingen evaluering følger med modellen"),
        "no_net_benefit": N_("det er ikke vist at modellen hjelper ved terskelen til teamet"),
    }
)
KINDS: Mapping[str, str] = MappingProxyType({FLAG: N_("Sikkerhetsflagg"), "new": N_("Ny"), "rising": N_("Stigende")})


def subjects(call: Call) -> list[Subject]:
    """Return whom the page names, in the list and in the alerts, each once."""
    listed = stored_worklist.worklist_subjects(call)
    return list({(one.person_id, one.companies): one for one in (*listed, *alerts.alerts_subjects(call))}.values())


def told(call: Call) -> dict[str, Any]:
    """Return what ``alerts.html`` shows."""
    labels = {name: {"nb": one.label_nb, "en": one.label_en} for name, one in OUTCOMES.items()}
    found = alerts.alerts(call)
    return {"alerts": found.alerts, "alerts_not_shown": found.not_shown,
            "alert_teams": [one for one in found.teams if one.outcome], "alert_kinds": KINDS,
            "alert_outcomes": labels, "alert_why_not": WHY_NOT}  # fmt: skip


def acknowledge(call: Call) -> Response:
    """Note that the reader has seen an alert, and go back to the list."""
    alerts.acknowledge(call)
    return RedirectResponse(HOMES["clinician"], 303)
