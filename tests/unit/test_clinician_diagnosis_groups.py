"""No page of a person tells under which group of diagnoses an absence was recorded."""

from __future__ import annotations

import copy
import html
import re

import pytest

from features.absence_history import BY_CHAPTER
from features.catalogue import POSITIONS, feature
from serving import notices
from serving.clinician.diagnosis_groups import LABEL, NOT_SHOWN, neutral, without_groups
from serving.clinician.person_frame import TABS
from serving.predictor import Predictor
from tests.lib.deployment import REQUEST
from tests.lib.models import boosted_model, linear_model
from tests.lib.pages import HOME, NIGHT, clinicians_pages, text_of

CODES = ("P76", "L84", "R74", "A97")
WORDS = {"nb": f"registrert under|{'|'.join(CODES)}", "en": f"recorded under|{'|'.join(CODES)}"}
GROUPED = tuple(feature(name) for name in sorted(BY_CHAPTER))


def with_diagnosis(code: str) -> dict:
    record = copy.deepcopy(REQUEST["record"])
    record["absence_spells"][0]["diagnosis"] = code
    return record


def explained(code: str):
    models = {model.outcome: model for model in (linear_model(), boosted_model())}
    return Predictor(models).explain(with_diagnosis(code), NIGHT, list(models), NIGHT).outcomes


def told(page: str) -> set[str]:
    """What the page of contributions names, with its values where they are shown."""
    rows = re.findall(r'<tr><th scope="row">([^<]+?)(?: <span[^>]+>[^<]+</span>)?</th><td>([^<]*)</td>', page)
    small = re.findall(r"For lite til å synes i tallet: (.*?)\.</p>", html.unescape(page))
    return {html.unescape(label) for label, _ in rows} | {one for text in small for one in text.split("; ")}


def test_what_is_counted_by_chapter_is_all_that_names_one():
    named = {name for name in POSITIONS if re.search(WORDS["nb"], feature(name).label_nb)}
    assert named == BY_CHAPTER


def test_no_page_of_a_person_names_a_group_and_records_that_differ_in_it_name_the_same(tmp_path):
    names = []
    for code in CODES:
        (tmp_path / code).mkdir()
        with clinicians_pages(tmp_path / code, with_diagnosis(code)) as pages:
            pages.begin_care()
            for path in (tab.path for tab in TABS):
                for language, pattern in WORDS.items():
                    for outcome in ("", "?outcome=burnout") if path not in ("/profile", "/timeline") else ("",):
                        page = pages.get(f"{HOME}{path}{outcome}", language=language)
                        assert page.status_code == 200
                        assert not re.search(pattern, text_of(page)), f"{path} {language}"
            found = pages.get(f"{HOME}/contributions").text
            assert LABEL["nb"] in found
            names.append(told(found))
    assert all(one == names[0] for one in names)
    assert len(names[0]) > 50


@pytest.mark.parametrize("outcome", ["burnout", "long_sick_leave"])
def test_what_the_groups_add_is_one_contribution_and_all_still_add_up(outcome):
    before = explained("L84")[outcome]
    after = without_groups(before)
    grouped = [one.contribution for one in before.reasons if one.feature in BY_CHAPTER]
    (together,) = (one for one in after.reasons if one.label == LABEL)
    assert len(grouped) > 1
    assert together.contribution == pytest.approx(sum(grouped), abs=1e-12)
    assert (together.shown, together.value, together.missing) == (NOT_SHOWN, None, False)
    assert together.direction == ("raises" if sum(grouped) > 0 else "lowers")
    assert sum(one.contribution for one in after.reasons) == pytest.approx(after.log_odds - after.base, abs=1e-9)
    sizes = [abs(one.contribution) for one in after.reasons]
    assert sizes == sorted(sizes, reverse=True)
    assert len(after.reasons) == len(before.reasons) - len(grouped) + 1


def test_a_warning_that_names_groups_names_what_stands_for_them_once():
    age = feature("age_years")
    named = [GROUPED[0], age, GROUPED[1], GROUPED[2]]
    warning = notices.outside_training_range([one.label_nb for one in named], [one.label_en for one in named])
    (found,) = neutral([warning])
    assert found.message["nb"].endswith(f"mindre sikkert: {LABEL['nb']}; {age.label_nb}.")
    assert found.message["en"].endswith(f"less certain: {LABEL['en']}; {age.label_en}.")
    assert neutral([notices.TOO_UNCERTAIN]) == (notices.TOO_UNCERTAIN,)


def test_where_nothing_is_known_of_absence_that_is_what_it_says():
    record = copy.deepcopy(REQUEST["record"])
    record["consents"] = [one for one in record["consents"] if one["source"] != "absence"]
    found = Predictor({"burnout": boosted_model()}).explain(record, NIGHT, ["burnout"], NIGHT).outcomes["burnout"]
    (together,) = (one for one in without_groups(found).reasons if one.label == LABEL)
    assert together.missing
    assert together.shown["nb"] == "ikke brukt, fordi samtykke ikke er gitt"
