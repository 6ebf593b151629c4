from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from data_contracts.errors import MissingInputError, NotEnoughDataError
from data_contracts.time_windows import NO_DAY, day_number
from features.build import build_features
from features.catalogue import FEATURE_NAMES
from models.cohorts import RESPONSE_FEATURES
from models.outcomes import OUTCOMES
from models.row_accounts import exits_note
from models.training_set import TrainingSet, build_training_set, index_dates
from tests.lib.cohorts import LATE, cohort, consents, inventory, known
from tests.lib.records import Rows, job, person, spell, tables

DATES = [date(2023, 12, 1), date(2024, 3, 1), date(2024, 9, 1), date(2025, 9, 1)]
LONG = OUTCOMES["long_sick_leave"]


def firm() -> Rows:
    """Five persons: one falls ill, one leaves, one is absent at an index date, one has no consent, one has no job."""
    names = ["ill", "leaver", "absent", "refuser", "jobless"]
    absences = [
        spell("2024-10-01", "2024-11-15", person_id="ill"),
        spell("2024-02-01", "2024-02-28", spell_id="B", person_id="absent"),
    ]
    jobs = [job(person_id=name) for name in names[:4]]
    jobs.append(job(person_id="leaver", end="2024-06-30", known_from="2024-06-30"))
    surveys = [row for name in names[:3] for row in inventory("2024-01-15", 25, 25, person_id=name)]
    surveys += inventory("2025-01-15", 75, 25, person_id="ill")
    return cohort(
        *absences,
        jobs=tuple(jobs),
        surveys=tuple(surveys),
        persons=[person(name) for name in names],
        consents=[row for name in names if name != "refuser" for row in consents(name)],
    )


def built(outcome: str = "long_sick_leave", data_as_of: str = LATE, rows: Rows | None = None) -> TrainingSet:
    return build_training_set(tables(rows or firm()), OUTCOMES[outcome], DATES, date.fromisoformat(data_as_of))


def row(found: TrainingSet, name: str, t: str) -> int:
    """Position of the only row of a person at an index date."""
    (position,) = np.flatnonzero((found.person_ids[found.person] == name) & (found.t == day_number(t)))
    return int(position)


def test_every_pair_is_counted_once_under_the_first_reason():
    assert built().flow == {
        "no consent for any source": 4,
        "not employed": 4 + 2,
        "age outside 18-70 or unknown": 0,
        "washout": 1,
        "label not mature": 2,
        "no consent for absence data, so no label": 0,
        "left employment": 2,
        "no event": 1,
        "event": 4,
    }


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("data_as_of", [LATE, "2024-06-01", "2023-12-02"])
def test_flow_counts_add_up_to_all_persons_times_all_dates(outcome, data_as_of):
    found = built(outcome, data_as_of)
    assert sum(found.flow.values()) == 5 * len(DATES)
    left_out = (*OUTCOMES[outcome].reasons, "label not mature")
    refused = f"no consent for {OUTCOMES[outcome].label_source} data, so no label"
    assert len(found) == sum(count for reason, count in found.flow.items() if reason not in (*left_out, refused))


def test_without_consent_for_absence_data_the_label_is_unknown_not_zero():
    rows = firm()
    rows["consents"] = [row for row in rows["consents"] if (row["person_id"], row["source"]) != ("ill", "absence")]
    found = built(rows=rows)
    assert "ill" not in found.person_ids
    assert found.flow["no consent for absence data, so no label"] == 3
    assert sum(found.flow.values()) == 5 * len(DATES)


def test_who_leaves_is_censored_on_the_day_and_weighs_nothing():
    found = built()
    leaver = row(found, "leaver", "2024-03-01")
    assert found.censored_on[leaver] == day_number("2024-06-30")
    assert np.isnan(found.y[leaver])
    assert found.weight[leaver] == 0
    assert found.censored_on[row(found, "ill", "2024-03-01")] == NO_DAY


def test_exits_are_counted_by_when_they_came():
    exits = built().facts["exits"]
    leaver = [built().followed_days[row(built(), "leaver", t)] for t in ("2023-12-01", "2024-03-01")]
    assert leaver == [212, 121]
    assert exits == {"rows": 7, "left_within_days": {"30": 0, "90": 0, "180": 1, "365": 2}}
    assert built("burnout").facts["exits"] is None


