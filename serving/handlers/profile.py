"""POST /v1/profile: what is known of a person by domain; no model reckons with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Literal

from data_contracts.analytes import ANALYTES
from data_contracts.consent import SOURCES
from data_contracts.domains import DOMAIN_LABELS, Domain
from data_contracts.instruments import CORE
from data_contracts.records import Source
from data_contracts.tables import Table
from data_contracts.time_windows import latest_index_date
from features.catalogue import feature
from features.record import tables_of_record
from serving import problems
from serving.call import Basis, Call
from serving.case import Case
from serving.domain_scores import FEWEST_DOMAINS, domain_index, health_index
from serving.handlers.profile_bodies import DomainProfile, Index, Missing, ProfileRequest, ProfileResponse, ProfileValue
from serving.handlers.profile_measurements import measurements
from serving.handlers.profile_percentiles import norms_in_service
from serving.handlers.profile_scales import scales
from serving.handlers.subjects import person_of
from serving.predictor import Predictor, case_of
from serving.problems import Refused
from serving.responses import Texts

_EXPECTED: tuple[tuple[str, Literal["scale", "measurement"]], ...] = (
    *((scale.name, "scale") for instrument in CORE for scale in instrument.scales),
    *((analyte.name, "measurement") for analyte in ANALYTES if analyte.followed),
)
"""What the programme asks and measures again: nothing known of it is worth a word."""


NO_RISK = Texts(
    nb="Dette er svar og målinger slik de er, ikke en risiko: ingen modell har regnet på dem, og de sier ikke hva som kommer.",
    en="These are answers and measurements as they are, not a risk: no model has reckoned with them, and they do not say what "
    "is to come.",
)


def basis(call: Call) -> Basis:
    """Return the model whose training persons the scores are compared with, if one is in service, and the record."""
    own = norms_in_service(call.predictor)
    if call.predictor is None or isinstance(own, str):
        return (), call.sent
    return (dict(zip(call.predictor.models, call.predictor.named, strict=True))[own.outcome],), call.sent


def profile(call: Call) -> ProfileResponse:
    """Scales and measurements of a record by domain."""
    request: ProfileRequest = call.body
    if request.index_date > latest_index_date():
        last = latest_index_date().isoformat()
        raise Refused(problems.flagged(problems.index_date_too_late(last), request.record))
    tables = tables_of_record(request.record, call.today)
    withdrawn = call.parts.withdrawals.of(person_of(request.record))
    case = case_of(tables, request.index_date, call.today, withdrawn)
    domains = domain_profiles(case, tables, call.predictor)
    found = health_index(domains)
    return ProfileResponse(
        index_date=request.index_date,
        safety_flags=case.safety_flags,
        consents=dict(zip(SOURCES, case.consented.tolist(), strict=True)),
        domains=domains,
        index=Index(value=found.value, domains=len(found.domains), fewest_domains=FEWEST_DOMAINS),
        statement=NO_RISK,
    )


def domain_profiles(
    case: Case, tables: dict[str, Table], predictor: Predictor | None = None
) -> tuple[DomainProfile, ...]:
    """Return what is known of a person, and what is not, by domain.

    Parameters
    ----------
    case : Case
        What may be used on the index date.
    tables : dict of Table
        Those of the case, for the laboratories' own intervals.
    predictor : Predictor, optional
        The models in service, for percentiles.
    """
    values = list(chain(scales(case, predictor), measurements(case, tables)))
    missing = list(_missing(case, {one.name for one in values}))
    return tuple(_domain(domain, values, missing) for domain in DOMAIN_LABELS)


def _domain(domain: Domain, values: list[ProfileValue], missing: list[Missing]) -> DomainProfile:
    mine = tuple(one for one in values if feature(one.name).domain == domain)
    found = domain_index(domain, mine)
    return DomainProfile(
        domain=domain,
        label=Texts(**DOMAIN_LABELS[domain]),
        score=None if found is None else found.value,
        score_of=() if found is None else found.scales,
        values=mine,
        missing=tuple(one for one in missing if feature(one.name).domain == domain),
    )


def _missing(case: Case, known: set[str]) -> Iterator[Missing]:
    for name, kind in _EXPECTED:
        if name not in known:
            one, source = feature(name), _SOURCE_OF[kind]
            label = Texts(nb=one.label_nb, en=one.label_en)
            yield Missing(name=name, kind=kind, label=label, reason=_why(case, source))


_SOURCE_OF: dict[str, Source] = {"scale": "survey", "measurement": "lab"}


def _why(case: Case, source: Source) -> Literal["no_consent", "not_observed", "not_sent"]:
    if not case.consented[SOURCES.index(source)]:
        return "no_consent"
    return "not_observed" if case.told(source) else "not_sent"
