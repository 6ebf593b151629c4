"""How much processor time a night takes per person: records alone, records together, and the whole verb.

    python -m benchmarks.score_speed [--workspace 10000] [--index-date 2026-01-01] [--persons 1000]

The workspace needs tables and a champion: one that ``python -m benchmarks.scale.run`` has left, by its number of persons, or an
absolute path.
The whole verb is run on a store of its own, which is deleted. Writes benchmarks/results/score_speed.json.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from itertools import islice

import orjson

from benchmarks import meta
from benchmarks.scale.run import HOME
from benchmarks.scale.stages import INDEX_DATE
from models.bundle import current_bundle
from models.outcomes import OUTCOMES
from pipeline import score
from pipeline.everyone import Everyone
from pipeline.nightly import STORE_VARIABLE, received_on
from pipeline.workspace import Workspace
from serving.store.scoring import Scorer, Task


def main() -> None:
    """Measure and print one line per way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", default="10000")
    parser.add_argument("--index-date", type=date.fromisoformat, default=date.fromisoformat(INDEX_DATE))
    parser.add_argument("--persons", type=int, default=1000)
    asked = parser.parse_args()
    workspace, day = Workspace(HOME / asked.workspace), asked.index_date
    there = workspace.bundles.exists()
    outcomes = [name for name in OUTCOMES if there and current_bundle(workspace.bundles, name)]
    if not outcomes:
        sys.exit("The workspace has no champion: run python -m benchmarks.scale.run --persons 10000 first.")
    found = islice(Everyone(workspace, workspace.tables, day).records(), asked.persons)
    lines = [orjson.dumps({"person_id": person_id, "record": record}) for person_id, record in found]
    bundles = {name: str(current_bundle(workspace.bundles, name)) for name in outcomes}
    key = str(workspace.keys / "verify.key")
    scorer = Scorer(Task("score", day, received_on(workspace.tables, day), bundles, key, {}))
    scorer.lines(lines[:10])
    alone, together = (_milliseconds(scorer, lines, size) for size in (1, 100))
    verb = _of_verb(workspace, day, outcomes)
    print(f"{len(lines)} persons, {', '.join(outcomes)}")
    print(f"one at a time   {alone:.2f} ms CPU per person")
    print(f"a hundred       {together:.2f} ms CPU per person, ratio {alone / together:.1f}")
    print(f"the whole verb  {verb:.2f} ms CPU per person, start of processes included")
    ways = {"alone_ms": alone, "a_hundred_ms": together, "verb_ms": verb}
    about = {"synthetic": True, "persons": len(lines), "outcomes": outcomes}
    meta.save(meta.RESULTS / "score_speed.json", about | ways, packages=("numpy", "lightgbm", "orjson"))


def _milliseconds(scorer: Scorer, lines: Sequence[bytes], size: int) -> float:
    began = time.process_time()
    for first in range(0, len(lines), size):
        scorer.lines(lines[first : first + size])
    return 1000 * (time.process_time() - began) / len(lines)


def _of_verb(workspace: Workspace, day: date, outcomes: list[str]) -> float:
    with tempfile.TemporaryDirectory() as home:
        os.environ[STORE_VARIABLE] = f"sqlite:///{home}/store.db"
        began = _processor_time()
        night = score.run(workspace, day, outcomes, None)["night"]
        return 1000 * (_processor_time() - began) / (night["persons"] + night["refused"])


def _processor_time() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
