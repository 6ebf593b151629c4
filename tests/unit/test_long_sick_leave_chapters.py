"""Long sick leave of one chapter, countable by hand. t is 2024-03-01; its horizon is 2024-03-01..2025-02-28."""

from datetime import date

import numpy as np
import pytest

from models.outcomes import OUTCOMES
from models.outcomes.outcome import Labels, Status
from models.row_accounts import row_weights
from models.training_set import TrainingSet, build_training_set
from tests.lib.cohorts import LATE, T, cohort, consents, first_reason, labels
from tests.lib.records import Row, day, job, person, spell, tables

MENTAL, MUSCULOSKELETAL = OUTCOMES["long_sick_leave_mental"], OUTCOMES["long_sick_leave_musculoskeletal"]
ANY = OUTCOMES["long_sick_leave"]


def leave(first: str, days: int, diagnosis: str | None, **others) -> Row:
    return spell(first, day(first, days - 1), spell_id=f"{first}{diagnosis}", diagnosis=diagnosis, **others)


def found(*spells: Row, outcome=MENTAL, **others) -> Labels:
    return labels(outcome, cohort(*spells, **others))


def y(*spells: Row, outcome=MENTAL) -> float:
    return float(found(*spells, outcome=outcome).y[0])


@pytest.mark.parametrize(("diagnosis", "mental", "musculoskeletal"), [
    ("P76", 1.0, 0.0), ("P", 1.0, 0.0), ("L03", 0.0, 1.0), ("R74", 0.0, 0.0), ("W78", 0.0, 0.0),
])  # fmt: skip
def test_the_chapter_decides_and_any_leave_counts_them_all(diagnosis, mental, musculoskeletal):
    one = leave("2024-06-01", 17, diagnosis)
    assert [y(one), y(one, outcome=MUSCULOSKELETAL), y(one, outcome=ANY)] == [mental, musculoskeletal, 1.0]


def test_icd10_codes_are_converted():
    assert y(leave("2024-06-01", 20, "F32.1", diagnosis_system="ICD-10")) == 1.0
    assert y(leave("2024-06-01", 20, "M54.5", diagnosis_system="ICD-10"), outcome=MUSCULOSKELETAL) == 1.0


@pytest.mark.parametrize(("days", "expected"), [(16, 0.0), (17, 1.0)])
def test_the_length_is_that_of_the_episode(days, expected):
    assert y(leave("2024-06-01", days, "P76")) == expected
    split = leave("2024-06-01", 8, "P76"), leave("2024-06-15", days - 8, "P76")
    assert y(*split) == expected


def test_the_first_certificate_decides_and_a_later_change_of_diagnosis_does_not():
    back_first = leave("2024-06-01", 5, "L03"), leave("2024-06-06", 40, "P76")
    assert [y(*back_first), y(*back_first, outcome=MUSCULOSKELETAL)] == [0.0, 1.0]


def test_a_first_certificate_without_diagnosis_leaves_it_to_the_next():
    assert y(leave("2024-06-01", 5, None), leave("2024-06-06", 20, "P76")) == 1.0
    assert y(leave("2024-06-01", 5, None), leave("2024-06-06", 20, "L03")) == 0.0


def test_of_two_certificates_that_begin_together_either_makes_it_of_its_chapter():
    both = leave("2024-06-01", 20, "P76", grade_percent=50), leave("2024-06-01", 20, "L03", grade_percent=50)
    assert [y(*both), y(*both, outcome=MUSCULOSKELETAL)] == [1.0, 1.0]


def test_a_self_certified_page_says_nothing_of_the_chapter():
    own = leave("2024-06-02", 3, "L03", kind="self_certified")
    assert y(leave("2024-06-01", 5, None), own, leave("2024-06-06", 20, "P76")) == 1.0


def test_a_corrected_diagnosis_counts():
    first = leave("2024-06-01", 20, "L03") | {"spell_id": "A"}
    assert y(first, first | {"diagnosis": "P76", "known_from": "2024-07-01"}) == 1.0


# --- unknown diagnosis ---------------------------------------------------------------------------------------------


def test_a_long_leave_without_diagnosis_is_not_observed_and_no_zero():
    labelled = found(leave("2024-06-01", 20, None))
    assert (labelled.status.tolist(), labelled.followed_days.tolist()) == ([Status.NOT_OBSERVED], [92])
    assert np.isnan(labelled.y).all()
    assert y(leave("2024-06-01", 20, None), outcome=ANY) == 1.0


def test_a_short_leave_without_diagnosis_changes_nothing():
    assert y(leave("2024-06-01", 16, None)) == 0.0


