"""The data dictionary leaves nothing out and stays a readable table."""

from __future__ import annotations

from data_contracts.data_dictionary import data_dictionary
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import RECORDS, columns
from data_contracts.rules import RULES


def test_every_table_column_rule_and_instrument_is_described():
    text = data_dictionary()
    for record in RECORDS:
        section = text.split(f"## {record.table}\n")[1].split("\n## ")[0]
        assert all(f"| `{column.name}` | {column.kind} |" in section for column in columns(record))
        assert all(rule.rule in section for rule in record.rules)
    assert all(f"| {name} | {rule.meaning} | {rule.advice} |" in text for name, rule in RULES.items())
    assert all((f"- {name}: " in text) == bool(rule.only_on_arrival) for name, rule in RULES.items())
    assert all(f"| `{name}` |" in text for name in INSTRUMENTS)


def test_all_lines_of_a_table_have_the_same_number_of_cells():
    for section in data_dictionary().split("\n## ")[1:]:
        lines = [line.replace(r"\|", "") for line in section.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) == 1, section


def test_answer_codes_too_many_to_list_are_told_as_a_range():
    row = next(line for line in data_dictionary().splitlines() if line.startswith("| `ipaq_sf` |"))
    assert "0 to 1440" in row
    assert len(row) < 1000
