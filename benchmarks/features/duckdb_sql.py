"""DuckDB's features in the comparison: SQL over the Parquet files, some partitions at a time; see the folder ``sql``.

In one go DuckDB would hold an aggregate of 280 million answers; persons do not depend on each other except for the workplace
context, which comes last, from what every person adds to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import rival

_SQL = Path(__file__).parent / "sql"
_TABLES = ("persons", "employments", "consents", "survey_answers", "lab_results", "absence_spells", "workplace_events",
           "guidance_sessions")  # fmt: skip
_WITHOUT_PERSONS = "workplace_events"
_GROUPS = ("persons", "absence", "survey", "labs", "workplace")
_WIDE = ("life_situation", "absence_history", "survey_response", "lab_counts", "workplace")
_OWN = ("persons", "days_doctor_365", "cbi_work", "who5_wellbeing", "was_work_ability", "shc_musculoskeletal")
_PARTITIONS_AT_ONCE = 1


class DuckDB:
    """See ``rival.Tool``."""

    def __init__(self, data: Path, threads: int, in_memory: bool) -> None:
        self.data, self.in_memory = data, in_memory
        self.facts = rival.facts(data)
        self.names = [name for name in self.facts["features"] if not name.startswith(("company_", "unit_"))]
        self.connection = duckdb.connect(config={"threads": threads, "memory_limit": "4GB"})
        self._run("SET preserve_insertion_order = false")
        self._run(f"SET VARIABLE t = DATE '{self.facts['t']}'")
        self._run(f"SET VARIABLE facts = '{data / 'facts.json'}'")
        self._run("CREATE SCHEMA declared")
        for path in (data / "declarations").glob("*.parquet"):
            self._run(f"CREATE VIEW declared.{path.stem} AS FROM read_parquet('{path}')")
        self._script("setup")
        self._open_tables()

    def features(self) -> Any:
        """Compute the features of everybody into the view ``finished``; return it, fetched where tables are in memory."""
        self._run("DROP TABLE IF EXISTS numbered")
        self._script("events")
        for bounds in [("", "")] if self.in_memory else self._batches():
            self._run(f"SET VARIABLE lowest = '{bounds[0]}'")
            self._run(f"SET VARIABLE highest = '{bounds[1]}'")
            for name in _GROUPS:
                self._script(name)
            self._number()
        self._script("context")
        return self._run("FROM finished").fetchall() if self.in_memory else None

    def write(self, features: Any, output: Path) -> None:
        """Write one Parquet file."""
        self._run(f"COPY finished TO '{output}' (FORMAT parquet, COMPRESSION uncompressed)")

    def _run(self, sql: str) -> Any:
        return self.connection.execute(sql)

    def _script(self, name: str) -> None:
        self._run((_SQL / f"{name}.sql").read_text(encoding="utf-8"))

    def _open_tables(self) -> None:
        for name in _TABLES:
            source = f"FROM read_parquet('{self.data}/tables/{name}.parquet')"
            if self.in_memory:
                self._run(f"CREATE TABLE {name} AS {source}")
            elif name == _WITHOUT_PERSONS:
                self._run(f"CREATE VIEW {name} AS {source}")
            else:
                inside = "person_id BETWEEN getvariable('lowest') AND getvariable('highest')"
                self._run(f"CREATE VIEW {name} AS {source} WHERE {inside}")

    def _batches(self) -> list[tuple[str, str]]:
        """Return the first and last person of some partitions at a time."""
        rows = self._run(
            f"""SELECT min(stats_min_value), max(stats_max_value)
            FROM parquet_metadata('{self.data}/tables/persons.parquet')
            WHERE path_in_schema = 'person_id'
            GROUP BY row_group_id // {_PARTITIONS_AT_ONCE} ORDER BY 1"""
        )
        return rows.fetchall()

    def _number(self) -> None:
        """Put the features of the batch side by side, in single precision, with what the context will need."""
        tables = ", ".join(f"'{name}'" for name in _WIDE)
        sql = f"SELECT column_name, table_name FROM duckdb_columns() WHERE table_name IN ({tables})"
        places = dict(self._run(sql).fetchall())
        in_rows = [name for name in self.names if name not in places]
        numbered = dict(self._run("FROM names").fetchall())
        wanted = ", ".join(f"{numbered[name]} AS {name}" for name in in_rows)
        self._run(
            f"""CREATE OR REPLACE TEMP TABLE in_columns AS
            PIVOT (
                SELECT p, feature_no, value::FLOAT AS value
                FROM (FROM survey_long UNION ALL FROM labs_long) JOIN names USING (feature)
            ) ON feature_no IN ({wanted}) USING any_value(value) GROUP BY p"""
        )
        numbers = ", ".join(f"{places.get(name, 'in_columns')}.{name}::FLOAT AS {name}" for name in self.names)
        own = ", ".join(f"own_{name}" for name in _OWN)
        joins = " ".join(f"LEFT JOIN {name} ON {name}.p = everyone.p" for name in (*_WIDE, "in_columns", "parts"))
        selected = f"SELECT person_id, {numbers}, company_id, unit_id, absence, survey, {own} FROM everyone {joins}"
        is_first = not self._run("SELECT 1 FROM duckdb_tables() WHERE table_name = 'numbered'").fetchall()
        self._run(f"{'CREATE TEMP TABLE numbered AS' if is_first else 'INSERT INTO numbered'} {selected}")


if __name__ == "__main__":
    rival.main(DuckDB)
