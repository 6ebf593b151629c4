"""Which scales tell of the workplace, and which of their scores are unfavourable: what a workplace may be told of its own.

Scales of exhaustion, engagement, coping and work ability tell of the person, and none of them is told to an employer, not
as an aggregate either; of health some domains as a whole are (serving/workplace_measures.py). None of the workplace scales
has a published limit, so one rule holds for all of them: a score is favourable, in the middle or unfavourable by the third
of the scale's range that it lies in. The rule is ours; it is no limit of health.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from data_contracts.domains import Domain
from data_contracts.instruments import INSTRUMENTS, Scale

DOMAIN: Domain = "stress_and_work_environment"
ABOUT_THE_WORKPLACE = ("qpsnordic34", "dcsq", "copsoq3_core")
"""The instruments that ask how work is, not how the person is."""

WORKPLACE_FACTORS: Mapping[str, Scale] = MappingProxyType(
    {scale.name: scale for name in ABOUT_THE_WORKPLACE for scale in INSTRUMENTS[name].scales if scale.domain == DOMAIN}
)


def third(from_best: float, width: float) -> int:
    """Return the third of a range, 0 at its best end; a score on a border is in the less favourable one."""
    return 2 if 3 * from_best >= 2 * width else 1 if 3 * from_best >= width else 0


def third_of(scale: Scale, score: float) -> int:
    """Return the third of its scale that a score is in: 0 the favourable one, 2 the unfavourable one."""
    from_best = score - scale.minimum if scale.higher_is_worse else scale.maximum - score
    return third(from_best, scale.maximum - scale.minimum)
