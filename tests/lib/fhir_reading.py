"""Reading resources as one Bundle, and its faults in short."""

from __future__ import annotations

from datetime import date

from hypothesis import settings

from data_contracts.readers.fhir_r4 import read_bundle
from tests.lib.fhir_bundles import bundle

RECEIVED_ON = date(2026, 3, 1)
IDENTITY_NUMBER = "01010750160"  # synthetic: the month is real, the number was never issued

FEW_EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


def read(*resources):
    return read_bundle(bundle(*resources), "b")


def faults(found):
    return [(one.row, one.column, one.rule) for one in found.violations]
