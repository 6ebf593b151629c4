"""Pages of docs/ that follow from the declarations: `make format` writes them, `make check` fails when they are stale."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from data_contracts.analytes import ANALYTES
from data_contracts.data_dictionary import data_dictionary
from data_contracts.instruments import INSTRUMENTS
from features.catalogue import FINGERPRINT, describe

DOCS = Path(__file__).parents[1] / "docs"


def feature_report() -> dict[str, Any]:
    """Every feature of the catalogue as plain data, with a summary by domain."""
    rows = describe()
    width = max(len(row["name"]) for row in rows)
    listing = "\n".join(f"{row['name']:<{width}}  {row['label_en']} [{row['unit']}]" for row in rows)
    counts = Counter(row["domain_en"] for row in rows)
    by_domain = ", ".join(f"{domain} {n}" for domain, n in counts.items())
    summary = f"{listing}\n{len(rows)} features: {by_domain}\ncatalogue fingerprint {FINGERPRINT[:12]}"
    return {"features": rows, "n_features": len(rows), "fingerprint": FINGERPRINT, "summary": summary}


def pages() -> dict[str, str]:
    """Return each generated page by file name."""
    return {
        "data_dictionary.md": data_dictionary(),
        "features.md": _features_page(),
        "instruments.md": _instruments_page(),
        "analytes.md": _analytes_page(),
        "commands.md": _commands_page(),
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _features_page() -> str:
    rows = describe()
    parts = [
        f"# Features\n\nGenerated from `features/catalogue.py`: {len(rows)} features. NaN means unknown, never zero."
    ]
    arrow = {1: "↑ risk", -1: "↓ risk", 0: "–"}
    head = ("name", "bokmål", "English", "unit", "domain", "expected", "modifiable", "meaning")
    for group, members in groupby(rows, key=itemgetter("group")):
        cells = [
            (f"`{row['name']}`", row["label_nb"], row["label_en"], row["unit"], row["domain_en"],
             arrow[row["expected_direction"]], "yes" if row["modifiable"] else "no", row["meaning"])
            for row in members
        ]  # fmt: skip
        parts.append(f"## {group}\n\n{_table(head, cells)}")
    return "\n\n".join(parts) + "\n"


def _instruments_page() -> str:
    parts = [
        "# Instruments\n\nGenerated from `data_contracts/instruments/`. Answers are stored as the codes below, before reversal."
    ]
    for instrument in INSTRUMENTS.values():
        rows = [
            (f"`{s.name}`", s.label_nb, s.label_en, f"{s.minimum:g}–{s.maximum:g}", s.method, len(s.items), s.fewest_answers,
             "higher is worse" if s.higher_is_worse else "higher is better",
             ", ".join(f"{b.name} from {b.lowest:g}" for b in s.bands))
            for s in instrument.scales
        ]  # fmt: skip
        items = ", ".join(f"`{item.id}`" for item in instrument.items)
        codes = sorted({", ".join(f"{a:g}" for a in item.answers) for item in instrument.items})
        head = ("scale", "bokmål", "English", "range", "method", "items", "fewest answers", "direction", "bands")
        parts.append(
            f"## {instrument.title} (`{instrument.name}`)\n\nItems: {items}. Answer codes: {'; '.join(codes)}.\n\n"
            f"{_table(head, rows)}\n\nLicence: {instrument.licence}. Source: {instrument.source}."
        )
    return "\n\n".join(parts) + "\n"


def _analytes_page() -> str:
    rows = [
        (f"`{a.name}`", a.label_nb, a.label_en, f"`{a.unit}`",
         "<br>".join(f"{code[0]} {code[1]} `{code[2]}`" for code in a.codes), f"{a.hard_low:g}–{a.hard_high:g}", a.valid_days)
        for a in ANALYTES
    ]  # fmt: skip
    head = ("name", "bokmål", "English", "canonical unit", "accepted codes and units", "hard limits", "valid days")
    return f"# Analytes\n\nGenerated from `data_contracts/analytes.csv`.\n\n{_table(head, rows)}\n"


def _commands_page() -> str:
    from typer.main import get_command

    from pipeline.cli import app

    group: Any = get_command(app)
    parts = ["# Commands\n\nGenerated from `pipeline/cli.py`. `balance-risk VERB --help` says the same."]
    for name, command in group.commands.items():
        rows = [
            (", ".join(f"`{option}`" for option in parameter.opts), parameter.help or "",
             "" if parameter.default in (None, False) else f"`{parameter.default}`")
            for parameter in command.params
            if parameter.name != "help"
        ]  # fmt: skip
        parts.append(f"## balance-risk {name}\n\n{command.help}\n\n{_table(('option', 'meaning', 'default'), rows)}")
    return "\n\n".join(parts) + "\n"


def main(check: bool) -> int:
    """Write the pages, or with ``check`` name the stale ones; return the exit code."""
    stale = [name for name, text in pages().items() if not _is_current(DOCS / name, text)]
    if check and stale:
        sys.stderr.write(f"Generated pages are stale: {', '.join(stale)}. Run: make format\n")
        return 1
    for name in stale:
        (DOCS / name).write_text(pages()[name], encoding="utf-8")
    return 0


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
