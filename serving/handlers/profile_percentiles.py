"""How many of 100 like persons score lower on a scale: of the programme by sex and age, else of a published population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from data_contracts.instruments.instrument import Sex
from data_contracts.published_norms import Norm, norm_of
from models.scale_norms import own_percentile
from serving.handlers.profile_bodies import NormBody, Percentile
from serving.predictor import Predictor
from serving.responses import Texts

FIRST = "long_sick_leave"
"""The outcome whose model is asked first: the most persons have a label of it."""

_IS_FEMALE: Mapping[Sex | None, int] = {"male": 0, "female": 1, None: -1}
_PUBLISHED = {
    "female": Texts(nb="kvinner i en publisert befolkning", en="women of a published population"),
    "male": Texts(nb="menn i en publisert befolkning", en="men of a published population"),
}


class NormsInService(NamedTuple):
    """How the training persons of a model in service answered, and whether they are simulated."""

    outcome: str
    norms: Mapping[str, Any]
    synthetic: bool


def norms_in_service(predictor: Predictor | None) -> NormsInService | Literal["no_model", "no_norm"]:
    """Return the norms of the first model that has some; models trained before there were any have none."""
    if predictor is None:
        return "no_model"
    for outcome in sorted(predictor.served, key=lambda name: name != FIRST):
        one = predictor.served[outcome]
        if "scale_norms" in one.model.facts:
            return NormsInService(outcome, one.model.facts["scale_norms"], one.body.synthetic)
    return "no_norm"


def percentile(scale: str, score: float, sex: Sex | None, age: float, predictor: Predictor | None) -> Percentile:
    """Return the percentile of a score: the programme's own knows sex and age, a published one at most sex."""
    own, norm = norms_in_service(predictor), norm_of(scale, sex)
    about = None if norm is None else _about(norm)
    found = own if isinstance(own, str) else own_percentile(own.norms, scale, score, _IS_FEMALE[sex], age)
    if not isinstance(found, str) and not isinstance(own, str):
        nb, en = f"{found.group.label['nb']} i programmet", f"{found.group.label['en']} in the programme"
        made_up = "SYNTHETIC · " if own.synthetic else ""
        people = Texts(nb=made_up + nb, en=made_up + en)
        return Percentile(
            value=found.value, why_not=None, kind="programme", population=people, synthetic=own.synthetic, norm=about
        )
    published = None if norm is None else norm.percentile(score)
    if published is not None and norm is not None and norm.sex is not None:
        people = _PUBLISHED[norm.sex]
        value = min(95, max(5, 5 * round(published / 5)))
        return Percentile(value=value, why_not=None, kind="published", population=people, synthetic=False, norm=about)
    why_not = found if isinstance(found, str) else None
    return Percentile(value=None, why_not=why_not, kind=None, population=None, synthetic=None, norm=about)


def _about(norm: Norm) -> NormBody:
    return NormBody(
        population=norm.population, persons=norm.persons, sex=norm.sex, mean=norm.mean, sd=norm.sd, source=norm.source,
        why_no_percentile=norm.why_no_percentile,
    )  # fmt: skip
