"""Every error a user can cause, as one tree.

BalanceRiskError                 exit 2   something the user can mend
├── SettingsError                exit 2   params.yaml or an environment variable is wrong
├── MissingInputError            exit 2   a file or directory that a stage needs is not there
├── SourceFileError              exit 3   a source file cannot be used at all (empty, column missing, not text)
├── ContractViolation            exit 3   a record or too many rows break the data contract
├── NotEnoughDataError           exit 4   the request is sound, the data cannot carry it
├── ArtifactError                exit 5   a model bundle is damaged, foreign, unsigned or does not fit
├── RegistryError                exit 6   the model registry lacks what was asked for, or cannot be reached
├── EngineError                  exit 7   the cluster cannot be reached, runs other code, or loses its workers
└── PromotionRefused             exit 8   a version does not satisfy the policy of promotion

The command line prints the message without a traceback and exits with the code; the service turns it into a problem
document. Messages say what, where and what to do, and never whose data it is. At ingest they quote a refused cell where it
is a number or a date and nothing else; all that was refused stands in quarantine.csv alone, for whoever mends the file
(never an identity number). The service's messages and logs quote no cell at all.
"""

from __future__ import annotations

from typing import Any, ClassVar


class BalanceRiskError(Exception):
    """Root of all errors that a user can cause and mend."""

    exit_code: ClassVar[int] = 2


class SettingsError(BalanceRiskError):
    """A setting has a wrong name, type or value."""


class MissingInputError(BalanceRiskError):
    """A file or directory that the stage reads does not exist."""


class SourceFileError(BalanceRiskError):
    """A source file is unusable as a whole."""

    exit_code = 3


class ContractViolation(BalanceRiskError):
    """Data break the contract to a degree that work cannot go on."""

    exit_code = 3


class NotEnoughDataError(BalanceRiskError):
    """Too few rows, persons or events for an honest answer.

    Parameters
    ----------
    message : str
    verdict : dict, optional
        JSON values: how many persons are needed for what, where that is known.
    """

    exit_code = 4

    def __init__(self, message: str, verdict: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict


class ArtifactError(BalanceRiskError):
    """A model bundle cannot be trusted or does not fit this code."""

    exit_code = 5


class RegistryError(BalanceRiskError):
    """The model registry lacks what was asked for, or cannot be reached."""

    exit_code = 6


class EngineError(BalanceRiskError):
    """The cluster cannot be reached, runs other code, sees other files, or loses its workers."""

    exit_code = 7
