"""All features in pandas, some persons at a time; the workplace context, which needs everybody, at the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import rival
from pandas_absence import absence
from pandas_labs import labs
from pandas_survey import sheets, survey
from pandas_tables import Persons, Tables, declarations, numbered, partitions
from pandas_work import MEASURES, context, jobs, life_situation, main_jobs, people, workplace

_ROW_GROUPS_AT_ONCE = 1
_YEAR = 365
_RECENT = {"cbi_work": "cbi", "who5_wellbeing": "who5", "was_work_ability": "was", "shc_musculoskeletal": "shc"}


class Pandas:
    """See ``rival.Tool``; pandas works in one thread."""

    def __init__(self, data: Path, threads: int, in_memory: bool) -> None:
        facts = rival.facts(data)
        self.t, self.names = facts["t_day"], facts["features"]
        self.keys = declarations(data)
        self.data = data
        self.tables = list(partitions(data, _ROW_GROUPS_AT_ONCE)) if in_memory else None

    def features(self) -> list[pd.DataFrame]:
        """Return the features of everybody, partition by partition."""
        tables = self.tables or partitions(self.data, _ROW_GROUPS_AT_ONCE)
        parts, own = map(list, zip(*map(self._part, tables), strict=True))
        others = context(pd.concat(own, ignore_index=True))
        first = 0
        for place, features in enumerate(parts):
            of_part = others[first : first + len(features)].set_axis(features.index)
            parts[place] = pd.concat([features, of_part], axis=1).reindex(columns=["person_id", *self.names])
            first += len(features)
        return parts

    def _part(self, tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Features of some persons, and what of them counts for their colleagues."""
        t, keys = self.t, self.keys
        persons, tables = numbered(tables, t)
        about = people(tables, t)
        known = jobs(tables, persons, t)
        main = main_jobs(known)
        frames = sheets(tables, keys, persons, t)
        parts = [
            *life_situation(tables, persons, about, t),
            absence(tables, keys["diagnoses"], persons, t),
            *survey(frames, keys, persons, t),
            *labs(tables, keys, persons, about, t),
            *workplace(tables, persons, known, main, t),
        ]
        features = pd.concat([pd.Series(persons.ids, name="person_id"), *parts], axis=1)
        return features, self._own(persons, main, frames, features)

    def _own(
        self, persons: Persons, main: pd.DataFrame, frames: dict[str, pd.DataFrame], features: pd.DataFrame
    ) -> pd.DataFrame:
        own = main[["company_id", "unit_id"]].reindex(features.index)
        own["days_doctor_365"] = features["days_doctor_365"].astype(float)
        for name, instrument in _RECENT.items():
            own[name] = np.nan
            if instrument in frames:
                frame = frames[instrument]
                recent = frame[frame["day"] >= self.t - _YEAR]
                own[name] = recent.groupby("person")[name].last()
        return own.assign(**{source: persons.consents[source] for source in set(MEASURES.values())})

    def write(self, features: list[pd.DataFrame], output: Path) -> None:
        """Write one row group per partition."""
        schema = pa.Schema.from_pandas(features[0], preserve_index=False)
        with pq.ParquetWriter(output, schema, compression="none", use_dictionary=False) as writer:
            for part in features:
                writer.write_table(pa.Table.from_pandas(part, schema, preserve_index=False))


if __name__ == "__main__":
    rival.main(Pandas)
