"""What is not known of a person or no longer current, and what it would take to know more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from data_contracts.analytes import ANALYTES
from features.sheet_layouts import SCALES
from models.explanation import Reason
from serving.clinician.messages import N_
from serving.handlers.profile_bodies import ProfileValue
from serving.notices import Notice

MOST_NAMED = 6

_NO_CONSENT = N_("Samtykket er personens eget valg. Det kan gis, endres og trekkes når som helst.")
_NEW_SURVEY = N_("Be personen svare på spørreskjemaet når det passer.")
_NEW_SAMPLE = N_("Avtal måling eller prøve der det er faglig grunn til det.")
_ASK_SENDER = N_("Be den som leverer opplysningene, om å sende listen.")
_TALK = N_("Bygg på samtalen og på det du vet om personen.")

WHAT_IT_TAKES: Mapping[str, str] = MappingProxyType(
    {
        "no_consent": _NO_CONSENT,
        "not_employed": N_("Kontroller om ansettelsen er registrert riktig."),
        "age_outside_18_70": N_("Kontroller om fødselsåret er registrert riktig."),
        "recently_absent": N_(
            "Et nytt tall kan beregnes når personen har vært tilbake i 16 dager. Følg opp fraværet som vanlig."
        ),
        "no_burnout_survey": _NEW_SURVEY,
        "burnout_scale_high": N_("Snakk med personen om svarene; her trengs ikke noe tall."),
        "no_survey": _NEW_SURVEY,
        "stale_survey": _NEW_SURVEY,
        "stale_workplace": N_("Tallene om andre på arbeidsplassen fornyes når modellen trenes på nytt."),
        "later_workplace": N_("Tallene om andre på arbeidsplassen brukes fra neste beregning."),
        "outside_training_range": N_(
            "Kontroller om verdiene er registrert riktig. Er de det, legg mer vekt på samtalen."
        ),
        "unlike_training_data": _TALK,
        "too_uncertain": N_("Nyere svar og målinger kan gjøre modellen sikrere. Bygg ellers på samtalen."),
        "too_little_known": N_("Et nytt svar eller en ny måling av det som er nevnt, kan gi et tall."),
        "little_known": N_("Et nytt svar eller en ny måling av det som er nevnt, gjør tallet sikrere."),
    }
)
"""By the code of a warning."""

_BY_START: Mapping[str, str] = MappingProxyType({"no_consent_": _NO_CONSENT, "not_sent_": _ASK_SENDER})
_ASKED_OR_MEASURED: Mapping[str, str] = MappingProxyType(
    {scale.name: _NEW_SURVEY for scale in SCALES} | {analyte.name: _NEW_SAMPLE for analyte in ANALYTES}
)


@dataclass(frozen=True)
class Gap:
    """Something that is not known: the texts of a declaration, and what to do about it."""

    message: Mapping[str, str]
    what_it_takes: str


@dataclass(frozen=True)
class Absent:
    """What the model would have used, with what it takes to know it."""

    what_it_takes: str
    labels: tuple[Mapping[str, str], ...]


def gap(notice: Notice) -> Gap:
    """Return a warning with what it takes to be rid of it; KeyError if nobody has said so."""
    by_start = next((text for start, text in _BY_START.items() if notice.code.startswith(start)), None)
    return Gap(notice.message, by_start or WHAT_IT_TAKES[notice.code])


def absent(reasons: Iterable[Reason]) -> tuple[Absent, ...]:
    """Return what is not known though it counts in the model, by what it takes to know it, what counts most first.

    Only what can be asked or measured is named: a development needs two answers, and days since what never was are none.
    """
    found: dict[str, list[Mapping[str, str]]] = {}
    for reason in reasons:
        if reason.missing and reason.contribution and reason.feature in _ASKED_OR_MEASURED:
            what = _NO_CONSENT if reason.without_consent else _ASKED_OR_MEASURED[reason.feature]
            found.setdefault(what, []).append(reason.label)
    return tuple(Absent(what, tuple(labels[:MOST_NAMED])) for what, labels in found.items())


def stale(values: Iterable[ProfileValue]) -> tuple[ProfileValue, ...]:
    """Return what is older than it is called current, the oldest first."""
    return tuple(sorted((one for one in values if one.stale), key=lambda one: one.observed_on)[:MOST_NAMED])
