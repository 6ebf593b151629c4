"""The simulator: same person in any cohort, files within the contract, published rates, true risks that come true."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest

from data_contracts.errors import SettingsError
from data_contracts.instruments import INSTRUMENTS, score
from data_contracts.readers.sources import open_source
from data_contracts.records import RECORDS
from data_contracts.tables import Table
from data_contracts.time_windows import day_number
from data_contracts.validation import check, orphans
from pipeline.simulation.cohort import simulate
from pipeline.simulation.parameters import read_parameters

START, END = date(2021, 1, 1), date(2026, 1, 1)
PERSONS = 5000
TABLE_NAMES = [record.table for record in RECORDS]
PARAMETERS = read_parameters()
LONG_AGO, FAR = day_number("2000-01-01"), day_number("2099-01-01")


def read(directory: Path, table: str) -> dict[str, list[Any]]:
    return pyarrow.csv.read_csv(directory / f"{table}.csv").to_pydict()


def lines(directory: Path, table: str) -> list[str]:
    return (directory / f"{table}.csv").read_text(encoding="utf-8").splitlines()


def days(column: np.ndarray) -> np.ndarray:
    return column.astype("datetime64[D]").astype(np.int64)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("cohort")
    return directory, simulate(directory, PERSONS, 17, START, END)


@pytest.fixture(scope="module")
def tables(cohort: tuple[Path, dict[str, Any]]) -> dict[str, Table]:
    """The files as the ingest stage accepts them; any quarantined row fails here."""
    accepted = {}
    for record in RECORDS:
        delivered = open_source(str(cohort[0])).read(record)
        checked = check(record, delivered.raw, received_on=END, origin=record.table)
        assert checked.violations == []
        accepted[record.table] = checked.table
    return accepted


# Reproducible, and independent of how many are drawn


def test_a_person_is_the_same_in_a_small_and_in_a_large_cohort(tmp_path: Path) -> None:
    simulate(tmp_path / "small", 400, 5, START, date(2023, 1, 1))
    simulate(tmp_path / "large", 1100, 5, START, date(2023, 1, 1))
    for table in [*TABLE_NAMES, "truth/truth"]:
        small, large = lines(tmp_path / "small", table), lines(tmp_path / "large", table)
        assert set(small) <= set(large), table
        if table != "workplace_events":
            first_400 = {line for line in large[1:] if int(line[11:18]) < 400}
            assert first_400 == set(small[1:]), table


def test_one_seed_gives_the_same_bytes_and_another_seed_other_persons(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate(tmp_path / name, 200, seed, START, date(2022, 6, 1))
    for path in sorted((tmp_path / "a").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
    assert (tmp_path / "a/persons.csv").read_bytes() != (tmp_path / "c/persons.csv").read_bytes()


def test_two_blocks_hold_different_people(tables: dict[str, Table]) -> None:
    """The same stream for every block would repeat the first thousand persons, and shrink every interval."""
    year = tables["persons"]["birth_year"]
    assert (year[:1000] == year[1000:2000]).mean() < 0.1


def test_a_period_under_a_year_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="choose a later end"):
        simulate(tmp_path, 100, 1, START, date(2021, 6, 1))


def test_progress_counts_every_person_once(tmp_path: Path) -> None:
    steps: list[int] = []
    simulate(tmp_path, 1100, 1, START, date(2022, 1, 1), progress=steps.append)
    assert steps == [1000, 100]


# Files


def test_every_row_keeps_the_contract_and_belongs_to_a_person(tables: dict[str, Table]) -> None:
    assert sorted(tables) == sorted(TABLE_NAMES)
    assert all(not lost.any() for lost in orphans(tables).values())


def test_nothing_is_known_on_or_after_the_morning_of_the_extract(tables: dict[str, Table]) -> None:
    for table in TABLE_NAMES:
        assert tables[table]["known_from"].max() < np.datetime64(END), table


def test_everything_says_that_it_is_synthetic(cohort: tuple[Path, dict[str, Any]], tables: dict[str, Table]) -> None:
    directory, summary = cohort
    stamp = json.loads((directory / "source.json").read_text(encoding="utf-8"))
    assert stamp["synthetic"] is True
    assert (stamp["seed"], stamp["persons"]) == (17, PERSONS)
    assert stamp["parameters_sha256"] in (directory / "SYNTHETIC.md").read_text(encoding="utf-8")
    assert {**summary, "files": stamp["files"]} == stamp
    for columns in tables.values():
        for name in ("person_id", "company_id", "spell_id"):
            if name in columns:
                assert all(text.startswith("SYNTHETIC-") for text in columns[name].vocabulary)


def test_the_summary_counts_the_rows_of_the_files(cohort: tuple[Path, dict[str, Any]]) -> None:
    directory, summary = cohort
    for table in TABLE_NAMES:
        assert summary["rows"][table] == len(lines(directory, table)) - 1


def test_no_row_is_known_before_consent_or_after_its_withdrawal(tables: dict[str, Table]) -> None:
    consents = tables["consents"]
    for table, source in (("survey_answers", "survey"), ("lab_results", "lab"), ("absence_spells", "absence"),
                          ("employments", "employment")):  # fmt: skip
        given, withdrawn = np.full(PERSONS, FAR), np.full(PERSONS, FAR)
        of_source = consents["source"].recode({source: 0}) == 0
        person = _number(consents, of_source)
        given[person] = days(consents["given_on"][of_source])
        ends = of_source & ~np.isnat(consents["withdrawn_on"])
        withdrawn[_number(consents, ends)] = days(consents["withdrawn_on"][ends])
        row_person = _number(tables[table], slice(None))
        known_from = days(tables[table]["known_from"])
        assert (known_from >= given[row_person]).all(), table
        assert (known_from < withdrawn[row_person]).all(), table
        assert (withdrawn < FAR).any()


def _number(table: Table, rows: Any) -> np.ndarray:
    ids = table["person_id"]
    return np.array([int(text[11:]) for text in ids.vocabulary])[ids.codes[rows]]


def test_spells_come_with_the_defects_of_a_real_register(tables: dict[str, Table], cohort: tuple[Path, Any]) -> None:
    """Corrections, deletions, repeats, late and early certificates and running spells all occur, none of them often."""
    spells = tables["absence_spells"]
    delay = days(spells["known_from"]) - days(spells["first_day"])
    versions = np.bincount(spells["spell_id"].codes)
    assert versions.max() > 5
    assert 0 < (spells["is_deleted"] == 1).mean() < 0.01
    assert delay.min() == -14
    assert np.isnat(spells["last_day"]).any()
    assert (spells["last_day"] >= np.datetime64(END)).any()
    repeated = len(lines(cohort[0], "absence_spells")) - 1 - len(delay)
    assert 0 < repeated < 0.01 * len(delay)


# Published rates


def test_certified_rates_by_sex_lie_between_navs_of_2017_and_2023(cohort: tuple[Path, dict[str, Any]]) -> None:
    """Men 3.8 and 4.3 %, women 6.8 and 7.4 %: their middle within 15 %."""
    rates = cohort[1]["rates"]
    assert rates["certified_percent_of_days"]["male"] == pytest.approx(4.1, rel=0.15)
    assert rates["certified_percent_of_days"]["female"] == pytest.approx(7.1, rel=0.15)
    assert rates["self_certified_percent_of_days"]["male"] == pytest.approx(1.12, rel=0.15)
    assert rates["self_certified_percent_of_days"]["female"] == pytest.approx(1.49, rel=0.15)
    assert rates["certified_spells_over_16_days_percent"] == pytest.approx(37.5, abs=3)
    assert 37 < rates["certified_spell_mean_days"] < 47
    assert rates["answered_percent_of_invited_by_wave"][0] == pytest.approx(65, abs=4)


@pytest.mark.parametrize(
    ("name", "mean", "tolerance"),
    [
        ("cbi_personal", 35, 1.5),
        ("cbi_work", 32.5, 1.5),
        ("who5_wellbeing", 66, 4),
        ("oss3_social_support", 10.1, 0.3),
        ("srh_self_rated_health", 3.8, 0.15),
    ],
)
def test_scale_means_are_the_published_ones(tables: dict[str, Table], name: str, mean: float, tolerance: float) -> None:
    assert np.nanmean(scores(tables)[name]) == pytest.approx(mean, abs=tolerance)


def test_spread_and_share_of_high_scores_are_the_published_ones(tables: dict[str, Table]) -> None:
    found = scores(tables)
    assert np.nanstd(found["cbi_personal"]) == pytest.approx(16.5, abs=1)
    hscl = found["hscl10_distress"]
    assert (hscl[~np.isnan(hscl)] >= 1.85).mean() == pytest.approx(0.11, abs=0.015)
    complaints = found["shc_musculoskeletal"]
    assert (complaints[~np.isnan(complaints)] >= 1).mean() == pytest.approx(0.80, abs=0.03)


def test_new_high_burnout_scores_are_8_to_15_percent_a_year(tables: dict[str, Table]) -> None:
    found, seen = scores(tables), defaultdict(list)
    high = np.fmax(found["cbi_personal"], found["cbi_work"])
    for person, day, value in sorted(zip(found["person"], found["day"], high, strict=True)):
        seen[person].append((day, value))
    follow_ups = [(a, b) for visits in seen.values() for (d, a), (e, b) in pairwise(visits)
                  if a < 50 and e - d <= 400 and not np.isnan(b)]  # fmt: skip
    assert len(follow_ups) > 1500
    assert 0.08 < np.mean([b >= 50 for _, b in follow_ups]) < 0.16


def scores(tables: dict[str, Table]) -> dict[str, np.ndarray]:
    """Score every answered sheet of every instrument, one element per (person, day)."""
    if "scores" not in _CACHE:
        answers = tables["survey_answers"]
        person, day = _number(answers, slice(None)), days(answers["answered_on"])
        sheets, sheet = np.unique(person * (1 << 20) + day, return_inverse=True)
        found = {"person": sheets >> 20, "day": sheets % (1 << 20)}
        for instrument in (INSTRUMENTS[name] for name in PARAMETERS.survey.instruments):
            rows = answers["instrument"].recode({instrument.name: 0}) == 0
            filled = np.full((len(sheets), len(instrument.items)), np.nan)
            filled[sheet[rows], answers["item"].recode(instrument.item_positions)[rows]] = answers["answer"][rows]
            found |= dict(zip((scale.name for scale in instrument.scales), score(instrument, filled).T, strict=True))
        _CACHE["scores"] = found
    return _CACHE["scores"]


_CACHE: dict[str, dict[str, np.ndarray]] = {}


def test_reversed_items_are_answered_the_other_way_round(tables: dict[str, Table]) -> None:
    """Forgetting the reversal would turn "enough energy for family" into a sign of burnout."""
    answers = tables["survey_answers"]
    item = answers["item"].texts()
    person, day = _number(answers, slice(None)), days(answers["answered_on"])
    by_sheet: dict[tuple[int, int], dict[str, float]] = defaultdict(dict)
    for p, d, name, value in zip(person, day, item, answers["answer"], strict=True):
        if name in ("work_1", "work_7"):
            by_sheet[p, d][name] = value
    pairs = np.array([(sheet["work_1"], sheet["work_7"]) for sheet in by_sheet.values() if len(sheet) == 2])
    assert np.corrcoef(pairs.T)[0, 1] < -0.3


def test_some_items_are_left_open_and_client_items_go_to_those_with_clients(tables: dict[str, Table]) -> None:
    item = np.array(tables["survey_answers"]["item"].texts())
    sheets = len(scores(tables)["person"])
    assert (item == "personal_1").sum() / sheets == pytest.approx(0.98, abs=0.01)
    assert 0.3 < (item == "client_1").sum() / sheets < 0.7


# True risks


@pytest.fixture(scope="module")
def outcomes(cohort: tuple[Path, Any], tables: dict[str, Table]) -> tuple[np.ndarray, np.ndarray]:
    """True risk and event for persons at work who stay a year, counted from the files by slow, plain code."""
    truth = read(cohort[0] / "truth", "truth")
    consenting = set(_number(tables["consents"], tables["consents"]["source"].recode({"absence": 0}) == 0))
    episodes, last_day = _episodes(tables), _last_days(tables)
    risk, event = [], []
    for person_id, index_date, at_work, true_risk in zip(
        truth["person_id"], truth["index_date"], truth["at_work"], truth["long_sick_leave"], strict=True
    ):
        person, t = int(person_id[11:]), day_number(index_date)
        if not at_work or person not in consenting or t + 400 > day_number(END) or last_day[person] < t + 365:
            continue
        risk.append(true_risk)
        event.append(any(t <= first < t + 365 and certified > 16 for first, certified in episodes[person]))
    return np.array(risk), np.array(event)


def _last_versions(table: Table, fact: np.ndarray) -> np.ndarray:
    order = np.lexsort((table["known_from"], fact))
    return order[np.append(np.diff(fact[order]) != 0, True)]


def _episodes(tables: dict[str, Table]) -> dict[int, list[list[int]]]:
    spells = tables["absence_spells"]
    rows = _last_versions(spells, spells["spell_id"].codes)
    rows = rows[(spells["is_deleted"][rows] != 1) & (spells["kind"].recode({"doctor_certified": 0})[rows] == 0)]
    last_day = np.where(np.isnat(spells["last_day"]), day_number(END), days(spells["last_day"]))
    found: dict[int, list[list[int]]] = defaultdict(list)
    known_until = dict.fromkeys(range(PERSONS), LONG_AGO)
    ordered = sorted(zip(_number(spells, rows), days(spells["first_day"][rows]), last_day[rows], strict=True))
    for person, first, last in ordered:
        if found[person] and first - known_until[person] - 1 < 16:
            found[person][-1][1] += last - first + 1
        else:
            found[person].append([first, last - first + 1])
        known_until[person] = last
    return found


def _last_days(tables: dict[str, Table]) -> dict[int, int]:
    employments = tables["employments"]
    fact = _number(employments, slice(None)) * 100_000 + days(employments["start_date"])
    rows = _last_versions(employments, fact)
    ends = np.where(np.isnat(employments["end_date"]), FAR, days(employments["end_date"]))
    last: dict[int, int] = defaultdict(lambda: LONG_AGO)
    for person, end in zip(_number(employments, rows), ends[rows], strict=True):
        last[person] = max(last[person], end)
    return last


def test_true_risks_come_true_on_average_and_by_fifths(outcomes: tuple[np.ndarray, np.ndarray]) -> None:
    risk, event = outcomes
    assert len(risk) > 18_000
    assert event.mean() / risk.mean() == pytest.approx(1, abs=0.07)
    fifth = np.digitize(risk, np.quantile(risk, [0.2, 0.4, 0.6, 0.8]))
    for number in range(5):
        assert event[fifth == number].mean() == pytest.approx(risk[fifth == number].mean(), rel=0.2, abs=0.01)


def test_the_best_possible_ranking_is_as_good_as_the_literature_allows(outcomes: tuple[np.ndarray, np.ndarray]) -> None:
    risk, event = outcomes
    rank = np.argsort(np.argsort(risk)) + 1.0
    auroc = (rank[event].mean() - (event.sum() + 1) / 2) / (~event).sum()
    assert 0.77 < auroc < 0.825


def test_true_burnout_risks_come_true(cohort: tuple[Path, Any], tables: dict[str, Table]) -> None:
    found, truth = scores(tables), read(cohort[0] / "truth", "truth")
    high = np.fmax(found["cbi_personal"], found["cbi_work"])
    visits: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for person, day, value in sorted(zip(found["person"], found["day"], high, strict=True)):
        visits[person].append((day, value))
    risk, event = [], []
    for person_id, index_date, true_risk in zip(truth["person_id"], truth["index_date"], truth["burnout"], strict=True):
        t = day_number(index_date)
        later = [value for day, value in visits[int(person_id[11:])] if t + 90 <= day <= t + 400]
        if later and not np.isnan(later[0]):
            risk.append(true_risk)
            event.append(later[0] >= 50)
    # Who answers is somewhat healthier than the risk, which is that of everyone.
    assert 0.88 < np.mean(event) / np.mean(risk) < 1.03


def test_self_certified_spells_keep_length_and_quotas(tables: dict[str, Table]) -> None:
    spells = tables["absence_spells"]
    own = spells["kind"].recode({"self_certified": 0}) == 0
    length = days(spells["last_day"][own]) - days(spells["first_day"][own]) + 1
    assert length.min() == 1
    assert length.max() == 8
    by_person: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for person, first, count in zip(_number(spells, own), days(spells["first_day"][own]), length, strict=True):
        by_person[person].append((int(first), int(count)))
    for taken in by_person.values():
        taken.sort()
        for first, _ in taken:
            year = [count for day, count in taken if first - 365 < day <= first]
            assert len(year) <= 4 or sum(year) <= 24


def test_only_what_the_parameters_name_is_asked(tables: dict[str, Table]) -> None:
    """Of SHC only the musculoskeletal items; nobody fills in thirty questionnaires."""
    answers = tables["survey_answers"]
    assert set(answers["instrument"].compact().vocabulary) == set(PARAMETERS.survey.instruments)
    complaints = answers["instrument"].recode({"shc": 0}) == 0
    assert set(answers["item"][complaints].compact().vocabulary) == {f"musculoskeletal_{k}" for k in range(1, 9)}


def test_minutes_of_activity_are_round_and_asked_only_of_those_who_are_active(tables: dict[str, Table]) -> None:
    """Minutes from 1441 thresholds around a third of a day would make everybody a marathon runner."""
    answers = tables["survey_answers"]
    found = {}
    for item in ("vigorous_days", "vigorous_minutes"):
        rows = answers["item"].recode({item: 0}) == 0
        keys = zip(_number(answers, rows), days(answers["answered_on"][rows]), strict=True)
        found[item] = dict(zip(keys, answers["answer"][rows], strict=True))
    active = [sheet for sheet, n_days in found["vigorous_days"].items() if n_days > 0]
    assert not [sheet for sheet in found["vigorous_minutes"] if found["vigorous_days"].get(sheet) == 0]
    assert sum(sheet in found["vigorous_minutes"] for sheet in active) > 0.9 * len(active)
    minutes = np.array(list(found["vigorous_minutes"].values()))
    assert (minutes % 5 == 0).all()
    assert 30 < np.median(minutes) < 60
    met_minutes = scores(tables)["ipaq_met_minutes"]
    assert 1000 < np.nanmedian(met_minutes) < 3500
    assert np.isnan(met_minutes[~np.isnan(scores(tables)["who5_wellbeing"])]).mean() < 0.2


def test_body_mass_follows_from_height_and_weight_as_it_was_measured_before(tables: dict[str, Table]) -> None:
    """Two correlated log-normals with the wrong loadings would make thin giants."""
    labs = tables["lab_results"]
    found = {}
    for code in ("NPU03794", "NPU03804"):
        rows = labs["code"].recode({code: 0}) == 0
        keys = zip(_number(labs, rows), days(labs["sampled_on"][rows]), strict=True)
        found[code] = dict(zip(keys, labs["value"][rows], strict=True))
    index = [
        weight / found["NPU03794"][key] ** 2 for key, weight in found["NPU03804"].items() if key in found["NPU03794"]
    ]
    assert np.median(index) == pytest.approx(26.4, abs=0.5)
    assert np.std(np.log(index)) == pytest.approx(0.16, abs=0.01)
