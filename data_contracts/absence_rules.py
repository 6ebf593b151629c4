"""What no certificate can say: a diagnosis that is no code of the system that the row names."""

from __future__ import annotations

import numpy as np

from data_contracts.diagnoses import is_code_of
from data_contracts.tables import Table
from data_contracts.violations import Fault, Findings

_WRONG_SYSTEM = Fault("diagnosis system", "must be a code of diagnosis_system; empty means ICPC-2")


def check_absences(table: Table, findings: Findings) -> None:
    """Report diagnoses that are no code of the system that the row names."""
    codes, system = table["diagnosis"], table["diagnosis_system"]
    is_icd = system.recode({"ICD-10": 1}, 0) == 1
    fits = {
        name: codes.recode({text: int(is_code_of(text, name)) for text in codes.vocabulary}) == 1
        for name in ("ICPC-2", "ICD-10")
    }
    wrong = (codes.codes >= 0) & ~np.where(is_icd, fits["ICD-10"], fits["ICPC-2"])
    findings.report("diagnosis", wrong.nonzero()[0], _WRONG_SYSTEM)
