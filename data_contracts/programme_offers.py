"""What the programme offers, by the domain that it works with: the one declaration, in Norwegian and English.

A domain without an offer has none: nobody can work with the absence that was. Strain at work leads to measures at the
workplace, with the person, before it leads to personal training (founding documents, 001:3947-3950). ``origin`` says where
in the founding documents the offer is named (document:line, as in SEEDS); the texts are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from data_contracts.domains import Domain

Level = Literal["individual", "group", "leader", "organisation"]
Texts = Mapping[str, str]

LEVEL_LABELS: dict[Level, Texts] = {
    "individual": {"nb": "Den enkelte", "en": "Individual"},
    "group": {"nb": "Arbeidsgruppen", "en": "Working group"},
    "leader": {"nb": "Lederen", "en": "Leader"},
    "organisation": {"nb": "Virksomheten", "en": "Organisation"},
}
"""The four levels of measures at work (IGLO; 001:5008-5015)."""


@dataclass(frozen=True)
class Offer:
    """What the programme can offer a person whose profile gives reason to talk about a domain."""

    domain: Domain
    label: Texts
    text: Texts
    origin: str


@dataclass(frozen=True)
class WorkplaceMeasure:
    """What a workplace can do about the factors that some scales ask about; ``level`` says who acts."""

    name: str
    level: Level
    label: Texts
    text: Texts
    scales: tuple[str, ...]
    origin: str


OFFERS: dict[Domain, Offer] = {
    offer.domain: offer
    for offer in (
        Offer(
            domain="sleep",
            label={"nb": "Veiledning om søvn", "en": "Guidance about sleep"},
            text={
                "nb": "Samtaler om døgnrytme, vaner og det som holder våken, med små endringer å prøve ut hjemme.",
                "en": "Talks about daily rhythm, habits and what keeps one awake, with small changes to try at home.",
            },
            origin="000:261-263, 000:298, 000:458",
        ),
        Offer(
            domain="stress_and_work_environment",
            label={"nb": "Tiltak på arbeidsplassen", "en": "Measures at the workplace"},
            text={
                "nb": "Oppgaver, medvirkning, støtte og tilrettelegging, sammen med arbeidsplassen når personen ønsker "
                "det. Veiledning om stress og mestring kommer i tillegg.",
                "en": "Tasks, influence, support and adjustments, together with the workplace if the person wants it. "
                "Guidance about stress and coping comes on top of that.",
            },
            origin="001:3947-3950, 001:3633-3635, 002:267-275, 000:298",
        ),
        Offer(
            domain="mental_health",
            label={"nb": "Veiledning om mestring", "en": "Guidance about coping"},
            text={
                "nb": "Samtaler om det som gir og tar krefter, og om hva som kan gjøre hverdagen lettere. Fastlegen er "
                "med når personen trenger mer.",
                "en": "Talks about what gives and takes energy, and what could make everyday life easier. The general "
                "practitioner joins in where the person needs more.",
            },
            origin="000:298, 000:458, 001:3646-3653, 001:5809-5829",
        ),
        Offer(
            domain="pain_and_body",
            label={"nb": "Veiledning om smerte og bevegelse", "en": "Guidance about pain and movement"},
            text={
                "nb": "Trygg kunnskap om plager i muskler og ledd, og gradvis mer bevegelse, gjerne mens personen er i jobb.",
                "en": "Reassuring knowledge about complaints in muscles and joints, and gradually more movement, at work "
                "where possible.",
            },
            origin="001:515-521, 001:5413, 001:5520-5542",
        ),
        Offer(
            domain="physical_activity",
            label={"nb": "Veiledning om fysisk aktivitet", "en": "Guidance about physical activity"},
            text={
                "nb": "Aktivitet som passer i hverdagen, med mål som personen selv velger.",
                "en": "Activity that fits into everyday life, with goals that the person chooses.",
            },
            origin="000:261-263, 000:298, 000:379-389",
        ),
        Offer(
            domain="diet_and_cardiometabolic",
            label={"nb": "Veiledning om kosthold", "en": "Guidance about diet"},
            text={
                "nb": "Samtaler med kostholdsveileder om mat, drikke og måltider. Legen vurderer prøvesvarene.",
                "en": "Talks with the dietary adviser about food, drink and meals. The doctor assesses the test results.",
            },
            origin="000:261-263, 000:298, 000:379-389",
        ),
    )
}

WORKPLACE_MEASURES: tuple[WorkplaceMeasure, ...] = (
    WorkplaceMeasure(
        name="workload",
        level="organisation",
        label={"nb": "Gå gjennom oppgaver, tempo og bemanning", "en": "Review tasks, pace and staffing"},
        text={
            "nb": "Kartlegg hva som tar mest tid, bli enige om hva som kan vente, og gi rom for å hente seg inn.",
            "en": "Find out what takes most time, agree on what can wait, and make room to recover.",
        },
        scales=(
            "dcsq_demands", "copsoq3_quantitative_demands", "copsoq3_work_pace", "cbi_work", "cbi_personal",
            "olbi_exhaustion", "olbi_total", "bat12_core", "bat12_exhaustion", "bat12_cognitive", "bat23_core",
            "bat23_exhaustion", "bat23_cognitive",
        ),
        origin="002:117-119, 002:277-279, 001:3635-3641, 001:3676-3678",
    ),
    WorkplaceMeasure(
        name="influence",
        level="group",
        label={"nb": "Gi mer innflytelse over arbeidsdagen", "en": "Give more influence over the working day"},
        text={
            "nb": "La gruppen selv foreslå hvordan oppgaver fordeles, og hva den enkelte kan bestemme og lære.",
            "en": "Let the group suggest how tasks are shared, and what each can decide and learn.",
        },
        scales=(
            "dcsq_decision_latitude", "qpsnordic34_control", "copsoq3_influence", "copsoq3_possibilities_for_development",
            "copsoq3_meaning_of_work", "copsoq3_job_satisfaction", "olbi_disengagement", "bat12_mental_distance",
            "bat23_mental_distance", "uwes3_engagement",
        ),
        origin="001:3934-3942, 001:5185-5186",
    ),
    WorkplaceMeasure(
        name="clear_roles",
        level="leader",
        label={"nb": "Avklar mål, roller og forventninger", "en": "Clarify goals, roles and expectations"},
        text={
            "nb": "Ta faste samtaler om hva som er viktigst nå, og rydd i krav som peker i hver sin retning.",
            "en": "Talk regularly about what matters most now, and sort out demands that point in different directions.",
        },
        scales=("qpsnordic34_role_clarity", "copsoq3_role_clarity", "copsoq3_role_conflicts"),
        origin="001:3676-3678, 001:3934-3942",
    ),
    WorkplaceMeasure(
        name="leader_support",
        level="leader",
        label={"nb": "Gi lederne tid og trening til å støtte", "en": "Give leaders time and training to support"},
        text={
            "nb": "Sett av tid til å være til stede, spørre og gi tilbakemelding. Stabil ledelse er en støtte i seg selv.",
            "en": "Set time aside to be present, ask and give feedback. Stable leadership is a support in itself.",
        },
        scales=(
            "qpsnordic34_support_from_superior", "qpsnordic34_empowering_leadership", "copsoq3_support_from_supervisor",
            "copsoq3_quality_of_leadership", "copsoq3_recognition",
        ),
        origin="001:3917-3923, 002:281-297",
    ),
    WorkplaceMeasure(
        name="colleague_support",
        level="group",
        label={"nb": "Styrk støtten mellom kolleger", "en": "Strengthen support between colleagues"},
        text={
            "nb": "Lag møteplasser der det er lett å spørre om hjelp, og snakk sammen etter krevende situasjoner.",
            "en": "Make meeting places where asking for help is easy, and talk together after demanding situations.",
        },
        scales=(
            "dcsq_support", "copsoq3_support_from_colleagues", "copsoq3_sense_of_community", "copsoq3_emotional_demands",
            "cbi_client", "bat12_emotional", "bat23_emotional",
        ),
        origin="001:3917-3923, 001:3934-3942, 002:281-287",
    ),
    WorkplaceMeasure(
        name="predictability",
        level="organisation",
        label={"nb": "Gi forutsigbarhet og åpenhet om endringer", "en": "Be predictable and open about changes"},
        text={
            "nb": "Fortell tidlig om det som er bestemt og det som er åpent, og la ansatte medvirke før det avgjøres.",
            "en": "Tell early what is decided and what is open, and let employees take part before it is settled.",
        },
        scales=(
            "copsoq3_predictability", "copsoq3_job_insecurity", "copsoq3_insecurity_over_working_conditions",
            "copsoq3_vertical_trust", "copsoq3_organisational_justice",
        ),
        origin="001:3934-3942, 001:3676-3678",
    ),
    WorkplaceMeasure(
        name="adjustments",
        level="individual",
        label={"nb": "Tilrettelegg i samråd med den enkelte", "en": "Adjust the work together with the individual"},
        text={
            "nb": "Tilby tilpassede oppgaver, tider og arbeidsplass tidlig, og avtal når det skal ses på igjen.",
            "en": "Offer adapted tasks, hours and workplace early, and agree when to look at it again.",
        },
        scales=("was_work_ability", "wai_work_ability_index", "copsoq3_work_life_conflict"),
        origin="002:267-279, 001:3602-3605",
    ),
    WorkplaceMeasure(
        name="shared_knowledge",
        level="group",
        label={"nb": "Felles kunnskap om helse og mestring", "en": "Shared knowledge about health and coping"},
        text={
            "nb": "Hold programmets samlinger for alle ansatte og ledere: vanlige plager, trygghet og mestring i jobb.",
            "en": "Hold the programme's meetings for all employees and leaders: common complaints, safety and coping at work.",
        },
        scales=("coping_expectancy",),
        origin="001:538-541, 001:554-581, 001:6578-6593",
    ),
)  # fmt: skip
"""Every scale of the work environment that can be worked with is named by exactly one of them."""


def offer_for(domain: Domain) -> Offer | None:
    """Return the offer of a domain, None where the programme has none."""
    return OFFERS.get(domain)


def measure_for(scale: str) -> WorkplaceMeasure | None:
    """Return what a workplace can do about the factor of a scale, None for scales that are not about work."""
    return _MEASURES.get(scale)


_MEASURES = {scale: measure for measure in WORKPLACE_MEASURES for scale in measure.scales}
