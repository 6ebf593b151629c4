"""The page docs/leakage_scoreboard.md, from the files of results alone."""

from __future__ import annotations

from typing import Any

from benchmarks.leakage.configured import CONFIGURED, TOPICS
from benchmarks.leakage.environments import RIVALS
from benchmarks.meta import told

OURS = "balance-risk"
COLUMNS = (*(f"{rival} {setting}" for rival in RIVALS for setting in ("default", "best")), OURS)
VERDICTS = ("right", "leaks", "wrong", "not offered")

HEAD = """# The leakage scoreboard

Generated from `benchmarks/results/leakage.json` by `python -m benchmarks.leakage.scoreboard`, which also runs everything
again (each rival in an environment of its own, made on first use). The cases are those of our own tests, declared once in
`tests/lib/leakage_cases.py`; the persons are made up.

A case is **right** only if every number at every date is. A wrong number **leaks** if it changes once all rows not yet
known, and all events not yet happened, on the morning of the index date are taken out of the tool's input: a rule applied by
the program, not a judgement. Otherwise it is **wrong**. **Not offered** means that the tool has no notion of the thing; it
counts neither for nor against. In brackets: how many of the case's numbers the tool gives at all. For a count, no answer is
taken as 0.

*Default* is what a tool's own guide or template shows, every switch as it ships. *Best* is what somebody who knows these
traps can configure in the tool, its documented extension points included, without as-of logic outside it. We wrote both.
"""

CAUTION = """What the table does not say: the best settings have to be thought of. Featuretools needs four primitives written
for the purpose and Feast two on-demand views (in `benchmarks/leakage/rivals/`); Feast's answer holds for persons with a
single spell, as all are here. The second version of timeseriesflattener takes the moment of prediction as part of the past,
which its first did not. No rival checks rows against each other (case 7), knows consent (10) or follow-up (11).
"""

SPEED = """## Speed, like for like

`python -m benchmarks.leakage.speed`. One index date; count, sum and longest of spells over 90, 365 and 730 days (doctor- and
self-certified apart), guidance sessions, latest values of ten analytes and of WHO-5. From data in memory to finished numbers,
one process each, the least of three runs (or of as many as fit into a minute); peak memory is the process's, its data
included. A *number* is one feature of one person. *Times ours* compares the time per number with that of our whole
catalogue; by CPU it is steadier where other work shares the processor. *Equal*: how many of the tool's numbers per person
are also ours; each was the same for every person.

`featuretools` takes spells as point events with `training_window`: its quickest way, and blind to corrected records.
`featuretools, versions` is the setting that got the corrected, deleted and interval cases right above: the like-for-like
one. `balance-risk` runs only the groups of features that hold what was asked for; gathering and scoring every row of the
person (192 answers) is counted, while the rivals are handed finished scores. Featuretools runs as it ships, in one job; ours
uses one thread, timeseriesflattener those of Polars.
"""


def short(answer: Any) -> str:
    """Return an answer in few characters."""
    if answer is None:
        return "unknown"
    return f"{answer:.6g}" if isinstance(answer, float | int) else str(answer)


def cell(summary: dict[str, Any]) -> str:
    """Return the verdict with the answers it rests on: all if right, else the first that decided it."""
    given = [part for part in summary["answers"] if part["verdict"] != "not offered"]
    of_all = "" if len(given) in (0, len(summary["answers"])) else f" ({len(given)} of {len(summary['answers'])})"
    if summary["verdict"] == "not offered":
        return "not offered"
    if summary["verdict"] == "right":
        return f"right: {', '.join(short(part['answer']) for part in given)}{of_all}"
    worst = next(part for part in given if part["verdict"] == summary["verdict"])
    found = f"{worst['name']} {short(worst['answer'])}, not {short(worst['expected'])}"
    return f"{summary['verdict']}: {found} on {worst['t']}{of_all}"


def page(results: dict[str, Any], speed: dict[str, Any] | None) -> str:
    """Return the page; ``speed`` is the content of peers_speed.json, if there is one."""
    about = told(results["meta"], "Leakage cases.") + "\n"
    parts = [
        HEAD,
        about,
        _totals(results),
        _cases(results),
        CAUTION,
        _configured(),
        *([_speed(speed)] if speed else []),
    ]
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _names(results: dict[str, Any]) -> list[str]:
    return [name for name in COLUMNS if name in results["cases"][0]["columns"]]


def _totals(results: dict[str, Any]) -> str:
    rows = []
    for name in _names(results):
        tool = name.split()[0]
        found = [case["columns"][name]["verdict"] for case in results["cases"]]
        rows.append([f"{name} ({results['versions'][tool]})", *(str(found.count(one)) for one in VERDICTS)])
    left_out = "".join(f"\n{line}\n" for line in results["left_out"])
    return _table(["of 12 cases", *VERDICTS], rows) + left_out


def _cases(results: dict[str, Any]) -> str:
    names = _names(results)
    rows = [
        [f"{case['number']} {case['name']}", *(cell(case["columns"][name]) for name in names)]
        for case in results["cases"]
    ]
    return _table(["case", *names], rows)


def _configured() -> str:
    lines = ["## What was configured\n"]
    for tool, topics in CONFIGURED.items():
        rows = []
        for topic, (default, best) in topics.items():
            numbers = ", ".join(str(number) for number, found in TOPICS.items() if topic in found)
            rows.append([numbers, topic, default, best])
        lines += [f"### {tool}\n", _table(["cases", "about", "default", "best"], rows)]
    return "\n".join(lines)


def _speed(speed: dict[str, Any]) -> str:
    columns = {
        "persons": lambda run: f"{run['persons']:,}".replace(",", " "),
        "tool": lambda run: run["tool"],
        "numbers": lambda run: str(run["features"]),
        "wall s": lambda run: f"{run['seconds']:.3g}",
        "CPU s": lambda run: f"{run['cpu_seconds']:.3g}",
        "peak MB": lambda run: f"{run['peak_mb']:.0f}",
        "µs per number": lambda run: f"{run['microseconds_per_number']:.3g}",
        "times ours": lambda run: f"{run['times_ours']:.3g}",
        "by CPU": lambda run: f"{run['times_ours_cpu']:.3g}",
        "equal": lambda run: run["equal"],
    }
    rows = [[written(run) for written in columns.values()] for run in speed["runs"]]
    return "\n".join(
        [SPEED, told(speed["meta"], "Feature tools.") + "\n", _in_short(speed["runs"]), _table([*columns], rows)]
    )


def _in_short(runs: list[dict[str, Any]]) -> str:
    alike = {run["persons"]: run["times_ours_cpu"] for run in runs if run["tool"] == OURS}
    lines = []
    for tool in dict.fromkeys(run["tool"] for run in runs if not run["tool"].startswith(OURS)):
        found = [run for run in runs if run["tool"] == tool]
        whole = _from_to([run["times_ours_cpu"] for run in found])
        same = _from_to([run["times_ours_cpu"] / alike[run["persons"]] for run in found])
        lines.append(
            f"* `{tool}`: CPU time per number {whole} times that of our whole catalogue, and {same} times ours "
            "if all our work is charged to the numbers asked for."
        )
    largest = {run["tool"]: run["cpu_seconds"] for run in runs if run["persons"] == runs[-1]["persons"]}
    totals = ", ".join(f"`{tool}` {seconds:.3g} s" for tool, seconds in largest.items())
    lines.append(f"* CPU time in all at the largest size, whatever was computed for it: {totals}.")
    return "\n".join(lines) + "\n"


def _from_to(ratios: list[float]) -> str:
    return " to ".join(f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}" for ratio in (min(ratios), max(ratios)))
