"""The panel of the verb effect from the workspace's tables: companies by quarter, as known on one morning.

Counted are persons who consent to effect_evaluation on that morning, of every source that the number is made of. A company
has the intervention from its first session that is known then, and keeps it: as started, not as allocated, since the tables
do not hold who was drawn to begin. The quarter of that session is left out, as it lies on both sides; the start is the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from data_contracts.absence_percentage import absence_percentage
from data_contracts.consent import SOURCES
from data_contracts.current_rows import current_rows
from data_contracts.errors import MissingInputError, NotEnoughDataError, SettingsError
from data_contracts.instruments import INSTRUMENTS
from data_contracts.readers.parquet_files import day_span, read_table
from data_contracts.records import TABLES, Source, WorkplaceEvent
from data_contracts.tables import Table, take
from data_contracts.time_windows import NO_DAY, day_number
from features.blocks import FOREVER
from features.histories import SOURCE_TABLES, Histories
from features.sheet_layouts import SCALES, scales_of
from features.survey_scores import occasions
from pipeline.console import progress
from pipeline.settings import TrainingSettings

ABSENCE = "absence_percent"
INTERVENTION = "intervention_session"
QUARTERS_BEFORE = 8
"""Of the earliest start; the HelseIArbeid trial had three years of baseline, the register is read two years back here."""


def panel_of(tables: Path, measure: str, settings: TrainingSettings) -> tuple[pd.DataFrame, date]:
    """Return the panel of a measure, ``absence_percent`` or the name of a scale, and the morning it is as of.

    Raises
    ------
    SettingsError
        If there is no such measure.
    NotEnoughDataError
        If no session is known, or no quarter is over.
    """
    sources: tuple[Source, ...] = ("employment", "absence" if measure == ABSENCE else "survey")
    if measure != ABSENCE:
        _instrument(measure)
    as_of = morning(tables, SOURCE_TABLES[sources[1]], settings)
    begun = _first_sessions(tables, as_of)
    quarters = _quarters(begun, as_of - timedelta(days=settings.registration_lag_days))
    found = (
        _absence(tables, as_of, quarters, sources)
        if measure == ABSENCE
        else _scores(tables, as_of, measure, quarters, sources)
    )
    start = found["company"].map({company: quarter_of(day) for company, day in begun.items()})
    found = found[(found["period"] != start).to_numpy()]
    return found.assign(start=start[found.index] + 1.0).reset_index(drop=True), as_of


def morning(tables: Path, table: str, settings: TrainingSettings) -> date:
    """Return training.data_as_of, or the morning after the last row of a table became known."""
    span = day_span(tables, table, "known_from")
    if span is None:
        raise NotEnoughDataError(f"{table} has no rows: nothing to measure an effect on.")
    return settings.data_as_of or span[1] + timedelta(days=1)


def quarter_of(day: date) -> int:
    """Return the quarter of a day as a whole number, 4 * year + (quarter - 1)."""
    return day.year * 4 + (day.month - 1) // 3


def first_day_of(quarter: int) -> date:
    """Return the first day of a quarter."""
    return date(quarter // 4, quarter % 4 * 3 + 1, 1)


def consenting(tables: Path, names: Sequence[str], as_of: date, sources: Sequence[Source]) -> dict[str, Table]:
    """Return tables with the rows of persons alone who consent to effect_evaluation of every source, on that morning."""
    read = {name: read_table(tables / f"{name}.parquet", TABLES[name]) for name in ("persons", "consents", *names)}
    known = {name: read[name] for name in ("persons", "consents")}
    histories = Histories.from_tables(known, purpose="effect_evaluation", consent_on=as_of, data_as_of=as_of)
    allowed = histories.consented[:, [SOURCES.index(source) for source in sources]].all(axis=1)
    persons = {histories.person_ids[position]: 1 for position in np.flatnonzero(allowed)}
    return {name: take(read[name], read[name]["person_id"].recode(persons, 0) == 1) for name in names}


def risks_and_absence(
    tables: Path, scores: Path, outcome: str, days: int, settings: TrainingSettings
) -> tuple[pd.DataFrame, date]:
    """Return the risks of a night's list and the doctor-certified absence of the ``days`` after it, per cent, per person.

    ``outcome`` is NaN where nothing may or can be counted: no consent to effect_evaluation, or no agreed days.

    Raises
    ------
    MissingInputError, NotEnoughDataError
        If there is no such list, or its days are not over yet.
    """
    if not scores.exists():
        raise MissingInputError(f"{scores}: not there yet. Make it with: balance-risk score --index-date {scores.stem}")
    index_date, as_of = date.fromisoformat(scores.stem), morning(tables, "absence_spells", settings)
    over = index_date + timedelta(days=days + settings.registration_lag_days)
    if over > as_of:
        raise NotEnoughDataError(
            f"The {days} days after {index_date} are known on {over}; the data end on {as_of}. Choose an earlier --scored-on."
        )
    chosen = consenting(tables, ("employments", "absence_spells"), as_of, ("employment", "absence"))
    counted = absence_percentage(chosen, index_date, index_date + timedelta(days=days - 1), by="person_id", as_of=as_of)
    absence = pd.Series(counted.percent_doctor_certified, index=counted.groups)
    listed = pd.read_csv(scores, usecols=["person_id", "outcome", "risk"])
    listed = listed[(listed["outcome"] == outcome) & listed["risk"].notna()]
    found = pd.DataFrame({"score": listed["risk"], "outcome": listed["person_id"].map(absence)})
    return found.reset_index(drop=True), as_of


def _first_sessions(tables: Path, as_of: date) -> dict[str, date]:
    events = read_table(tables / "workplace_events.parquet", WorkplaceEvent)
    events = take(events, current_rows(WorkplaceEvent, events, as_of))
    events = take(events, events["kind"].recode({INTERVENTION: 1}, 0) == 1)
    first: dict[str, date] = {}
    for company, day in zip(events["company_id"].texts(), events["occurred_on"].tolist(), strict=True):
        first[company] = min(day, first.get(company, day))
    if not first:
        raise NotEnoughDataError(
            f"No {INTERVENTION} is known in workplace_events: nothing says which companies have the intervention since when."
        )
    return first


def _quarters(begun: dict[str, date], last_day: date) -> range:
    first, end = quarter_of(min(begun.values())) - QUARTERS_BEFORE, quarter_of(last_day)
    if end - first < 2:
        raise NotEnoughDataError(f"No two quarters around the first {INTERVENTION} are over on {last_day}.")
    return range(first, end)


def _absence(tables: Path, as_of: date, quarters: range, sources: Sequence[Source]) -> pd.DataFrame:
    chosen = consenting(tables, ("employments", "absence_spells"), as_of, sources)
    parts = []
    with progress("count absence by company and quarter", len(quarters)) as advance:
        for quarter in quarters:
            last = first_day_of(quarter + 1) - timedelta(days=1)
            counted = absence_percentage(chosen, first_day_of(quarter), last, as_of=as_of)
            numbers = {"outcome": counted.percent_doctor_certified, "weight": counted.agreed_days}
            parts.append(pd.DataFrame({"company": counted.groups, "period": quarter} | numbers))
            advance(1)
    found = pd.concat(parts, ignore_index=True)
    return found[found["weight"] > 0]


def _instrument(measure: str) -> str:
    for instrument in INSTRUMENTS.values():
        if any(scale.name == measure for scale in instrument.scales):
            return instrument.name
    raise SettingsError(
        f"--outcome-measure: there is no such scale. Give {ABSENCE} or one of docs/instruments.md, such as {SCALES[0].name}."
    )


def _scores(tables: Path, as_of: date, measure: str, quarters: range, sources: Sequence[Source]) -> pd.DataFrame:
    names = ("persons", "consents", "employments", "survey_answers")
    read = {name: read_table(tables / f"{name}.parquet", TABLES[name]) for name in names}
    histories = Histories.from_tables(read, purpose="effect_evaluation", consent_on=as_of, data_as_of=as_of)
    instrument = _instrument(measure)
    person, day, scores = occasions(histories, day_number(as_of), instrument)
    place = [SCALES[position].name for position in scales_of(instrument)].index(measure)
    answers = pd.DataFrame({"person": person, "day": day, "score": scores[:, place]}).dropna()
    placed = _at_work(histories, answers)
    placed["period"] = [quarter_of(one.item()) for one in placed["day"].to_numpy().astype("datetime64[D]")]
    cells = placed[placed["period"].isin(quarters)].groupby(["company", "period"])["score"]
    return cells.agg(outcome="mean", weight="size").reset_index().astype({"weight": float})


def _at_work(histories: Histories, answers: pd.DataFrame) -> pd.DataFrame:
    """Add the company that a person worked at on the day of the answer, the largest position where there are several."""
    jobs = histories.employments
    frame = pd.DataFrame({name: jobs[name] for name in ("start", "end", "company", "position_percent", "known_until")})
    frame["person"] = jobs.owners()
    frame = frame[frame["known_until"] == FOREVER]
    joined = answers.merge(frame, on="person")
    is_on = (joined["start"] <= joined["day"]) & ((joined["end"] >= joined["day"]) | (joined["end"] == NO_DAY))
    joined = joined[is_on]
    joined = joined.sort_values("position_percent", kind="stable").drop_duplicates(["person", "day"], keep="last")
    return joined.assign(company=np.array(histories.companies)[joined["company"]])
