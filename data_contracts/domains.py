"""The eight domains by which factors are grouped for clinicians, with their Norwegian and English names."""

from __future__ import annotations

from typing import Literal

Domain = Literal[
    "sleep",
    "stress_and_work_environment",
    "mental_health",
    "pain_and_body",
    "physical_activity",
    "diet_and_cardiometabolic",
    "absence_history",
    "life_situation",
]

DOMAIN_LABELS: dict[Domain, dict[str, str]] = {
    "sleep": {"nb": "Søvn", "en": "Sleep"},
    "stress_and_work_environment": {"nb": "Stress og arbeidsmiljø", "en": "Stress and work environment"},
    "mental_health": {"nb": "Psykisk helse", "en": "Mental health"},
    "pain_and_body": {"nb": "Smerte og kropp", "en": "Pain and body"},
    "physical_activity": {"nb": "Fysisk aktivitet", "en": "Physical activity"},
    "diet_and_cardiometabolic": {"nb": "Kosthold og hjerte-kar", "en": "Diet and cardiometabolic"},
    "absence_history": {"nb": "Tidligere fravær", "en": "Absence history"},
    "life_situation": {"nb": "Livssituasjon", "en": "Life situation"},
}
