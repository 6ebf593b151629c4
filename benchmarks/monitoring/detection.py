"""Does monitoring see a change that has a date, how late, and how often does it see one where nothing has changed?

``python -m benchmarks.monitoring.detection [--seeds N] [--nulls N]``: programmes of 3 000 SYNTHETIC persons, and customers of
200 among them, watched month by month; writes ``benchmarks/results/monitoring_detection.json``. A change counts as seen when
the alarm names what changed; the base is asked the same question, since a cohort that ages and stops answering drifts too.
Where nothing has changed: the rows of every person are dealt by a coin to reference and now.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from benchmarks import meta
from benchmarks.monitoring.programmes import (
    BEGUN,
    CHANGE,
    END,
    OUTCOME,
    TRAINED,
    Champion,
    champion,
    firms,
    matured,
    month_of,
    programme,
)  # fmt: skip
from models.estimators.literature import CORE
from models.monitoring.calibration_drift import CalibrationTest
from models.monitoring.comparison import Shift
from models.monitoring.false_discovery import Alarm, alarms
from models.training_set import index_dates
from pipeline.monitoring.arrival import arrival
from pipeline.monitoring.inputs import input_shifts, score_shifts, watched
from pipeline.monitoring.matured import streams_of
from pipeline.monitoring.responding import RESPONSE, response, response_tests
from pipeline.monitoring.score_groups import subgroup_score_shifts
from pipeline.monitoring.windows import Window, joined, matures_on, reference_dates
from pipeline.settings import MonitoringSettings, TrainingSettings

RESULTS = meta.RESULTS / "monitoring_detection.json"
PERSONS, FIRM = 3000, 200
FIRMS = (50, FIRM)
OTHERS_SEED, FIRST_SEED = 900, 901
MONTHS = index_dates(date(2023, 8, 1), date(2024, 1, 1), 1)
"""As many as the longest delay that is stated for what needs no labels."""

LAG_DAYS = TrainingSettings().registration_lag_days
SETTINGS = MonitoringSettings()
SMALLEST = {"level": SETTINGS.smallest_level, "missing": SETTINGS.smallest_missing}

Pair = tuple[Window, Window]
Seen = Callable[[list[Alarm]], bool]


def names(columns: set[str], kind: str) -> Seen:
    """Return whether an alarm is led by one of some features, risen."""
    return lambda found: any(
        one.name in columns and one.kind == kind and (one.difference or 0.0) > 0
        for alarm in found for one in alarm.leading
    )  # fmt: skip


def fewer_answers(found: list[Alarm]) -> bool:
    """Return whether fewer persons answer."""
    return any(one.group == RESPONSE and (one.leading[0].difference or 0.0) > 0 for one in found)


@dataclass(frozen=True)
class Question:
    """What an alarm must name to count, and the delay that is stated for it in months."""

    scenario: str
    stated: int
    seen: Seen


INPUTS = (
    Question("survey_mode_change", 6, names({"cbi_personal", "cbi_work", "hscl10_distress", "bis_insomnia"}, "level")),
    Question("laboratory_method_change", 6, names({"vitamin_d"}, "level")),
    Question("response_collapse", 6, fewer_answers),
)
LATE = Question("late_registers", 2, names({"absence_spells"}, "level"))

MORE, MORE_STATED = "more_absence", 18
"""What only labels show, and the months stated for it: a year and two weeks until the first mature, and two seasons more."""


def tested(model: Champion, reference: Window, current: Window) -> list[Shift]:
    """Return all that the verb compares without labels and contacts, in its order."""
    scores = model.linear(reference), model.linear(current)
    return [
        *input_shifts(reference, current, SETTINGS.months, watched(CORE)),
        *score_shifts(reference, current, scores),
        *subgroup_score_shifts(reference, current, scores),
        *response_tests(response(reference, current, SETTINGS.months)),
    ]


def called(shifts: list[Shift]) -> list[Alarm]:
    """Return the alarms at the settings of params.yaml."""
    return alarms(shifts, SETTINGS.false_discovery_rate, SMALLEST)


def first_seen(months: list[bool]) -> int | None:
    """Return the number of the first month with the alarm, counted from the change: 1 is the first."""
    return next((place + 1 for place, is_seen in enumerate(months) if is_seen), None)


def inputs_seen(
    tables: Path, model: Champion, questions: tuple[Question, ...]
) -> dict[str, dict[str, list[int | None]]]:
    """Return, by size and question, when the programme and each of its firms first saw it."""
    cut = [month_of(tables, month) for month in MONTHS]
    programmes: dict[str, list[list[list[Alarm]]]] = {
        str(PERSONS): [[called(tested(model, *pair)) for pair in cut]],
        str(FIRM): [
            [called(tested(model, *pair)) for pair in months]
            for months in zip(*(firms(pair, FIRM) for pair in cut), strict=False)
        ],
    }
    return {
        size: {one.scenario: [first_seen([one.seen(found) for found in each]) for each in runs] for one in questions}
        for size, runs in programmes.items()
    }


def late_seen(tables: Path) -> list[int | None]:
    """Return when slower certificates were first seen in the whole programme."""
    seen = []
    for month in MONTHS:
        references = reference_dates(month, *TRAINED, BEGUN)
        _, moved = arrival(tables, month, SETTINGS.months, references, LAG_DAYS)
        seen.append(LATE.seen(called(moved)))
    return [first_seen(seen)]


def calibration_seen(tables: Path, model: Champion, persons: int | None = None) -> list[int | None]:
    """Return the months from the change to the calibration alarm, for the programme or for firms of so many persons."""
    window = matured(tables)
    rows = [window] if persons is None else [one for (one,) in firms((window,), persons)]
    return [_calibration_alarm(one, model) for one in rows]


def _calibration_alarm(rows: Window, model: Champion) -> int | None:
    test = CalibrationTest(
        SETTINGS.calibration_alpha, OUTCOME.horizon_days, streams_of(OUTCOME, 3), SETTINGS.calibration_tolerance
    )
    risks = model.risks(rows)
    for t in np.unique(rows.t):
        here = rows.t == t
        state = test.update(int(t), risks[here], rows.y[here])
        if state.is_alarm:
            return round((matures_on(int(t), OUTCOME) - CHANGE).days / 30.4)
    return None


def exchanged(reference: Window, current: Window, random: np.random.Generator) -> tuple[Window, Window]:
    """Deal each person's rows to the two sides anew by one coin: nothing has changed, and persons are on both sides."""
    pool = joined([reference, current])
    is_current = np.repeat([False, True], [len(reference), len(current)])
    persons, position = np.unique(pool.person, return_inverse=True)
    is_current ^= (random.random(len(persons)) < 0.5)[position]
    return pool.take(~is_current), pool.take(is_current)