def test_many_exits_are_said_and_few_are_not():
    assert "29% of the rows end by leaving employment" in exits_note(built().facts["exits"])
    assert exits_note({"rows": 100, "left_within_days": {"365": 10}}) == ""
    assert exits_note(None) == ""


def test_weights_of_observed_rows_stand_for_the_censored_ones_too():
    assert built().weight.sum() == pytest.approx(len(built()))


def test_no_burnout_survey_in_the_window_is_unknown():
    found = built("burnout")
    assert found.y[row(found, "ill", "2024-03-01")] == 1.0
    assert np.isnan(found.y[row(found, "absent", "2024-03-01")])
    assert found.flow["no survey in the window"] == 3


def test_features_are_those_known_at_the_index_date():
    found = built()
    expected = build_features(known(firm()), day_number("2024-09-01"))
    ids = known(firm()).person_ids
    assert np.array_equal(found.X[row(found, "ill", "2024-09-01")], expected.values[ids.index("ill")], equal_nan=True)


def test_rows_known_after_data_as_of_change_nothing():
    early = built(data_as_of="2025-06-01")
    later = firm()
    later["absence_spells"].append(spell("2023-12-10", "2024-01-31", known_from="2025-06-01", person_id="leaver"))
    assert _arrays_equal(early, built(data_as_of="2025-06-01", rows=later))
    assert not _arrays_equal(built(), built(rows=later))


def _arrays_equal(a: TrainingSet, b: TrainingSet) -> bool:
    names = ("X", "y", "status", "person", "t", "weight")
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in names)


def test_withdrawn_consent_takes_all_earlier_rows_out():
    rows = firm()
    for consent in rows["consents"]:
        if consent["person_id"] == "ill":
            consent["withdrawn_on"] = LATE
    assert "ill" in built(data_as_of="2025-12-31", rows=rows).person_ids
    assert "ill" not in built(data_as_of="2026-01-02", rows=rows).person_ids


def test_rebuilt_bit_for_bit_from_rows_in_any_order(tmp_path):
    built().save(tmp_path / "a")
    shuffled = {name: list(reversed(of_table)) for name, of_table in firm().items()}
    built(rows=shuffled).save(tmp_path / "b")
    for suffix in (".npz", ".json"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_what_is_saved_is_what_is_loaded(tmp_path):
    saved = built()
    saved.save(tmp_path / "some.where" / "set")
    found = TrainingSet.load(tmp_path / "some.where" / "set")
    assert _arrays_equal(saved, found)
    assert (found.outcome, found.flow, found.facts) == (saved.outcome, saved.flow, saved.facts)
    assert found.feature_names.tolist() == list(FEATURE_NAMES)


def test_loading_what_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(MissingInputError, match="balance-risk build-training-set"):
        TrainingSet.load(tmp_path / "set")


def test_without_index_dates_the_error_says_what_to_do():
    with pytest.raises(NotEnoughDataError, match="396 days"):
        build_training_set(tables(firm()), LONG, [], date(2026, 1, 1))


def test_the_facts_say_how_rows_were_weighted():
    facts = built().facts
    assert facts["weights"]["because"] == "left employment"
    assert 1 < facts["weights"]["largest"] < 2
    assert 4 < facts["weights"]["effective_sample_size"] <= 5
    assert facts["index_dates"] == [day.isoformat() for day in DATES]


def test_response_features_are_in_the_catalogue():
    assert set(RESPONSE_FEATURES) <= set(FEATURE_NAMES)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2021, 11, 1), date(2022, 5, 1), ["2021-11-01", "2022-02-01", "2022-05-01"]),
        (date(2021, 11, 2), date(2022, 4, 30), ["2021-12-01", "2022-03-01"]),
        (date(2022, 1, 1), date(2021, 1, 1), []),
    ],
)
def test_index_dates_are_first_days_of_months(first, last, expected):
    assert [day.isoformat() for day in index_dates(first, last, 3)] == expected


def test_the_registration_lag_is_a_parameter():
    patient = replace(LONG, registration_lag_days=500)
    found = build_training_set(tables(firm()), patient, DATES, date(2026, 1, 1))
    assert found.flow["label not mature"] > built().flow["label not mature"]
