"""truth.csv and attainable.csv as read back: risks by person and index date, for judging models, never for features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

ABSENT = -1
"""Position of a pair that the file does not hold."""

_SPAN = 1 << 20
"""More days than any calendar here: person * _SPAN + day is one number per pair."""


@dataclass(frozen=True)
class KnownRisks:
    """The columns of one file, ordered by (person, index date).

    ``person_ids`` are sorted; ``key`` (ascending) is the position of the person among them and the day, in one number.
    """

    person_ids: np.ndarray
    key: np.ndarray
    columns: dict[str, np.ndarray]

    @classmethod
    def read(cls, path: Path) -> KnownRisks:
        """Read a file that has the columns person_id and index_date."""
        options = pa.csv.ConvertOptions(column_types={"person_id": pa.dictionary(pa.int32(), pa.string())})
        table = pa.csv.read_csv(path, convert_options=options).unify_dictionaries().combine_chunks()
        names = [name for name in table.column_names if name not in ("person_id", "index_date")]
        columns = {name: table[name].to_numpy() for name in names}
        if not len(table):
            return cls(np.empty(0, np.str_), np.empty(0, np.int64), columns)
        person = table["person_id"].chunk(0)
        person_ids, position = np.unique(np.array(person.dictionary.to_pylist(), np.str_), return_inverse=True)
        day = table["index_date"].cast(pa.int32()).to_numpy()
        key = position[person.indices.to_numpy()] * _SPAN + day
        order = np.argsort(key, kind="stable")
        return cls(person_ids, key[order], {name: column[order] for name, column in columns.items()})

    def rows(self, person_ids: Sequence[str] | np.ndarray, person: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return where each pair stands, ``ABSENT`` for a pair that is not there.

        Parameters
        ----------
        person_ids : str array, shape (n_persons,)
        person : int array, shape (n,)
            Position of each row's person in ``person_ids``.
        t : int array, shape (n,)
            Index dates as day numbers.
        """
        if not len(self.key):
            return np.full(len(t), ABSENT)
        wanted_ids = np.asarray(person_ids, dtype=np.str_)
        place = np.minimum(np.searchsorted(self.person_ids, wanted_ids), len(self.person_ids) - 1)
        is_known = self.person_ids[place] == wanted_ids
        wanted = place[person] * _SPAN + t
        found = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return np.where(is_known[person] & (self.key[found] == wanted), found, ABSENT)
