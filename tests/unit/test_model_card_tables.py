"""What a report says becomes words, rows and tables of the model card."""

from models.model_card.facts import settings
from models.model_card.flow import Flow
from models.model_card.numbers import cell, count
from models.model_card.sentences import say
from models.model_card.shapes import shaped
from models.model_card.tables import tables_of
from tests.lib.card_facts import champion, interval


def test_settings_are_words():
    comparison = {"candidates": [{"chosen": True, "settings": {"seed": 17, "size": {"num_leaves": 15}}}]}
    assert settings({"comparison": comparison}) == "seed 17, size (num leaves 15)"
    assert settings({}) is None


def test_the_flow_is_in_the_order_of_the_checks():
    flow = Flow.of(champion()["flow"], "left employment")
    assert [name for name, _ in flow.left_out] == ["not employed", "age outside 18-70 or unknown", "left employment"]
    assert [name for name, _ in flow.outcomes] == ["no event", "event"]
    assert flow.total.startswith("not shown")
    late = Flow.of({"event": 20, "label not mature": 30, "left employment": 40, "washout": 50}, "left employment")
    assert [name for name, _ in late.left_out] == ["washout", "label not mature", "left employment"]
    assert Flow.of({"not employed": 20, "event": 30, "no event": 50}, "").total == "100"


def test_a_sentence_is_said_whole_or_not_at_all():
    assert say("{{ a.b | number }} and {{ c }}", {"a": {"b": 0.5}, "c": "x"}) == "0.500 and x"
    for context in (
        {"a": {}, "c": "x"},
        {"a": {"b": None}, "c": "x"},
        {"a": {"b": float("nan")}, "c": "x"},
        {"a": {"b": 1.0}},
    ):
        assert say("{{ a.b | number }} and {{ c }}", context) is None
    assert say("said of {{ c }}", {"c": None}) is None


def test_any_shape_of_a_report_becomes_tables():
    (rows,) = tables_of({"first": {"n": 3, "auroc": interval(0.7)}, "second": {"n": 30}}, "x")
    assert rows.columns == ("", "n", "AUROC")
    assert rows.rows == (("first", "<10", "0.700 (0.639 to 0.772)"), ("second", "30", "–"))
    single, nested = tables_of({"p": 0.25, "deep": {"a": {"persons": 4}}})
    assert single.rows == (("p", "0.250"),)
    assert (nested.caption, nested.rows) == ("deep", (("a", "<10"),))
    (long,) = tables_of([{"a": place} for place in range(50)])
    assert (len(long.rows), long.rest) == (40, 10)


def test_shapes_of_the_report_are_brought_into_rows_for_a_reader():
    verdict = {
        "outcome": "x", "enough": False, "parameters": 5, "required_persons": 700, "persons": 90, "missing_persons": 610,
        "criterion": "shrinkage", "anticipated": {"c_statistic": 0.72, "source": "published"}, "criteria": {},
    }  # fmt: skip
    for given in (verdict, {"short": verdict}):
        (row,) = shaped("champion.sample_size", given, "")
        assert (row["missing_persons"], row["anticipated"], row["anticipated_because"]) == (610, 0.72, "published")
    found = {
        "additivity": {"largest_gap": 3e-14},
        "importance": {},
        "directions": {"surprises": [{"text": {"en": "Sleep."}}]},
    }
    assert shaped("report.explanation", found, "") == {
        "additivity": {"largest_gap": 3e-14}, "surprising_directions": ["Sleep."]
    }  # fmt: skip
    (days,) = tables_of({"180": {"events": 30}, "30": {"events": 20}})
    assert [row[0] for row in days.rows] == ["30", "180"]
    assert cell("largest_gap", 3e-14) == "3.0e-14"
    assert cell("effective_sample_size", 287677.77) == count(287678)
    unknown = {"reason": "too few"}
    assert shaped("report.subgroups", unknown, "") == shaped("champion.sample_size", unknown, "") == unknown


def test_models_are_columns_the_champion_first_and_the_leading_numbers_on_top():
    numbers = {"emax": interval(0.1), "auroc": interval(0.7), "n": 3}
    (table,) = tables_of(
        shaped("report.models", {"prior_absence": {"auroc": interval(0.6)}, "short": numbers}, "short")
    )
    assert table.columns == ("", "short (champion)", "prior absence")
    assert [row[0] for row in table.rows] == ["AUROC", "Emax", "n"]
    assert table.rows[0][1:] == ("0.700 (0.639 to 0.772)", "0.600 (0.539 to 0.672)")
    assert table.rows[2][1:] == ("<10", "–")


def test_findings_are_told_in_words_and_sources_are_rows():
    (row,) = shaped("report.harm", [{"group": "health_and_social", "finding": "risks_too_low", "p": 0.001}], "")
    assert row == {"group": "health and social", "finding": "risks too low", "p": 0.001}
    sources = {"labs": {"features": 5, "available": 5, "gain": {"auroc": interval(0.1)}},
               "survey": {"features": 0, "available": 7, "gain": None, "reason": "None is used."}}  # fmt: skip
    (single, table) = tables_of(shaped("report.ablation", {"model": "lightgbm", "sources": sources}, ""))
    assert single.rows == (("model", "lightgbm"),)
    assert table.columns == ("source", "features", "available", "AUROC", "not shown because")
    assert table.rows[0][:3] == ("labs", "5", "5")
    assert table.rows[1] == ("survey", "0", "7", "–", "None is used.")


def test_what_chance_reaches_is_a_range_and_domains_are_told_by_their_label():
    domain = {"name": "sleep", "label_en": "Sleep", "label_nb": "Søvn", "auroc": interval(0.1)}
    given = {"test": {"auroc": 0.7, "chance": [0.55, 0.57]}, "domains": {"rows": 100, "domains": [domain]}}
    (labels, domains) = tables_of(shaped("report.permutation", given, ""))
    assert labels.rows == (("AUROC", "0.700"), ("chance", "0.550 to 0.570"))
    assert domains.columns == ("label", "AUROC")
    few = {"test": {"reason": "too few"}, "domains": {"domains": []}}
    assert shaped("report.permutation", few, "")["labels"] == {"reason": "too few"}


def test_columns_with_nothing_in_them_and_labels_of_the_other_language_are_left_out():
    (table,) = tables_of([{"label_en": "Sleep", "label_nb": "Søvn", "not_shown_because": ""}])
    assert (table.columns, table.rows) == (("label",), (("Sleep",),))
