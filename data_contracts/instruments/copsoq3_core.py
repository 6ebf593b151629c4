"""Copenhagen Psychosocial Questionnaire III (COPSOQ III): the 32 core items that every national version contains."""

from __future__ import annotations

from data_contracts.domains import Domain
from data_contracts.instruments.instrument import Instrument, Item, Scale

_CODES = (0.0, 25.0, 50.0, 75.0, 100.0)


def _dimension(
    name: str,
    *items: str,
    label_nb: str,
    label_en: str,
    higher_is_worse: bool = False,
    domain: Domain = "stress_and_work_environment",
    modifiable: bool = True,
) -> Scale:
    return Scale(
        name=f"copsoq3_{name}",
        items=items,
        method="mean",
        # At least half: one of one, one of two.
        fewest_answers=(len(items) + 1) // 2,
        minimum=0,
        maximum=100,
        higher_is_worse=higher_is_worse,
        domain=domain,
        modifiable=modifiable,
        label_nb=label_nb,
        label_en=label_en,
    )


_DIMENSIONS = (
    _dimension("quantitative_demands", "QD2", "QD3",
               label_nb="Arbeidsmengde", label_en="Amount of work", higher_is_worse=True),
    _dimension("work_pace", "WP1", "WP2",
               label_nb="Arbeidstempo", label_en="Pace of work", higher_is_worse=True),
    _dimension("emotional_demands", "EDX2", "ED3",
               label_nb="Følelsesmessige krav", label_en="Emotional demands", higher_is_worse=True),
    _dimension("influence", "INX1",
               label_nb="Innflytelse i arbeidet", label_en="Influence at work"),
    _dimension("possibilities_for_development", "PD2", "PD3",
               label_nb="Muligheter for utvikling", label_en="Possibilities for development"),
    _dimension("meaning_of_work", "MW1",
               label_nb="Mening i arbeidet", label_en="Meaning of work"),
    _dimension("predictability", "PR1", "PR2",
               label_nb="Forutsigbarhet", label_en="Predictability"),
    _dimension("recognition", "RE1",
               label_nb="Anerkjennelse", label_en="Recognition"),
    _dimension("role_clarity", "CL1",
               label_nb="Tydelig rolle", label_en="Clear role"),
    _dimension("role_conflicts", "CO2", "CO3",
               label_nb="Motstridende krav", label_en="Conflicting demands", higher_is_worse=True),
    _dimension("quality_of_leadership", "QL3", "QL4",
               label_nb="Kvalitet på ledelsen", label_en="Quality of leadership"),
    _dimension("support_from_supervisor", "SSX2",
               label_nb="Støtte fra leder", label_en="Support from the supervisor"),
    _dimension("support_from_colleagues", "SCX1",
               label_nb="Støtte fra kolleger", label_en="Support from colleagues"),
    _dimension("sense_of_community", "SW1",
               label_nb="Fellesskap på jobb", label_en="Fellowship at work"),
    _dimension("job_insecurity", "JI1", "JI3",
               label_nb="Usikkerhet om jobben", label_en="Uncertainty about the job", higher_is_worse=True),
    _dimension("insecurity_over_working_conditions", "IW1",
               label_nb="Usikkerhet om arbeidsforholdene", label_en="Uncertainty about working conditions",
               higher_is_worse=True),
    _dimension("job_satisfaction", "JS4",
               label_nb="Tilfredshet med jobben", label_en="Satisfaction with the job"),
    _dimension("work_life_conflict", "WF2", "WF3",
               label_nb="Jobb som tar tid og krefter fra privatlivet",
               label_en="Work that takes time and energy from private life", higher_is_worse=True),
    _dimension("vertical_trust", "TM1", "TMX2",
               label_nb="Tillit mellom ledelse og ansatte", label_en="Trust between management and employees"),
    _dimension("organisational_justice", "JU1", "JU4",
               label_nb="Rettferdighet på arbeidsplassen", label_en="Fairness at the workplace"),
    _dimension("self_rated_health", "GH1",
               label_nb="Egenvurdert helse, 0 til 100", label_en="Self-rated health, 0 to 100",
               domain="life_situation", modifiable=False),
)  # fmt: skip

COPSOQ3_CORE = Instrument(
    name="copsoq3_core",
    title="Copenhagen Psychosocial Questionnaire III, core items",
    items=tuple(Item(item, _CODES) for scale in _DIMENSIONS for item in scale.items),
    scales=_DIMENSIONS,
    coding=(
        "0 = least, 100 = most of what the dimension is named after: always, to a very large extent, very satisfied, "
        "excellent; a source where 100 is never must send 100 minus the answer. Item ids are those of the COPSOQ "
        "network. Having no supervisor, or no colleagues, is no answer."
    ),
    licence=(
        "CC BY-NC-ND 4.0, commercial use allowed under the COPSOQ network's guidelines: no change to the questions, no fee "
        "for the form, anonymity."
    ),
    source=(
        "Burr H, Berthelsen H, Moncada S, et al. Saf Health Work 2019;10:482-503. Core level of each item as in the "
        "public repository mem-memov/copsoq3 at 509c8a9, but without QD4: that one is at long level in the supplement "
        "of Berthelsen H, et al. Int J Environ Res Public Health 2020;17:3179, which was at hand for demands and pace "
        "only. At least half answered, and meaning of the codes: recalled."
    ),
)
