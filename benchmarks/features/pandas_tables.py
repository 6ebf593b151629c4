"""Reading the tables into pandas, and what every source needs: the version to believe, consent, and gaps and islands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Tables = dict[str, pd.DataFrame]

SOURCES = ("survey", "lab", "absence", "employment")
SPAN, ZERO = 1 << 20, 1 << 19
"""A group and a day share one integer, ``group * SPAN + day + ZERO``: one sort column, and a running maximum over all rows
never passes from one group into the next."""


class Persons(NamedTuple):
    """Everybody, in order (persons are numbers from here on), and who consents to what, an array of bool per source."""

    ids: pd.Index
    consents: dict[str, np.ndarray]

    def of_consenting(self, rows: pd.DataFrame, source: str) -> pd.DataFrame:
        """Return the rows of those who consent to the use of a source."""
        return rows[self.consents[source][rows["person"]]]

    def in_order(self, part: pd.DataFrame) -> pd.DataFrame:
        """Return the features of a part, indexed by person, for everybody in order."""
        return part.reindex(range(len(self.ids))).astype(np.float32)

    def with_zeros(self, part: pd.DataFrame, source: str, unknown: list[str]) -> pd.DataFrame:
        """Like :meth:`in_order`; who consents to the source has 0 where there is no row, but for the columns ``unknown``."""
        features = self.in_order(part)
        counts = [name for name in features.columns if name not in unknown]
        features[counts] = features[counts].fillna(0)
        features.loc[~self.consents[source], counts] = np.nan
        return features


def declarations(data: Path) -> dict[str, pd.DataFrame]:
    """Return the small tables of scoring keys, codes, conversions and limits."""
    return {path.stem: pd.read_parquet(path) for path in sorted((data / "declarations").glob("*.parquet"))}


def partitions(data: Path, n_groups: int) -> Iterator[Tables]:
    """Read the tables of some persons at a time, ``n_groups`` row groups of each file; workplace events whole."""
    files = {path.stem: pq.ParquetFile(path) for path in (data / "tables").glob("*.parquet")}
    events = _frame(files.pop("workplace_events").read())
    n_all = files["persons"].num_row_groups
    for first in range(0, n_all, n_groups):
        groups = list(range(first, min(first + n_groups, n_all)))
        parts = {name: _frame(file.read_row_groups(groups, use_threads=False)) for name, file in files.items()}
        yield parts | {"workplace_events": events}


def _frame(arrow: pa.Table) -> pd.DataFrame:
    """Texts as categories, dates as day numbers (float with NaN where some are missing)."""
    for place, field in enumerate(arrow.schema):
        if pa.types.is_date32(field.type):
            arrow = arrow.set_column(place, field.name, arrow.column(place).cast(pa.int32()))
        elif pa.types.is_string(field.type):
            arrow = arrow.set_column(place, field.name, arrow.column(place).dictionary_encode())
    return arrow.to_pandas(use_threads=False)


def numbered(tables: Tables, t: int) -> tuple[Persons, Tables]:
    """Number the persons, and find who consents to what on t."""
    ids = pd.Index(tables["persons"]["person_id"].unique().astype(str))
    tables = {
        name: table if name == "workplace_events" else table.assign(person=_positions(ids, table["person_id"]))
        for name, table in tables.items()
    }
    consents = tables["consents"]
    versions = consents[consents["purpose"] == "risk_scoring"]
    latest = current(versions, ["person", "source", "given_on"], None)
    in_force = latest[(latest["given_on"] <= t) & ~(latest["withdrawn_on"] <= t)]
    flags = {source: np.zeros(len(ids), dtype=bool) for source in SOURCES}
    for source, has_consent in flags.items():
        has_consent[in_force.loc[in_force["source"] == source, "person"]] = True
    return Persons(ids, flags), tables


def _positions(words: pd.Index, column: pd.Series) -> np.ndarray:
    """Return where each text of a categorical column stands among some words; -1 where it does not."""
    positions = np.append(words.get_indexer(column.cat.categories), -1)
    return positions[column.cat.codes]


positions = _positions


def current(rows: pd.DataFrame, key: list[str], t: int | None) -> pd.DataFrame:
    """Return the last version of every fact that was known before ``t`` (None: ever), unless it is a deletion."""
    seen = rows if t is None else rows[rows["known_from"] < t]
    latest = last(seen, key, "known_from")
    return latest[latest["is_deleted"] == 0]


def last(rows: pd.DataFrame, key: list[str], by: str) -> pd.DataFrame:
    """Return the row of every key that is the last by a column; only where a key has several rows are they sorted."""
    several = rows.duplicated(key, keep=False).to_numpy()
    chosen = rows[several].sort_values(by, kind="stable").drop_duplicates(key, keep="last")
    return pd.concat([rows[~several], chosen])


def stretches(group: pd.Series, first: pd.Series, until: pd.Series) -> pd.DataFrame:
    """Join overlapping and touching intervals into stretches; sorted by group and first day."""
    base = group.astype(np.int64) * SPAN + ZERO
    points = pd.DataFrame({"first": base + first.astype(np.int64), "last": base + until.astype(np.int64)})
    points = points.sort_values("first")
    start, reach = points["first"].to_numpy(), points["last"].cummax().to_numpy()
    opens = np.append(True, start[1:] > reach[:-1] + 1)[: len(start)]
    begins, ends = start[opens], reach[np.append(opens[1:], True)[: len(start)]]
    return pd.DataFrame({"group": begins // SPAN, "first": begins % SPAN - ZERO, "last": ends % SPAN - ZERO})
