"""How much of what can be known the champion reaches, and how well its risks are calibrated, where the truth is known.

    python -m benchmarks.attainable [--persons 50000] [--seed 7]

The verbs of the README, one after the other, on a SYNTHETIC cohort whose true risks are kept apart; the numbers are those of
`balance-risk evaluate --json` on the later test period, of other persons. Writes benchmarks/results/attainable.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks import meta
from benchmarks.sections.markdown import table

OUTCOME = "long_sick_leave"
SHARE = "share_of_attainable_expected_auroc"
GOALS: dict[str, tuple[float, float]] = {
    SHARE: (0.95, 1.05),
    "calibration_slope": (0.95, 1.05),
    "observed_to_expected": (0.95, 1.05),
    "ici": (0.0, 0.01),
}
"""Between which limits the champion's estimates are to lie, of a cohort of 50 000 persons."""
SHOWN = ("auroc", "calibration_slope", "observed_to_expected", "ici")


def verb(*words: str) -> Any:
    """Run a verb as a user does and return what it says."""
    command = [sys.executable, "-m", "pipeline.cli", *words, "--json"]
    variables = os.environ | {"PYTHONPATH": str(meta.ROOT)}
    print(f"balance-risk {words[0]}", flush=True)
    return json.loads(subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True).stdout)


def evaluation(persons: int, seed: int, home: str) -> dict[str, Any]:
    """Return what evaluate says of a cohort."""
    here, one = ("--workspace", home), ("--outcome", OUTCOME)
    simulated = ("--persons", str(persons), "--seed", str(seed), "--format", "parquet", "--attainable")
    verb("simulate", *here, *simulated)
    verb("ingest", *here)
    verb("build-training-set", *here, *one)
    verb("train", *here, *one)
    found: dict[str, Any] = verb("evaluate", *here, *one)["outcomes"][OUTCOME]
    return found


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Return of every candidate its numbers with intervals and its share; of the champion whether they are as asked."""
    truth = found["against_truth"]
    models = {name: {metric: found["models"][name][metric] for metric in SHOWN} | {SHARE: truth["models"][name][SHARE]}
              for name in truth["models"]}  # fmt: skip
    champion = models[found["champion"]]
    estimates = {name: champion[name] if name == SHARE else champion[name]["value"] for name in GOALS}
    return {
        "outcome": OUTCOME, "champion": found["champion"], "test": {name: found["test"][name] for name in (
            "rows", "persons", "companies", "persons_with_event", "first_index_date", "last_index_date")},
        "attainable": truth["attainable"], "models": models,
        "holds": {name: low <= estimates[name] <= high for name, (low, high) in GOALS.items()},
        "harm": [f"{one['attribute']}: {one['group']} ({one['finding']})" for one in found["harm"]],
    }  # fmt: skip


def section(found: dict[str, Any]) -> Iterator[str]:
    """Yield the numbers of every candidate, and whether the champion's are as they are to be."""
    test = found["test"]
    yield (
        f"SYNTHETIC cohort of {found['persons']:,} persons, {found['outcome']}; test rows {test['first_index_date']} to "
        f"{test['last_index_date']}: {test['rows']:,} of {test['persons']:,} persons, {test['persons_with_event']:,} with an "
        f"event. Attainable: expected AUROC {found['attainable']['expected_auroc']:.3f}. The share is of what lies above 0.5."
    )
    yield ""
    rows = [
        [
            f"**{name}**" if name == found["champion"] else name,
            f"{100 * one[SHARE]:.1f} %",
            *map(_shown, map(one.get, SHOWN)),
        ]
        for name, one in found["models"].items()
    ]
    yield from table(["candidate (**champion**)", "share of attainable", "AUROC", "slope", "O:E", "ICI"], rows)
    yield ""
    met = [name for name, holds in found["holds"].items() if not holds]
    yield "Of the champion share, slope, O:E and ICI are to be at least 95 %, 0.95–1.05, 0.95–1.05 and below 0.01: " + (
        f"**not so: {', '.join(met)}**." if met else "they are."
    )
    yield ""
    yield f"Named as harmed: {'; '.join(found['harm']) or 'no group'}."


def _shown(number: dict[str, float]) -> str:
    return f"{number['value']:.3f} ({number['low']:.3f}–{number['high']:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        found = summary(evaluation(asked.persons, asked.seed, home))
    print(json.dumps(found["holds"]))
    meta.save(meta.RESULTS / "attainable.json", {"synthetic": True, "persons": asked.persons} | found)


if __name__ == "__main__":
    main()