def null_alarms(cut: list[Pair], model: Champion, persons: int, seed: int) -> list[bool]:
    """Return whether a firm in which nothing has changed raises any alarm, once for each firm and month."""
    random = np.random.default_rng([seed, persons])
    pairs = [pair for both in cut for pair in firms(both, persons)]
    return [bool(called(tested(model, *exchanged(*pair, random)))) for pair in pairs]


def row_of(
    scenario: str, persons: str, stated: int, months: list[int | None], base: list[int | None]
) -> dict[str, Any]:
    """Return a line of the table: share seen within the stated delay, the median delay, and the same question in the base."""
    delays = [one for one in months if one is not None]
    return {
        "scenario": scenario, "persons": persons, "runs": len(months), "stated_months": stated,
        "seen": share(one is not None and one <= stated for one in months),
        "median_months": float(np.median(delays)) if delays else None,
        "base_runs": len(base), "seen_in_base": share(one is not None and one <= stated for one in base),
    }  # fmt: skip


def share(flags: Iterator[bool]) -> float:
    """Return the share that is true."""
    return float(np.mean(list(flags)))


def null_row(what: str, persons: int, flags: list[bool], promised: float) -> dict[str, Any]:
    """Return a line of false alarms, with the 95 % interval of its share."""
    low, high = proportion_confint(sum(flags), len(flags), method="wilson")
    return {"what": what, "persons": persons, "runs": len(flags), "promised": promised,
            "alarms": float(np.mean(flags)), "low": low, "high": high}  # fmt: skip


def detection(root: Path, model: Champion, seeds: range) -> list[dict[str, Any]]:
    """Run every scenario and the base with each seed."""
    found: dict[tuple[str, str], tuple[list[int | None], list[int | None]]] = {}
    stated = {one.scenario: one.stated for one in (*INPUTS, LATE)} | {MORE: MORE_STATED}
    for seed in seeds:
        base = programme(root, None, seed, PERSONS)
        of_base = inputs_seen(base, model, INPUTS)
        for one in INPUTS:
            here = inputs_seen(programme(root, one.scenario, seed, PERSONS), model, (one,))
            for size, by_question in here.items():
                _add(found, (one.scenario, size), by_question[one.scenario], of_base[size][one.scenario])
        _add(
            found,
            (LATE.scenario, str(PERSONS)),
            late_seen(programme(root, LATE.scenario, seed, PERSONS)),
            late_seen(base),
        )
        more = programme(root, MORE, seed, PERSONS)
        for size in (None, FIRM):
            both = calibration_seen(more, model, size), calibration_seen(base, model, size)
            _add(found, (MORE, str(size or PERSONS)), *both)
    return [row_of(name, size, stated[name], *both) for (name, size), both in found.items()]


def _add(found: dict[Any, Any], key: tuple[str, str], here: list[int | None], base: list[int | None]) -> None:
    both = found.setdefault(key, ([], []))
    both[0].extend(here)
    both[1].extend(base)


def nulls(root: Path, model: Champion, seeds: range) -> list[dict[str, Any]]:
    """Count alarms where nothing has changed: two looks at each programme, and its calibration over all looks."""
    looks: dict[int, list[bool]] = {persons: [] for persons in FIRMS}
    ever: dict[int, list[bool]] = {persons: [] for persons in FIRMS}
    for seed in seeds:
        base = programme(root, None, seed, PERSONS)
        cut = [month_of(base, month) for month in MONTHS[2::3]]
        for persons in FIRMS:
            looks[persons] += null_alarms(cut, model, persons, seed)
            ever[persons] += [one is not None for one in calibration_seen(base, model, persons)]
    inputs, labels = "inputs, scores and response of one look", "calibration, all looks together"
    return [
        *(null_row(inputs, persons, flags, SETTINGS.false_discovery_rate) for persons, flags in looks.items()),
        *(null_row(labels, persons, flags, SETTINGS.calibration_alpha) for persons, flags in ever.items()),
    ]


def main() -> None:
    """Run all and write the results."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--nulls", type=int, default=5)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2) as processes:
        root = Path(folder)
        model = champion(programme(root, None, OTHERS_SEED, 2 * PERSONS))
        unchanged = range(OTHERS_SEED + 50, OTHERS_SEED + 50 + chosen.nulls)
        parts = {
            "nulls": processes.submit(nulls, root, model, unchanged),
            "detection": processes.submit(detection, root, model, range(FIRST_SEED, FIRST_SEED + chosen.seeds)),
        }
        found = {"synthetic": True, "seeds": chosen.seeds, "until": END.isoformat()}
        found |= {name: part.result() for name, part in parts.items()}
    meta.save(RESULTS, found, packages=("numpy", "scipy", "statsmodels", "lightgbm"))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
