"""The questionnaires that may be answered. A new one is one file, one line here and one golden test."""

from __future__ import annotations

from data_contracts.instruments.bergen_insomnia_scale import BERGEN_INSOMNIA_SCALE
from data_contracts.instruments.copenhagen_burnout_inventory import COPENHAGEN_BURNOUT_INVENTORY
from data_contracts.instruments.hscl10 import HSCL10
from data_contracts.instruments.instrument import Band, Instrument, Item, Scale, score
from data_contracts.instruments.oslo_social_support import OSLO_SOCIAL_SUPPORT
from data_contracts.instruments.pain_sites import PAIN_SITES
from data_contracts.instruments.self_rated_health import SELF_RATED_HEALTH
from data_contracts.instruments.subjective_health_complaints import SUBJECTIVE_HEALTH_COMPLAINTS
from data_contracts.instruments.who5 import WHO5
from data_contracts.instruments.work_ability_score import WORK_ABILITY_SCORE

__all__ = ["INSTRUMENTS", "Band", "Instrument", "Item", "Scale", "score"]

INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        COPENHAGEN_BURNOUT_INVENTORY,
        WHO5,
        HSCL10,
        WORK_ABILITY_SCORE,
        BERGEN_INSOMNIA_SCALE,
        SUBJECTIVE_HEALTH_COMPLAINTS,
        PAIN_SITES,
        OSLO_SOCIAL_SUPPORT,
        SELF_RATED_HEALTH,
    )
}
