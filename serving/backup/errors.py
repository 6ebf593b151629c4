"""What can be wrong with a backup, apart from the settings."""

from __future__ import annotations

from data_contracts.errors import BalanceRiskError


class BackupFailed(BalanceRiskError):
    """No backup was made; nothing is left of the attempt."""


class BackupDamaged(BalanceRiskError):
    """The directory is not, or not all of, what was backed up."""

    exit_code = 3


class RestoreRefused(BalanceRiskError):
    """Something stands where the backup would go, or it is not known what must not come back; nothing was changed."""