def test_a_known_event_counts_whatever_another_one_was_and_has_its_own_day():
    known, earlier, later = leave("2024-06-01", 20, "P76"), leave("2024-04-01", 20, None), leave("2024-09-01", 20, None)
    for spells in ((known, later), (earlier, known), (earlier, known, later)):
        event = found(*spells)
        assert (event.status.tolist(), event.y.tolist()) == ([Status.OBSERVED], [1.0])
        assert event.followed_days.tolist() == [92]
        assert event.needs_diagnosis.tolist() == [False], "it could not have been lost by the other"
    assert found(known).needs_diagnosis.tolist() == [True]


def test_an_unknown_one_beside_one_of_another_chapter_may_be_the_event():
    other, unknown = leave("2024-04-01", 20, "L03"), leave("2024-09-01", 20, None)
    lost = found(other, unknown)
    assert (lost.status.tolist(), lost.followed_days.tolist()) == ([Status.NOT_OBSERVED], [184])
    assert lost.needs_diagnosis.tolist() == [True]
    assert y(other, unknown, outcome=MUSCULOSKELETAL) == 1.0


def test_a_known_event_after_leaving_does_not_save_the_label():
    left = (job(), job(end="2024-05-01", known_from="2024-05-01"))
    lost = found(leave("2024-04-01", 20, None), leave("2024-06-01", 20, "P76"), jobs=left)
    assert (lost.status.tolist(), lost.followed_days.tolist()) == ([Status.NOT_OBSERVED], [31])


def test_an_unknown_one_after_leaving_is_not_seen():
    left = (job(), job(end="2024-05-01", known_from="2024-05-01"))
    assert found(leave("2024-06-01", 20, None), jobs=left).status.tolist() == [Status.CENSORED]


def test_only_labels_that_hang_on_a_diagnosis_say_so():
    none, other = found(), found(leave("2024-06-01", 20, "L03"))
    assert [none.needs_diagnosis.tolist(), other.needs_diagnosis.tolist()] == [[False], [True]]
    assert found(leave("2024-06-01", 20, "L03"), outcome=ANY).needs_diagnosis.tolist() == [False]


def firm(without_diagnosis: int) -> TrainingSet:
    """Ten who fall ill for long, half of them of the mind, and ten who do not; of some nobody knows the diagnosis."""
    names = [f"p{number:02}" for number in range(20)]
    codes = [None] * without_diagnosis + ["P76", "L03"] * 5
    spells = [leave("2024-06-01", 20, code, person_id=name) for name, code in zip(names[:10], codes, strict=False)]
    rows = cohort(
        *[one | {"spell_id": one["person_id"]} for one in spells], jobs=tuple(job(person_id=name) for name in names),
        persons=[person(name) for name in names], consents=[row for name in names for row in consents(name)],
    )  # fmt: skip
    return build_training_set(tables(rows), MENTAL, [date.fromisoformat(T)], date.fromisoformat(LATE))


def test_those_with_a_diagnosis_stand_for_those_without():
    """Four of ten have none: the six others count 10/6 each. Dropped in silence, 3 events of 16 rows are left, not of 20."""
    complete, partial = firm(0), firm(4)
    assert np.average(complete.y, weights=complete.weight) == 5 / 20
    observed = partial.observed
    assert observed.sum() == 16
    assert np.average(partial.y[observed], weights=partial.weight[observed]) == pytest.approx(5 / 20)
    assert partial.weight.sum() == pytest.approx(20)
    assert sorted(set(np.round(partial.weight, 6).tolist())) == [0.0, 1.0, round(10 / 6, 6)]


def test_an_unknown_one_comes_before_a_leaving_on_the_same_day():
    """On day 5 one is lost and one of the other two leaves: the third stands for two, the lost one for nobody."""
    known = Labels(
        status=np.array([Status.NOT_OBSERVED, Status.CENSORED, Status.OBSERVED]), y=np.array([np.nan, np.nan, 0.0]),
        followed_days=np.array([5, 5, 365]), needs_diagnosis=np.array([True, False, False]),
    )  # fmt: skip
    assert row_weights(MENTAL, known, np.zeros((3, 0)), np.zeros(3, int)).tolist() == [0.0, 0.0, 2.0]


def test_the_flow_counts_name_who_lost_the_label_and_why():
    flow = firm(4).flow
    assert [flow["left employment"], flow["diagnosis of a long absence not known"]] == [0, 4]
    assert [flow["no event"], flow["event"], sum(flow.values())] == [13, 3, 20]


def test_without_any_diagnosis_no_event_is_invented():
    """An employer's own register has no diagnoses: whoever was long away is unknown, the others are 0."""
    nothing = firm(10)
    assert nothing.flow["event"] == 0
    assert nothing.flow["diagnosis of a long absence not known"] == 10
    assert nothing.weight.max() == 1.0


def test_washout_and_words():
    assert first_reason(MENTAL, cohort(leave("2024-02-01", 20, "L03"))) == "washout"
    assert MENTAL.label_en == "Sick leave of more than 16 days for mental health"
    assert MUSCULOSKELETAL.label_nb == "Sykefravær over 16 dager for muskel og skjelett"
