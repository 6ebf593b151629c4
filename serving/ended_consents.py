"""Consents of a record end where the person has withdrawn them through the service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from data_contracts.records import Source
from data_contracts.tables import Coded, Table

NOTHING: Mapping[Source, date] = {}


def ended(tables: dict[str, Table], withdrawn: Mapping[Source, date]) -> dict[str, Table]:
    """Return checked tables of one person in which consents end where they were withdrawn; those given later hold."""
    consents = tables.get("consents")
    if not withdrawn or consents is None:
        return tables
    given, until, sources = consents["given_on"], consents["withdrawn_on"].copy(), consents["source"]
    assert isinstance(sources, Coded)
    for source, day in withdrawn.items():
        end = np.datetime64(day, "D")
        until[(sources.recode({source: 1}) == 1) & (given <= end) & ~(until <= end)] = end
    return {**tables, "consents": {**consents, "withdrawn_on": until}}
