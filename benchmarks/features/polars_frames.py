"""All features in Polars, some persons at a time; the workplace context, which needs everybody, at the end."""

from __future__ import annotations

import os
import sys
from itertools import accumulate, pairwise
from pathlib import Path

if "--threads" in sys.argv:
    # Polars reads it when it is imported.
    os.environ.setdefault("POLARS_MAX_THREADS", sys.argv[sys.argv.index("--threads") + 1])

import polars as pl
import rival
from polars_absence import absence
from polars_labs import labs
from polars_survey import sheets, survey
from polars_tables import Tables, consenting, declarations, partitions, with_numbers
from polars_work import MEASURES, context, jobs, life_situation, main_jobs, people, workplace

_ROW_GROUPS_AT_ONCE = 3
"""60 000 persons: enough to make planning cheap, few enough to stay under 4 GB."""
_YEAR = 365


class Polars:
    """See ``rival.Tool``."""

    def __init__(self, data: Path, threads: int, in_memory: bool) -> None:
        # One person's queries are tiny: setting up a stream for each would cost more than the work.
        pl.Config.set_engine_affinity("in-memory" if in_memory else "streaming")
        self.t = rival.facts(data)["t_day"]
        self.keys = declarations(data)
        self.data = data
        self.tables = _in_memory(data) if in_memory else None

    def features(self) -> pl.DataFrame:
        """Return the features of everybody."""
        tables = [self.tables] if self.tables else partitions(self.data, _ROW_GROUPS_AT_ONCE)
        parts = [self._part(one) for one in tables]
        others = context(pl.concat(own for _, own in parts)).with_columns(pl.all().cast(pl.Float32))
        ends = list(accumulate((len(own) for _, own in parts), initial=0))
        return pl.concat(
            (part.hstack(others[start:stop]) for (part, _), (start, stop) in zip(parts, pairwise(ends), strict=True)),
            how="diagonal",
        )

    def _part(self, tables: Tables) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Features of some persons, and what of them counts for their colleagues."""
        t, keys = self.t, self.keys
        persons = consenting(tables, t).collect().lazy()
        about = people(tables, t).collect().lazy()
        known = jobs(tables, persons, t).collect().lazy()
        main = main_jobs(known).collect().lazy()
        frames = sheets(tables, keys, persons, t)
        parts = [
            *life_situation(tables, persons, about, t),
            absence(tables, keys["diagnoses"], persons, t),
            *survey(frames, keys, persons, t),
            *labs(tables, keys, persons, about, t),
            *workplace(tables, persons, known, main, t),
        ]
        ids = persons.select(pl.col("person_id").cast(pl.String))
        numbers = [part.with_columns(pl.all().cast(pl.Float32)) for part in parts]
        features = pl.concat(pl.collect_all([ids, *numbers]), how="horizontal")
        return features, self._own(persons, main, frames, features)

    def _own(
        self, persons: pl.LazyFrame, main: pl.LazyFrame, frames: dict[str, pl.LazyFrame], features: pl.DataFrame
    ) -> pl.DataFrame:
        own = persons.select("person", "absence", "survey").join(
            main.select("person", "company_id", "unit_id"), on="person", how="left", maintain_order="left"
        )
        days = features["days_doctor_365"].cast(pl.Float64)
        own = own.collect().with_columns(days)
        for name, instrument in _RECENT.items():
            if instrument in frames:
                rows = frames[instrument].filter(pl.col("day") >= self.t - _YEAR, pl.col(name).is_not_null())
                score = rows.group_by("person").agg(pl.col(name).max_by("day")).collect()
                own = own.join(score, on="person", how="left", maintain_order="left")
            else:
                own = own.with_columns(pl.lit(None, pl.Float64).alias(name))
        employed = pl.col("company_id").is_not_null()
        return own.with_columns(pl.when(employed).then(pl.col(name)) for name in MEASURES)

    def write(self, features: pl.DataFrame, output: Path) -> None:
        """Write them as they are."""
        features.write_parquet(output, compression="uncompressed", statistics=False)


_RECENT = {"cbi_work": "cbi", "who5_wellbeing": "who5", "was_work_ability": "was", "shc_musculoskeletal": "shc"}


def _in_memory(data: Path) -> Tables:
    tables = {path.stem: pl.scan_parquet(path) for path in (data / "tables").glob("*.parquet")}
    return {name: table.collect().lazy() for name, table in with_numbers(tables).items()}


if __name__ == "__main__":
    rival.main(Polars)
