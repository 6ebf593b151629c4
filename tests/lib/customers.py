"""A source in a customer's own words, whose persons are known by numbers and by pseudonyms."""

from __future__ import annotations

from datetime import date

from data_contracts.pseudonyms import Pseudonymiser
from pipeline.workspace import Workspace

ON = date(2026, 2, 1)

NUMBER = "01814550016"
"""A synthetic number, born in month 81."""


KEYS = Pseudonymiser({"p2": b"n" * 32, "p1": b"o" * 32})


def customers_source(workspace: Workspace) -> None:
    workspace.source.mkdir(parents=True)
    (workspace.source / "mapping.yaml").write_text("tables:\n  persons:\n    columns: {person_id: AnsattNr}\n")
    content = "AnsattNr;År;Yrke\r\n4711;1980;2221\r\n12;1981;4711\r\n".encode("latin-1")
    (workspace.source / "ansatte.csv").write_bytes(content)
    workspace.tables.mkdir()
    pseudonyms = "".join(f"{KEYS.pseudonym(number)},0.1\n" for number in ("4711", "12"))
    (workspace.tables / "safety_flags.csv").write_text("person_id,answer\n" + pseudonyms)
