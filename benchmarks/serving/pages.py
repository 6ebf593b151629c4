"""How long a page takes from request to last byte, and how large it is: the worklist of 10 000 persons, and all pages of one.

    python -m benchmarks.serving.pages [--persons 10000] [--note "..."]

In one process, with token, policy, audit on the disk and everything else that a page costs, but the network. SYNTHETIC
persons; the models are small. Promised: under 300 ms and under 150 kB. Writes benchmarks/results/pages.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import meta
from data_contracts.domains import DOMAIN_LABELS
from data_contracts.time_windows import today
from serving.store.nights import OutcomeScore
from tests.lib.in_process import running
from tests.lib.pages import HOME, Pages, clinicians_pages
from tests.lib.stores import NIGHT, OUTCOME, scored, write

RESULTS = meta.RESULTS / "pages.json"
TURNS = 20
N_COMPANIES, N_DECIDED = 600, 150
PERSON_PAGES = ("", "/contributions", "/profile", "/timeline", "/what-if", "/decisions")


def persons(n: int) -> Iterator[Any]:
    """Yield persons of many companies, each with a number, a part of it that can be worked with, and a domain."""
    random = np.random.default_rng(17)
    domains = list(DOMAIN_LABELS)
    for number, risk in enumerate(random.beta(2, 12, n).tolist()):
        benefit, domain = risk * random.random(), domains[number % len(domains)]
        band = "above" if risk >= 0.3 else "around"
        score = OutcomeScore(OUTCOME, "event", risk, risk / 2, min(1.0, risk * 2), band, benefit, domain)
        yield scored(f"SYNTHETIC-{number}", risk, outcomes=(score,), companies=(f"c{number % N_COMPANIES}",))


def timed(pages: Pages, path: str, **who: Any) -> dict[str, Any]:
    """Return milliseconds and bytes of one page."""
    taken = []
    for _ in range(TURNS):
        began = time.perf_counter()
        answer = pages.get(path, **who)
        taken.append(1e3 * (time.perf_counter() - began))
        answer.raise_for_status()
    return {"page": path or "/", "first_ms": taken[0], "median_ms": float(np.median(taken)), "most_ms": max(taken[1:]),
            "kb": len(answer.content) / 1e3}  # fmt: skip


def worklist(n: int) -> list[dict[str, Any]]:
    """Time the worklist of a clinician of all companies, and of three of them."""
    with tempfile.TemporaryDirectory() as place, running(Path(place)) as service:
        pages = Pages(service)
        write(pages.store, *persons(n), night=NIGHT)
        for number in range(min(N_DECIDED, n)):
            score = pages.store.latest_score(f"SYNTHETIC-{number}", today())
            pages.store.record_decision("clinician-1", score, OUTCOME, "agree", "spoken to", "conversation")
        every, three = ([f"c{one}" for one in range(count)] for count in (N_COMPANIES - 100, 3))
        return [
            timed(pages, f"/ui/worklist?capacity={capacity}", organisations=companies) | {"companies": len(companies)}
            for companies in (every, three)
            for capacity in (20, 200)
        ]


def of_a_person() -> list[dict[str, Any]]:
    """Time the pages of the person of the example."""
    with tempfile.TemporaryDirectory() as place, clinicians_pages(Path(place)) as pages:
        pages.begin_care()
        return [timed(pages, HOME + page) for page in PERSON_PAGES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=10_000)
    parser.add_argument("--note", default="", help="of the machine and what else ran, kept with the results")
    asked = parser.parse_args()
    lines = [*worklist(asked.persons), *of_a_person()]
    for line in lines:
        print(
            f"{line['page']:60} median {line['median_ms']:6.0f} ms, most {line['most_ms']:6.0f} ms, {line['kb']:5.0f} kB"
        )
    told = {"synthetic": True, "persons": asked.persons, "lines": lines}
    meta.save(RESULTS, told, packages=("bentoml", "starlette", "jinja2", "sqlalchemy", "numpy"), note=asked.note)


if __name__ == "__main__":
    main()
