"""The model card asks every item of TRIPOD+AI, PROBAST+AI and Annex IV, and answers by the facts."""

import re

import pytest

from models.estimators.candidates import PENALTIES
from models.estimators.trees import TreeSize, sizes
from models.model_card.card import model_card
from models.model_card.checklists import answered, declared
from models.model_card.facts import LOWER_BOUND, CardFacts, champion_facts, context_of
from models.model_card.risk_of_bias import assessed
from models.model_card.sentences import holds
from models.model_card.study import Study
from tests.lib.card_facts import champion, core_model, report, whole

CARD = model_card(whole())
BOTH = pytest.mark.parametrize("page", ["html", "markdown"])

SUB_ITEMS = {
    3: "abc",
    5: "ab",
    6: "abc",
    8: "abc",
    9: "abc",
    12: "abcdefg",
    18: "abcdef",
    20: "abc",
    23: "ab",
    27: "abc",
}
TRIPOD = [f"{item}{letter}" for item in range(1, 28) for letter in SUB_ITEMS.get(item, [""])]


def items(name, facts):
    return {item.number: item for item in answered(name, context_of(facts))}


def questions(facts):
    return {(one.part, one.number): one for domain in assessed(context_of(facts)) for one in domain.questions}


def test_every_item_of_tripod_ai_is_asked_once_in_its_order():
    numbers = [item["number"] for item in declared("tripod_ai")]
    assert numbers == TRIPOD
    assert len(numbers) == 52
    assert len({int(re.match(r"\d+", number).group()) for number in numbers}) == 27
    shown = re.findall(r'<th scope="row">(\d+[a-g]?)</th><td>[^<]*\((?:D|E|D;E)\):', CARD.html)
    assert shown == TRIPOD


def test_every_question_of_probast_ai_is_asked_once():
    found = list(questions(whole()))
    by_domain = {"development": (3, 4, 4, 5), "evaluation": (3, 4, 4, 7)}
    assert found == [
        (part, f"{domain}.{place}")
        for part, sizes in by_domain.items()
        for domain, size in enumerate(sizes, start=1)
        for place in range(1, size + 1)
    ]


def test_the_nine_points_of_annex_iv_are_there():
    assert [item["number"] for item in declared("annex_iv")] == list("123456789")


def test_every_rule_of_probast_ai_gives_an_answer_of_the_tool():
    declaration = declared("probast_ai")
    rules = [
        rule for part in ("shared", "development", "evaluation") for one in declaration[part] for rule in one["rules"]
    ]
    assert {rule["answer"] for rule in rules} <= {"yes", "probably yes", "probably no", "no", "not applicable"}
    for rule in rules:
        holds(rule["when"], {"study": {}})  # parses


def test_simulated_data_are_never_of_low_concern():
    assert questions(whole())["development", "1.1"].answer == "no"
    real = whole(champion=champion() | {"synthetic": False}, study={"data_sources": "Registers of firm X."})
    assert questions(real)["development", "1.1"].answer == "probably yes"
    assert questions(whole(champion=champion() | {"synthetic": False}))["development", "1.1"].answer == "no information"


def test_rules_follow_the_facts():
    few = whole(report=report() | {"test": report()["test"] | {"persons_with_event": 95}})
    assert questions(whole())["evaluation", "4.2"].answer == "probably yes"
    assert questions(whole())["evaluation", "4.2"].because.startswith("570 event rows of 254 persons")
    assert "too few events" in model_card(few).html
    assert "too few events" not in CARD.html
    assert questions(few)["evaluation", "4.2"].answer == "no"
    alarmed = whole(report=report() | {"leakage": {"alarms": ["AUROC 0.93"], "checks": []}})
    assert questions(whole())["evaluation", "4.5"].answer == "probably yes"
    assert questions(alarmed)["evaluation", "4.5"].answer == "no"
    assert questions(alarmed)["development", "2.4"].answer == "no"
    small = champion()["sample_size"] | {"enough": False, "missing_persons": 312}
    assert questions(whole(champion=champion() | {"sample_size": small}))["development", "4.1"].answer == "no"
    burnout = whole(outcome="burnout")
    assert questions(burnout)["development", "3.2"].answer == "probably no"


def test_an_elastic_net_is_described_as_the_lines_that_it_is():
    core = whole(champion=champion_facts(core_model()))
    said = {number: " ".join(item.said) for number, item in items("tripod_ai", core).items()}
    assert "The median of the training rows stands for unknown." in said["11"]
    assert "may count besides for srh self rated health, and for no other" in said["11"]
    assert (
        "14 predictors enter as straight lines, 1 as lines with bends, and the value of 0 has no weight" in said["12b"]
    )
    assert all(words in said["12b"] for words in ("held within the range of the training rows", "standardised"))
    assert "cross-validation inside each training fold" in said["12c"]
    assert said["22"].startswith("All numbers of the model are in model.json")
    handled = questions(core)["development", "4.2"]
    assert (handled.answer, "14 straight lines and 1 with bends" in handled.because) == ("probably yes", True)


