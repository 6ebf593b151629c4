"""Doctor-certified absence in Norway as it was published, beside which a workplace may read its own.

SSB, "Sykefravær", first quarter of 2021: certified lost man-days as a percentage of agreed man-days
(ssb.no/arbeid-og-lonn/arbeidsmiljo-sykefravaer-og-arbeidskonflikter/statistikk/sykefratot). It counts days; shares of persons
with absence, which the workplace report tells, are not the same and cannot be subtracted from it.
"""

from __future__ import annotations

from collections.abc import Mapping

PUBLISHED_IN: Mapping[str, str] = {"nb": "SSB, første kvartal 2021", "en": "Statistics Norway, first quarter of 2021"}
ABSENCE_IN_ALL = 5.7
"""Percent of agreed man-days, all industries."""

ABSENCE_BY_INDUSTRY: Mapping[str, float] = {
    "A": 4.4, "C": 4.7, "F": 5.4, "G": 5.1, "H": 6.3, "I": 5.5, "J": 2.6, "K": 3.2, "M": 3.4, "N": 6.0,
}  # fmt: skip
"""The same by section of the standard industrial classification (SN2007), where it was published by section."""
