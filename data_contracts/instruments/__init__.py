"""The questionnaires that may be answered. A new one is one file, two lines here and golden sheets in two test files."""

from __future__ import annotations

from data_contracts.instruments.audit_c import AUDIT_C
from data_contracts.instruments.bat12 import BAT12
from data_contracts.instruments.bat23 import BAT23
from data_contracts.instruments.bergen_insomnia_scale import BERGEN_INSOMNIA_SCALE
from data_contracts.instruments.copenhagen_burnout_inventory import COPENHAGEN_BURNOUT_INVENTORY
from data_contracts.instruments.coping_expectancy import COPING_EXPECTANCY
from data_contracts.instruments.copsoq3_core import COPSOQ3_CORE
from data_contracts.instruments.dcsq import DEMAND_CONTROL_SUPPORT
from data_contracts.instruments.fear_avoidance import FEAR_AVOIDANCE
from data_contracts.instruments.gad7 import GAD7
from data_contracts.instruments.hscl10 import HSCL10
from data_contracts.instruments.hscl25 import HSCL25
from data_contracts.instruments.instrument import Band, Instrument, Item, SafetyRule, Scale, score
from data_contracts.instruments.ipaq_sf import IPAQ_SF
from data_contracts.instruments.isi import ISI
from data_contracts.instruments.oldenburg_burnout_inventory import OLDENBURG_BURNOUT_INVENTORY
from data_contracts.instruments.ompsq_sf import OMPSQ_SF
from data_contracts.instruments.oslo_social_support import OSLO_SOCIAL_SUPPORT
from data_contracts.instruments.pain import PAIN
from data_contracts.instruments.pain_sites import PAIN_SITES
from data_contracts.instruments.phq9 import PHQ9
from data_contracts.instruments.qpsnordic34 import QPSNORDIC_34
from data_contracts.instruments.self_rated_health import SELF_RATED_HEALTH
from data_contracts.instruments.start_back import START_BACK
from data_contracts.instruments.subjective_health_complaints import SUBJECTIVE_HEALTH_COMPLAINTS
from data_contracts.instruments.uwes3 import UWES3
from data_contracts.instruments.wai import WORK_ABILITY_INDEX
from data_contracts.instruments.who5 import WHO5
from data_contracts.instruments.work_ability_score import WORK_ABILITY_SCORE

__all__ = ["CORE", "INSTRUMENTS", "VALID_DAYS", "Band", "Instrument", "Item", "SafetyRule", "Scale", "score"]

INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        COPENHAGEN_BURNOUT_INVENTORY,
        WHO5,
        PHQ9,
        GAD7,
        HSCL10,
        HSCL25,
        WORK_ABILITY_SCORE,
        BERGEN_INSOMNIA_SCALE,
        SUBJECTIVE_HEALTH_COMPLAINTS,
        PAIN_SITES,
        PAIN,
        OSLO_SOCIAL_SUPPORT,
        SELF_RATED_HEALTH,
        AUDIT_C,
        IPAQ_SF,
        FEAR_AVOIDANCE,
        COPING_EXPECTANCY,
        OLDENBURG_BURNOUT_INVENTORY,
        DEMAND_CONTROL_SUPPORT,
        QPSNORDIC_34,
        COPSOQ3_CORE,
        BAT12,
        BAT23,
        UWES3,
        ISI,
        OMPSQ_SF,
        START_BACK,
        WORK_ABILITY_INDEX,
    )
}

CORE = (
    COPENHAGEN_BURNOUT_INVENTORY,
    WHO5,
    HSCL10,
    WORK_ABILITY_SCORE,
    BERGEN_INSOMNIA_SCALE,
    SUBJECTIVE_HEALTH_COMPLAINTS,
    PAIN_SITES,
    OSLO_SOCIAL_SUPPORT,
    SELF_RATED_HEALTH,
    AUDIT_C,
    IPAQ_SF,
    QPSNORDIC_34,
)
"""The recommended set, asked again year after year: what a person's course can be followed by."""

VALID_DAYS = 400
"""For so many days an answer is called current: a survey is yearly, and after this it was not repeated when it should."""
