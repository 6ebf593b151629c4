"""Reading the tables into Polars, and what every source needs: the version to believe, consent, and gaps and islands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

Tables = dict[str, pl.LazyFrame]

SPAN, ZERO = 1 << 20, 1 << 19
"""A group and a day share one integer, ``group * SPAN + day + ZERO``: one sort column, and a running maximum over all rows
never passes from one group into the next."""


def declarations(data: Path) -> dict[str, pl.DataFrame]:
    """Return the small tables of scoring keys, codes, conversions and limits, texts as categories to join on."""
    return {
        path.stem: pl.read_parquet(path).with_columns(pl.col(pl.String).cast(pl.Categorical))
        for path in sorted((data / "declarations").glob("*.parquet"))
    }


def partitions(data: Path, n_groups: int) -> Iterator[Tables]:
    """Scan the tables of some persons at a time, ``n_groups`` row groups of each file; workplace events whole."""
    paths = {path.stem: path for path in (data / "tables").glob("*.parquet")}
    events = pl.scan_parquet(paths.pop("workplace_events"))
    ends = {name: _row_group_ends(path) for name, path in paths.items()}
    for first in range(0, len(ends["persons"]) - 1, n_groups):
        tables = {"workplace_events": events}
        for name, path in paths.items():
            start, stop = ends[name][first], ends[name][min(first + n_groups, len(ends[name]) - 1)]
            tables[name] = pl.scan_parquet(path).slice(start, stop - start)
        yield with_numbers(tables)


def _row_group_ends(path: Path) -> list[int]:
    metadata = pq.read_metadata(path)
    ends = [0]
    for group in range(metadata.num_row_groups):
        ends.append(ends[-1] + metadata.row_group(group).num_rows)
    return ends


def with_numbers(tables: Tables) -> Tables:
    """Persons as integers, which group and join faster than texts, and dates as day numbers."""
    person = pl.col("person_id").cast(pl.Categorical).to_physical().alias("person")
    return {
        name: table.with_columns(pl.col(pl.Date).to_physical(), *([] if name == "workplace_events" else [person]))
        for name, table in tables.items()
    }


def current(rows: pl.LazyFrame, key: list[str], t: int | None) -> pl.LazyFrame:
    """Return the last version of every fact that was known before ``t`` (None: ever), unless it is a deletion."""
    seen = rows if t is None else rows.filter(pl.col("known_from") < t)
    return last(seen, key, "known_from").filter(pl.col("is_deleted") == 0)


def last(rows: pl.LazyFrame, key: list[str], by: str) -> pl.LazyFrame:
    """Return the row of every key that is the last by a column; of identical rows all."""
    return rows.filter(pl.col(by) == pl.col(by).max().over(key))


def consenting(tables: Tables, t: int) -> pl.LazyFrame:
    """Return everybody, in the order of ``persons``, and one flag per source: consent for scoring is in force on t."""
    versions = tables["consents"].filter(pl.col("purpose") == "risk_scoring")
    latest = current(versions, ["person", "source", "given_on"], None)
    withdrawn = (pl.col("withdrawn_on") <= t).fill_null(False)
    in_force = latest.filter(pl.col("given_on") <= t, ~withdrawn)
    flags = in_force.group_by("person").agg(
        (pl.col("source") == source).any().alias(source) for source in ("survey", "lab", "absence", "employment")
    )
    everybody = tables["persons"].select("person", "person_id").unique("person", maintain_order=True)
    return everybody.join(flags, on="person", how="left", maintain_order="left").with_columns(
        pl.col(pl.Boolean).fill_null(False)
    )


def of_consenting(rows: pl.LazyFrame, persons: pl.LazyFrame, source: str) -> pl.LazyFrame:
    """Return the rows of those who consent to the use of a source."""
    return rows.join(persons.filter(pl.col(source)).select("person"), on="person", how="semi")


def in_order(persons: pl.LazyFrame, part: pl.LazyFrame) -> pl.LazyFrame:
    """Return the features of a part in the order of ``persons``, without the person."""
    return persons.select("person").join(part, on="person", how="left", maintain_order="left").drop("person")


def with_zeros(persons: pl.LazyFrame, part: pl.LazyFrame, source: str, unknown: list[str]) -> pl.LazyFrame:
    """Like :func:`in_order`; who consents to the source has 0 where there is no row, but for the columns ``unknown``."""
    joined = persons.select("person", source).join(part, on="person", how="left", maintain_order="left")
    zeros = pl.exclude("person", source, *unknown).fill_null(0)
    return joined.select(pl.when(source).then(zeros), *unknown)


def stretches(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Join overlapping and touching intervals (``group``, ``first``, ``last``); sorted by group and first day."""
    points = rows.select(
        (pl.col("group").cast(pl.Int64) * SPAN + ZERO + pl.col(day)).alias(day) for day in ("first", "last")
    )
    reach = points.sort("first").with_columns(reach=pl.col("last").cum_max())
    opens = (pl.col("first") > pl.col("reach").shift(1) + 1).fill_null(True)
    joined = reach.with_columns(opens=opens).select(
        first=pl.col("first").filter("opens"), last=pl.col("reach").filter(pl.col("opens").shift(-1, fill_value=True))
    )
    return joined.select(
        group=pl.col("first") // SPAN, first=pl.col("first") % SPAN - ZERO, last=pl.col("last") % SPAN - ZERO
    )