@pytest.mark.parametrize(("family", "handled", "unknown"), [
    ("trees", "trees split on values", "a branch of its own"), ("steps", "One step function", "a value of its own"),
    ("lines", "5 predictors enter as straight lines", "The median"), ("formula", "published formula", "The median"),
])  # fmt: skip
def test_each_family_of_models_has_words_of_its_own(family, handled, unknown):
    found = whole(champion=champion() | {"family": family})
    said = items("tripod_ai", found)
    assert (handled in said["12b"].said[0], unknown in said["11"].said[0]) == (True, True)
    is_boosted = family in ("trees", "steps")
    assert (LOWER_BOUND in said["10"].said[0]) is is_boosted
    answers = [questions(found)["development", number].answer for number in ("4.1", "4.2")]
    assert answers == (["probably yes", "yes"] if is_boosted else ["yes", "probably yes"])


def test_what_is_chosen_on_the_folds_of_the_comparison_is_said_to_be():
    assert len(PENALTIES) == len(sizes(TreeSize())) == 3
    for name, words in (("logistic", "Of three penalties"), ("lightgbm", "Of three sizes")):
        found = whole(champion=champion() | {"name": name})
        assert words in items("tripod_ai", found)["12c"].said[0]
        assert "Of three penalties or sizes" in questions(found)["development", "4.5"].because
    assert "Of three" not in items("tripod_ai", whole())["12c"].said[0]
    assert {questions(whole(champion=champion() | extra))["development", "4.5"].answer
            for extra in ({}, {"small_data": {"chosen": "roelen_line"}})} == {"probably yes"}  # fmt: skip


def test_what_both_sides_share_is_told_of_the_outcome_it_is_true_of():
    def because(outcome, number):
        return questions(whole(outcome=outcome))["evaluation", number].because

    for outcome in ("long_sick_leave", "burnout", "absence_days"):
        assert "over training and test rows together" in because(outcome, "4.3")
        assert ("from the events of both" in because(outcome, "4.3")) is (outcome == "long_sick_leave")
        assert ("shows on days after it" in because(outcome, "4.5")) is (outcome == "long_sick_leave")


def test_without_a_model_nothing_is_known_of_either_part():
    found = questions(CardFacts(outcome="burnout", not_enough_data="Not enough data."))
    assert {one.answer for one in found.values()} == {"no information"}


@pytest.mark.parametrize(
    "key", sorted(report().keys() - {"outcome", "champion", "synthetic", "methods", "notes", "models", "test"})
)
def test_a_part_that_is_not_there_is_shown_as_missing_with_what_would_provide_it(key):
    facts = whole(report={name: part for name, part in report().items() if name != key})
    card = model_card(facts)
    for page, mark in ((card.html, '<span class="missing">Missing.</span> It would be provided by: balance-risk'),
                       (card.markdown, "**Missing.** It would be provided by: balance-risk")):  # fmt: skip
        assert page.count(mark) == 1
    assert CARD.html.count('class="missing">Missing.') == 0 == CARD.markdown.count("**Missing.**")


@BOTH
def test_no_report_at_all_leaves_no_number_of_performance(page):
    text = getattr(model_card(whole(report={}, pictures={})), page)
    assert "ranked somebody" not in text
    assert text.count("balance-risk evaluate") > 10
    assert "(Opplysning mangler:" in text or "Opplysning mangler" in text


def test_the_study_team_completes_what_only_it_knows():
    asked = [item for name in ("tripod_ai", "annex_iv") for item in declared(name) if "study" in item]
    assert {item["study"] for item in asked} | {"representativeness"} == set(Study.model_fields)
    before, after = items("tripod_ai", whole()), items("tripod_ai", whole(study={"funding": "A foundation."}))
    assert before["18a"].status == "missing"
    assert "study team" in before["18a"].missing
    assert (after["18a"].status, after["18a"].said) == ("answered", ("A foundation.",))


def test_an_item_whose_facts_are_half_there_is_partly_answered():
    item = items("tripod_ai", whole(report={name: part for name, part in report().items() if name != "subgroups"}))[
        "23a"
    ]
    assert item.status == "partly"
    assert "0.712" in item.said[0]


def test_a_part_that_only_says_why_it_could_not_be_had_answers_no_item():
    none = {"persons": 9, "by_company": {"reason": "one company"}, "by_industry": {"reason": "one industry"}}
    facts = whole(report=report() | {"internal_external": none})
    assert items("tripod_ai", facts)["12d"].status == "missing"
    assert "one company" in model_card(facts).html
