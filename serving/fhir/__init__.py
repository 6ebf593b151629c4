"""FHIR R4 at the door: a Bundle about one person in, RiskAssessments out."""
