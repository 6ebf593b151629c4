"""What an answer warns of: every code and its words, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from data_contracts.instruments import VALID_DAYS
from data_contracts.records import Source
from data_contracts.safety import SafetyFlag
from features.workplace_context import VALID_DAYS as CONTEXT_VALID_DAYS


@dataclass(frozen=True)
class Notice:
    """Something the reader of a risk must know; the code is for machines, the message for people."""

    code: str
    message: dict[str, str]


@dataclass(frozen=True)
class SafetyNotice:
    """One answer that a human must look at; the answer itself is not repeated. A day that cannot be read is None."""

    instrument: str
    item: str
    answered_on: date | None
    notice: Notice


def _notice(code: str, nb: str, en: str) -> Notice:
    return Notice(code, {"nb": nb, "en": en})


NOT_ELIGIBLE: dict[str, Notice] = {
    "no consent for any source": _notice(
        "no_consent",
        "Det er ikke gitt samtykke til noen kilde, så ingen risiko er beregnet.",
        "There is no consent for any source, so no risk was computed.",
    ),
    "not employed": _notice(
        "not_employed",
        "Personen er ikke registrert som ansatt på indeksdatoen; modellen gjelder ansatte.",
        "The person is not known to be employed on the index date; the model is about employees.",
    ),
    "age outside 18-70 or unknown": _notice(
        "age_outside_18_70",
        "Alderen er ukjent eller utenfor 18–70 år, der modellen gjelder.",
        "Age is unknown or outside 18 to 70 years, where the model applies.",
    ),
    "washout": _notice(
        "recently_absent",
        "Det er legemeldt fravær i de siste 16 dagene; modellen gjelder nytt fravær.",
        "There is doctor-certified absence in the last 16 days; the model is about new absence.",
    ),
    "no burnout survey in the last 400 days": _notice(
        "no_burnout_survey",
        "Det finnes ikke et fullstendig svar på utbrenthetsskjemaet (CBI) fra de siste 400 dagene.",
        "There is no complete answer to the burnout inventory (CBI) from the last 400 days.",
    ),
    "burnout scale already at 50 or more": _notice(
        "burnout_scale_high",
        "En skala i utbrenthetsskjemaet er allerede på 50 eller mer; modellen gjelder dem som er under. "
        "Svarene kan være et godt utgangspunkt for en samtale.",
        "A scale of the burnout inventory is already at 50 or more; the model is about those below. "
        "The answers may be a good starting point for a conversation.",
    ),
}
"""By the reason that an outcome gives for leaving a person out."""

_SOURCE_NAMES: dict[Source, tuple[str, str]] = {
    "survey": ("spørreskjemaer", "surveys"),
    "lab": ("målinger og prøver", "measurements and samples"),
    "absence": ("fravær", "absence"),
    "employment": ("ansettelse og arbeidsplass", "employment and workplace"),
}

_NAMES_OF_TABLES: dict[str, tuple[str, str, str]] = {
    "survey_answers": ("survey", *_SOURCE_NAMES["survey"]),
    "lab_results": ("lab", *_SOURCE_NAMES["lab"]),
    "absence_spells": ("absence", *_SOURCE_NAMES["absence"]),
    "employments": ("employment", *_SOURCE_NAMES["employment"]),
    "guidance_sessions": ("guidance", "veiledningstimer", "guidance sessions"),
    "workplace_events": ("workplace_events", "hendelser på arbeidsplassen", "events at the workplace"),
}
"""End of the code, and words, for every table that a record may leave out."""

SENT = tuple(_NAMES_OF_TABLES)

STALE_SURVEY_DAYS = VALID_DAYS
"""An older survey has not been repeated when it should."""

NO_SURVEY = _notice(
    "no_survey",
    "Ingen svar på spørreskjema er kjent; risikoen bygger på det øvrige.",
    "No survey answers are known; the risk rests on the rest.",
)
STALE_SURVEY = _notice(
    "stale_survey",
    f"Siste spørreskjema er mer enn {STALE_SURVEY_DAYS} dager gammelt.",
    f"The latest survey is more than {STALE_SURVEY_DAYS} days old.",
)
STALE_WORKPLACE = _notice(
    "stale_workplace",
    f"Modellens tall om andre på arbeidsplassen er mer enn {CONTEXT_VALID_DAYS} dager gamle og er ikke brukt.",
    f"The model's numbers about others at the workplace are more than {CONTEXT_VALID_DAYS} days old and were not used.",
)
LATER_WORKPLACE = _notice(
    "later_workplace",
    "Modellens tall om andre på arbeidsplassen er fra en senere dag enn indeksdatoen og er ikke brukt.",
    "The model's numbers about others at the workplace are of a later day than the index date and were not used.",
)

UNLIKE_TRAINING = _notice(
    "unlike_training_data",
    "Opplysningene ligger på flere områder utenfor det modellen er trent på, så den kan ikke gi et tall for denne personen. "
    "En samtale sier mer.",
    "In several domains the information lies outside what the model was trained on, so it cannot give a number for this "
    "person. A conversation tells more.",
)
TOO_UNCERTAIN = _notice(
    "too_uncertain",
    "Modellen er for usikker her: tallet kunne vært både klart under og klart over referansegruppen, så det er ikke gitt.",
    "The model is too uncertain here: the number could be well below as well as well above the reference group, so it is "
    "not given.",
)


SAFETY = _notice(
    "safety",
    "Et svar kan bety at personen har det svært vanskelig. En kliniker må se på svarene og ta kontakt i dag, uansett hva "
    "risikotallene sier.",
    "An answer may mean that the person is in serious distress. A clinician must look at the answers and get in touch "
    "today, whatever the risks say.",
)


def safety_notice(flag: SafetyFlag) -> SafetyNotice:
    """Say who must do what about an answer."""
    return SafetyNotice(flag.instrument, flag.item, flag.answered_on, SAFETY)


def source_without_consent(source: Source) -> Notice:
    """Say that a source was not used."""
    nb, en = _SOURCE_NAMES[source]
    return _notice(
        f"no_consent_{source}",
        f"Samtykke til {nb} er ikke gitt, så de opplysningene er ikke brukt.",
        f"There is no consent for {en}, so that information was not used.",
    )


def not_sent(table: str, has_washout: bool) -> Notice:
    """Say that a list was not in the record; ``has_washout``: the outcome asks whether the person is absent already."""
    code, nb, en = _NAMES_OF_TABLES[table]
    unchecked_nb, unchecked_en = _NOT_CHECKED if has_washout and table == "absence_spells" else ("", "")
    return _notice(
        f"not_sent_{code}",
        f"Opplysninger om {nb} er ikke sendt, så de er ukjente (en tom liste betyr at ingenting har skjedd).{unchecked_nb}",
        f"Nothing was sent about {en}, so it is unknown (an empty list says that nothing happened).{unchecked_en}",
    )


_NOT_CHECKED = (
    " Det er derfor ikke kontrollert om personen alt er borte fra arbeidet.",
    " So it could not be checked whether the person is absent already.",
)


def outside_training_range(labels_nb: Sequence[str], labels_en: Sequence[str]) -> Notice:
    """Say that values lie outside those the model was trained on."""
    return _notice(
        "outside_training_range",
        f"Utenfor det modellen er trent på, så tallet er mindre sikkert: {'; '.join(labels_nb)}.",
        f"Outside what the model was trained on, so the number is less certain: {'; '.join(labels_en)}.",
    )


def too_little_known(labels_nb: Sequence[str], labels_en: Sequence[str]) -> Notice:
    """Say that no number is given because too little is known, and what would tell the model most."""
    nb, en = _most_important(labels_nb, labels_en)
    return _notice(
        "too_little_known",
        f"For lite er kjent om det modellen bygger på, så den gir ikke noe tall. {nb}",
        f"Too little is known of what the model rests on, so it gives no number. {en}",
    )


def little_known(share: float, labels_nb: Sequence[str], labels_en: Sequence[str]) -> Notice:
    """Say that the number rests on little; ``share`` is what is known of what the model usually rests on."""
    nb, en = _most_important(labels_nb, labels_en)
    return _notice(
        "little_known",
        f"Bare {100 * share:.0f} % av det modellen vanligvis bygger på, er kjent, så tallet sier mer om lignende personer enn "
        f"om denne. {nb}",
        f"Only {share:.0%} of what the model usually rests on is known, so the number says more about similar persons than "
        f"about this one. {en}",
    )


def _most_important(labels_nb: Sequence[str], labels_en: Sequence[str]) -> tuple[str, str]:
    return (
        f"Viktigst av det ukjente: {'; '.join(labels_nb)}.",
        f"Most important of what is not known: {'; '.join(labels_en)}.",
    )
