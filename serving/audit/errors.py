"""What can be wrong with the audit log, apart from the settings."""

from __future__ import annotations

from data_contracts.errors import BalanceRiskError


class AuditUnavailable(BalanceRiskError):
    """The log cannot be written or read now; no answer about a person may leave. It says nothing about the chain."""


class AuditBroken(BalanceRiskError):
    """The log can be read, and it is not the one that was written."""

    exit_code = 3
