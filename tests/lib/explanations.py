"""Explanations with contributions of one's choice."""

from __future__ import annotations

from typing import Any

from data_contracts.domains import DOMAIN_LABELS
from models.explanation import DomainSum, Reason
from models.risk_model import inverse_link
from serving.responses import ModelBody, OutcomeExplanation, Texts


def explained(base: float, domains: list[list[float]], target: Any = "event") -> OutcomeExplanation:
    """An explanation with these contributions, feature by feature."""
    text = {"nb": "a", "en": "a"}
    named = list(zip(DOMAIN_LABELS, domains, strict=False))
    reasons = tuple(
        Reason(
            group=domain, feature=f"{domain}_{n}", label=text, text=text, value=1.0, unit="1", shown=text, observed_on=None,
            contribution=part, direction="none", modifiable=False, missing=False, without_consent=False,
        )
        for domain, parts in named
        for n, part in enumerate(parts)
    )  # fmt: skip
    sums = tuple(DomainSum(domain, text, sum(parts), "none") for domain, parts in named)
    log_odds = base + sum(one.contribution for one in sums)
    number = float(inverse_link("logit" if target == "event" else "log", log_odds))
    is_event = target == "event"
    return OutcomeExplanation(
        label=Texts(**text), horizon_days=365, target=target, risk=number if is_event else None, interval=None,
        risks_by_horizon=None, expected_days=None if is_event else number, expected_days_interval=None, band=None,
        reference_risk=None, reference_days=None, reasons=reasons, warnings=(),
        model=ModelBody(name="m", version="1", trained_on=None, artifact_sha256="", synthetic=True),
        log_odds=log_odds, base=base, domains=sums, references=(),
    )  # fmt: skip
