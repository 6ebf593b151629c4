"""The records as a Markdown data dictionary: what each column means and may hold, and which rules rows must keep."""

from __future__ import annotations

from collections.abc import Iterable

from data_contracts.analytes import ANALYTES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.open_data_contract import order_sentence
from data_contracts.records import RECORDS, Column, Record, columns
from data_contracts.rules import RULES


def data_dictionary() -> str:
    """Return the whole dictionary; it changes exactly when the contract does."""
    tables = [_table_section(record) for record in RECORDS]
    heading = "# Data dictionary\n\nGenerated from `data_contracts/`; do not edit."
    sections = [heading, *tables, _instruments_section(), _analytes_section(), _rules_section()]
    return "\n\n".join(sections) + "\n"


def _table_section(record: type[Record]) -> str:
    keys = ", ".join(f"`{name}`" for name in record.natural_key)
    facts = [f"Rows with the same {keys} are versions of one fact."]
    if record.consent_source:
        facts.append(f"Used only with consent for the source `{record.consent_source}`.")
    facts += [f'Rule "{rule.rule}": {order_sentence(rule, quote="`")}' for rule in record.rules]
    facts.append(f"Kept for {record.retention_days} days after the last date of the fact (a proposal).")
    rows = [
        (
            f"`{column.name}`",
            column.kind,
            column.unit or "",
            _allowed(column),
            "yes" if column.required else "no",
            column.meaning,
        )
        for column in columns(record)
    ]
    table = _markdown_table(("Column", "Kind", "Unit", "Allowed", "Required", "Meaning"), rows)
    bullets = "\n".join(f"- {fact}" for fact in facts)
    return f"## {record.table}\n\n{record.__doc__}\n\n{bullets}\n\n{table}"


def _allowed(column: Column) -> str:
    if column.codes:
        return ", ".join(f"`{code}`" for code in column.codes)
    if column.pattern:
        return f"`{column.pattern}`"
    lowest = "" if column.minimum is None else f"{'above' if column.minimum_is_open else 'from'} {column.minimum}"
    highest = "" if column.maximum is None else f"up to {column.maximum}"
    return " ".join(part for part in (lowest, highest) if part)


def _instruments_section() -> str:
    rows = []
    for instrument in INSTRUMENTS.values():
        items = ", ".join(f"`{item.id}`" for item in instrument.items)
        scales = ", ".join(f"`{scale.name}`" for scale in instrument.scales)
        codes, coding = instrument.codes_text, instrument.coding
        rows.append((f"`{instrument.name}`", instrument.title, items, codes, coding, scales))
    heading = ("Instrument", "Title", "Items", "Answer codes", "What the codes mean", "Scales")
    return (
        "## Instruments\n\nAnswers that are counted or ordered in another way than stated here can pass every check and turn "
        f"the scores round: compare before sending.\n\n{_markdown_table(heading, rows)}"
    )


def _analytes_section() -> str:
    rows = [
        (f"`{analyte.name}`", analyte.label_en, analyte.unit, f"{analyte.hard_low:g} to {analyte.hard_high:g}",
         "; ".join(f"{code.code_system} {code.code} in {code.unit}" for code in analyte.codes))
        for analyte in ANALYTES
    ]  # fmt: skip
    heading = ("Analyte", "Name", "Canonical unit", "Hard limits", "Codes and the units they come in")
    return "## Analytes\n\n" + _markdown_table(heading, rows)


def _rules_section() -> str:
    rows = [(name, rule.meaning, rule.advice) for name, rule in RULES.items()]
    arrival = "\n".join(f"- {name}: {rule.only_on_arrival}." for name, rule in RULES.items() if rule.only_on_arrival)
    return (
        f"## Rules\n\n{_markdown_table(('Rule', 'Quarantined when', 'What to ask the sender'), rows)}\n\n"
        "Every rule is checked row by row when data arrive, and stated once more as a Great Expectations suite that "
        f"`balance-risk validate` runs over what was accepted; except these, which no accepted table can break:\n\n{arrival}"
    )


def _markdown_table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    # An unescaped bar, as in a pattern, would end the cell.
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
