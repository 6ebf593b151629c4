"""A change with a date is seen from files on within its stated delay, and not where it did not happen; the short version of
``python -m benchmarks.monitoring.detection``.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.monitoring.detection import LATE, late_seen
from benchmarks.monitoring.programmes import programme


def test_slow_certificates_are_seen_within_the_stated_months_and_only_where_they_are_slow(tmp_path: Path) -> None:
    changed, base = (late_seen(programme(tmp_path, name, 1, 1000)) for name in (LATE.scenario, None))
    (month,) = changed
    assert month is not None
    assert month <= LATE.stated
    assert base == [None]
