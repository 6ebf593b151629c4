"""Which scales tell of the workplace, and which of their scores are unfavourable: what a workplace may be told of its own.

Scales of exhaustion, engagement, coping and work ability tell of the person, and are no business of an employer, not as an
aggregate either. None of the workplace scales has a published limit, so one rule holds for all of them: a score is
unfavourable in the third of the scale's range at its unfavourable end. The rule is ours; it is no limit of health.
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


def is_unfavourable(scale: Scale, score: float) -> bool:
    """True if a score lies in the unfavourable third of its scale, the border included."""
    from_best = score - scale.minimum if scale.higher_is_worse else scale.maximum - score
    return 3 * from_best >= 2 * (scale.maximum - scale.minimum)
