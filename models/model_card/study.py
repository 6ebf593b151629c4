"""What only the study team can know, from an optional YAML file that they fill."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_contracts.errors import SettingsError
from data_contracts.national_identity_number import contains


class Study(BaseModel):
    """Facts of the study around the model; each is free text, and each may be left out."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=4000)

    abstract: str = Field(default="", description="structured abstract, or where it is")
    health_inequalities: str = Field(default="", description="known inequalities in the population of use")
    data_sources: str = Field(default="", description="where the data come from, why these, whom they represent")
    representativeness: str = Field(
        default="", description="how the persons in the data differ from those of intended use"
    )
    setting: str = Field(default="", description="firms, industries, regions, number of sites")
    treatments: str = Field(default="", description="offers that participants had during follow-up")
    outcome_assessors: str = Field(default="", description="who assessed the outcome, if anybody did")
    predictor_assessors: str = Field(default="", description="who assessed predictors, if anybody did")
    characteristics: str = Field(default="", description="where the table of characteristics is")
    predictor_distributions: str = Field(default="", description="where development and evaluation data are compared")
    ethics_approval: str = Field(default="", description="committee, number, and consent or waiver")
    funding: str = Field(default="", description="who paid, and their role")
    conflicts_of_interest: str = Field(default="", description="of every author, or none")
    protocol: str = Field(default="", description="where it is, or that there is none")
    registration: str = Field(default="", description="register and number, or not registered")
    data_sharing: str = Field(default="", description="who can get the data, and how")
    code_sharing: str = Field(default="", description="where the code is")
    patient_involvement: str = Field(default="", description="of employees or patients, or none")
    interpretation: str = Field(default="", description="the team's own reading of the results")
    next_steps: str = Field(default="", description="planned research")
    provider: str = Field(default="", description="name and address of the provider under the AI Act")
    risk_management: str = Field(default="", description="where the risk file is (Article 9)")
    standards: str = Field(default="", description="standards that are followed")
    conformity: str = Field(default="", description="declaration of conformity, or that there is none")
    post_market: str = Field(default="", description="plan for following performance in use (Article 72)")


def read_study(path: Path) -> dict[str, str]:
    """Read the study team's file; nothing if there is none.

    Returns
    -------
    dict of the lines that are filled in

    Raises
    ------
    SettingsError
        No YAML, an unknown key, something else than text, or an identity number in it.
    """
    if not path.exists():
        return {}
    try:
        lines = Study.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SettingsError(
            f"{path}: not valid YAML in UTF-8. Each line is a key of docs/model_card.md and a text."
        ) from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"{path}: {faults}. The keys are in docs/model_card.md.") from None
    filled = {name: text for name, text in lines.model_dump().items() if text}
    for name, text in filled.items():
        if contains(text):
            raise SettingsError(f"{path}: {name} holds what looks like a national identity number. Take it out.")
    return filled
