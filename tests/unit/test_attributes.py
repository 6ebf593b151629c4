from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES
from models.evaluation.attributes import ATTRIBUTES, COLUMNS, NOT_KNOWN
from tests.lib.groups_of_persons import rows_by_group

ROWS = rows_by_group(60, rows_each=1)
BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}


def group(attribute: str, **values: float) -> str:
    """The group of a row with these values."""
    X = ROWS.X[:1].copy()
    for name, value in values.items():
        X[0, FEATURE_NAMES.index(name)] = value
    (place,) = BY_NAME[attribute].of(replace(ROWS.take(np.array([0])), X=X))
    return "not known" if place == NOT_KNOWN else BY_NAME[attribute].groups[place].name


@pytest.mark.parametrize(
    ("attribute", "values", "expected"),
    [
        ("sex", {"is_female": 1}, "female"),
        ("sex", {"is_female": np.nan}, "not known"),
        ("age", {"age_years": 29}, "18-29"),
        ("age", {"age_years": 30}, "30-39"),
        ("age", {"age_years": 70}, "60-70"),
        ("age", {"age_years": np.nan}, "not known"),
        ("education", {"education": 1}, "basic"),
        ("education", {"education": np.nan}, "not known"),
        ("position", {"position_percent": 100}, "full_time"),
        ("position", {"position_percent": 99}, "part_time"),
        ("position", {"position_percent": np.nan}, "not known"),
        ("industry", {"industry_office": 1}, "office"),
        ("industry", {"industry_office": 0}, "other"),
        ("industry", {"industry_office": np.nan}, "not known"),
        ("occupation", {"occupation_manual": 1}, "manual"),
        ("survey", {"survey_days_730": 1, "days_since_survey": 9}, "known"),
        ("survey", {"survey_days_730": 0, "days_since_survey": np.nan}, "unanswered"),
        ("survey", {"survey_days_730": np.nan, "days_since_survey": np.nan}, "no_consent"),
        ("labs", {"analytes_measured_730": 3}, "known"),
        ("labs", {"analytes_measured_730": 0}, "unmeasured"),
        ("labs", {"analytes_measured_730": np.nan}, "no_consent"),
        ("absence_data", {"days_doctor_365": 0}, "known"),
        ("absence_data", {"days_doctor_365": np.nan}, "no_consent"),
    ],
)
def test_a_row_is_in_the_group_that_its_features_say(attribute, values, expected):
    assert group(attribute, **values) == expected


@pytest.mark.parametrize(
    ("others", "company", "expected"),
    [
        (np.nan, 0, "under_11"),
        (10, 0, "11-49"),
        (48, 0, "11-49"),
        (49, 0, "50+"),
        (49, -1, "not known"),
        (np.nan, -1, "not known"),
    ],
)
def test_the_size_of_a_company_is_all_who_take_part_there_whoever_was_held_out(others, company, expected):
    X = ROWS.X[:1].copy()
    X[0, FEATURE_NAMES.index("company_persons")] = others
    attribute = BY_NAME["company_participants"]
    (place,) = attribute.of(replace(ROWS.take(np.array([0])), X=X, company=np.array([company])))
    assert (attribute.groups[place].name if place >= 0 else "not known") == expected


def test_every_feature_that_an_attribute_reads_is_declared():
    few = replace(ROWS, feature_names=COLUMNS, X=np.stack([ROWS.column(name) for name in COLUMNS], axis=1))
    for attribute in ATTRIBUTES:
        assert np.array_equal(attribute.of(few), attribute.of(ROWS)), attribute.name
