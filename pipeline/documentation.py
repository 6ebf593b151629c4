"""Files that follow from the declarations: `make format` writes them, `make check` fails when they are stale."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data_contracts.analytes import ANALYTES, Analyte
from data_contracts.data_dictionary import data_dictionary
from data_contracts.domains import DOMAIN_LABELS
from data_contracts.instruments import INSTRUMENTS, Scale
from data_contracts.published_norms import RELIABILITY
from features.catalogue import FINGERPRINT, describe

ROOT = Path(__file__).parents[1]


def feature_report(every: bool) -> dict[str, Any]:
    """The catalogue as plain data: how many features of each domain and group, and each of them if ``every`` is asked."""
    rows = describe()
    domains, groups = (Counter(row[key] for row in rows) for key in ("domain_en", "group"))
    total = f"{len(rows):>5}  features; fingerprint {FINGERPRINT[:12]}"
    summary = [*(f"{n:>5}  {domain}" for domain, n in domains.items()), total]
    if every:
        width = max(len(row["name"]) for row in rows)
        summary = [*(f"{row['name']:<{width}}  {row['label_en']} [{row['unit']}]" for row in rows), *summary]
    else:
        summary.append("each of them: balance-risk features --list (--json: with formula, range, direction and source)")
    return {
        "n_features": len(rows),
        "domains": dict(domains),
        "groups": dict(groups),
        "fingerprint": FINGERPRINT,
        **({"features": rows} if every else {}),
        "summary": "\n".join(summary),
    }


def pages() -> dict[str, str]:
    """Return the text of each generated file by its path."""
    # Slow to import, and the verb features, which this module serves too, needs neither.
    from data_contracts.open_data_contract import open_data_contract
    from data_contracts.units import conversions_csv

    return {
        "data_contracts/analyte_conversions.csv": conversions_csv(),
        "docs/contract.odcs.yaml": open_data_contract(),
        "docs/data_dictionary.md": data_dictionary(),
        "docs/features.md": _features_page(),
        "docs/instruments.md": _instruments_page(),
        "docs/analytes.md": _analytes_page(),
        "docs/commands.md": _commands_page(),
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _features_page() -> str:
    rows = describe()
    sources = list(dict.fromkeys(row["source"] for row in rows if row["source"]))
    head = (
        "name",
        "bokmål",
        "English",
        "meaning",
        "unit",
        "range",
        "expected",
        "can be changed",
        "table",
        "current for",
    )
    parts = [
        f"# Features\n\nGenerated from `features/catalogue.py`: {len(rows)} features over {len(DOMAIN_LABELS)} domains. t is "
        "the morning of the prediction; only what was known before it counts. NaN means unknown, never zero. *Expected* is the "
        "direction in which the risk is expected to move when the number rises, with its source below; a model is free to "
        "find another."
    ]
    for domain, label in DOMAIN_LABELS.items():
        cells = [_feature_cells(row, sources) for row in rows if row["domain"] == domain]
        parts.append(f"## {label['en']} ({label['nb']})\n\n{_table(head, cells)}")
    parts.append("## Sources\n\n" + "\n".join(f"{number}. {source}" for number, source in enumerate(sources, 1)))
    return "\n\n".join(parts) + "\n"


def _feature_cells(row: dict[str, Any], sources: list[str]) -> tuple[str, ...]:
    arrow = {1: "↑ risk", -1: "↓ risk", 0: "–"}[row["expected_direction"]]
    return (
        f"`{row['name']}`", row["label_nb"], row["label_en"], row["meaning"], row["unit"], _range(row["low"], row["high"]),
        f"{arrow} [{sources.index(row['source']) + 1}]" if row["source"] else arrow,
        "yes" if row["modifiable"] else "no", row["table"], f"{row['valid_days']} d" if row["valid_days"] else "–",
    )  # fmt: skip


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "any" if low is high else f"from {low:.6g}" if high is None else f"to {high:.6g}"
    return f"{low:.6g} to {high:.6g}"


def _instruments_page() -> str:
    parts = [
        "# Instruments\n\nGenerated from `data_contracts/instruments/`. Answers are stored as the codes below, as answered, "
        "before any reversal. A source that counts or orders them in another way can pass every check and turn the scores "
        "round: compare *what the codes mean* before sending. No wording of any item is in this repository; of instruments "
        "marked *scoring only* the customer brings the licensed text."
    ]
    for instrument in INSTRUMENTS.values():
        rows = [
            (f"`{s.name}`", s.label_nb, s.label_en, f"{s.minimum:g}–{s.maximum:g}", s.method, len(s.items), _fewest(s),
             "higher is worse" if s.higher_is_worse else "higher is better", _bands(s), _reliability(s.name))
            for s in instrument.scales
        ]  # fmt: skip
        kind = " *Scoring only.*" if instrument.licence_kind == "scoring_only" else ""
        safety = "".join(
            f" **Safety: an answer above {rule.above:g} to `{rule.item}` must be looked at by a clinician today.**"
            for rule in instrument.safety
        )
        head = (
            "scale",
            "bokmål",
            "English",
            "range",
            "method",
            "items",
            "fewest answers",
            "direction",
            "bands",
            "reliability",
        )
        parts.append(
            f"## {instrument.title} (`{instrument.name}`)\n\nItems: {instrument.items_text}. "
            f"Answer codes: {instrument.codes_text}.{safety}\n\nWhat the codes mean: {instrument.coding}\n\n"
            f"{_table(head, rows)}\n\nLicence:{kind} {instrument.licence} Source: {instrument.source}"
        )
    return "\n\n".join(parts) + "\n"


def _fewest(scale: Scale) -> str:
    # A function may need certain answers, whatever their number.
    is_whole_rule = scale.function is None or scale.fewest_answers == len(scale.items)
    return str(scale.fewest_answers) if is_whole_rule else f"{scale.fewest_answers}, and as said above"


def _reliability(scale: str) -> str:
    found = RELIABILITY.get(scale)
    return "" if found is None else f"α {found.alpha:g}, {found.sample}; {found.source}"


def _bands(scale: Scale) -> str:
    of_sex = {"female": " (women)", "male": " (men)", None: ""}
    return ", ".join(f"{band.name} from {band.lowest:g}{of_sex[band.sex]}" for band in scale.bands)


def _analytes_page() -> str:
    intro = (
        "# Analytes\n\nGenerated from `data_contracts/analytes.csv`, `analyte_codes.csv`, `analyte_conversions.csv` (computed "
        "by pint and ucumvert) and `reference_intervals.csv`. The laboratory's own interval goes before the fall-back here."
    )
    return "\n\n".join([intro, *map(_analyte_section, ANALYTES)]) + "\n"


def _analyte_section(a: Analyte) -> str:
    facts = [
        f"canonical unit `{a.unit}`",
        f"accepted from {a.hard_low:g} to {a.hard_high:g}",
        f"current for {a.valid_days} days",
        {1: "higher is worse", -1: "lower is worse", 0: "both ends or neither"}[a.higher_is_worse],
        f"examination: {a.examination.replace('_', ' ')}",
        *(["its course over time is followed"] if a.followed else []),
        *([f"derived from {', '.join(a.derived_from)} where not measured"] if a.derived_from else []),
    ]
    evidence = {
        (row["code"], row["unit"]): (row["evidence"], row["note"]) for row in _declared("analyte_codes", a.name)
    }
    codes = [
        (c.code_system, c.code, f"`{c.unit}`", f"{c.factor:.6g}", f"{c.offset:.6g}", *evidence[c.code, c.unit])
        for c in a.codes
    ]
    intervals = [
        (
            row["sex"],
            f"{row['age_from']}–{row['age_to']}",
            ("above " if row["open"] in ("low", "both") else "") + row["low"],
            ("below " if row["open"] in ("high", "both") else "") + row["high"],
            row["evidence"],
            row["source"],
        )
        for row in _declared("reference_intervals", a.name)
    ]
    parts = [f"## {a.label_en} (`{a.name}`)\n\n{a.label_nb}; {'; '.join(facts)}. {a.note}".rstrip()]
    if codes:
        parts.append(_table(("system", "code", "unit", "factor", "offset", "evidence", "note"), codes))
    if intervals:
        parts.append(_table(("sex", "age", "low", "high", "evidence", "source"), intervals))
    return "\n\n".join(parts)


def _declared(file: str, analyte: str) -> list[dict[str, str]]:
    with (ROOT / "data_contracts" / f"{file}.csv").open(encoding="utf-8", newline="") as rows:
        return [row for row in csv.DictReader(rows) if row["analyte"] == analyte]


def _commands_page() -> str:
    from typer.main import get_command

    from pipeline.cli import app

    head = "# Commands\n\nGenerated from `pipeline/commands/`. `balance-risk VERB --help` says the same."
    return "\n\n".join([head, *_verbs("balance-risk", get_command(app))]) + "\n"


def _verbs(path: str, group: Any) -> Iterator[str]:
    """Yield what is said of each verb of a group, and of the verbs of the groups in it."""
    for name, command in group.commands.items():
        rows = [
            (", ".join(f"`{option}`" for option in parameter.opts), parameter.help or "",
             "" if parameter.default in (None, False) else f"`{parameter.default}`")
            for parameter in command.params
            if parameter.name != "help"
        ]  # fmt: skip
        options = [_table(("option", "meaning", "default"), rows)] if rows else []
        yield "\n\n".join([f"## {path} {name}", command.help, *options])
        if hasattr(command, "commands"):
            yield from _verbs(f"{path} {name}", command)


def main(check: bool) -> int:
    """Write the pages, or with ``check`` name the stale ones; return the exit code."""
    stale = {name: text for name, text in pages().items() if not _is_current(ROOT / name, text)}
    if check and stale:
        sys.stderr.write(f"Generated files are stale: {', '.join(stale)}. Run: make format\n")
        return 1
    for name, text in stale.items():
        (ROOT / name).write_text(text, encoding="utf-8")
    return 0


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
