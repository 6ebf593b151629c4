"""One person planted in every kind of place of a workspace, and a search for her that shares no code with the product."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from pipeline import ingest
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace
from tests.lib.cohorts import random_training_set
from tests.lib.source_files import Rows, employee, together, write_source

HER = "person-77"
NEIGHBOURS = ("person-7", "person-771", "q")
"""Others, whose names hold hers or are held by it, must keep every row."""

RECEIVED = IngestSettings(received_on=date(2026, 1, 1), max_quarantined_share=1)


def rows_of(person: str, answer: object = 3) -> Rows:
    known = {"person_id": person, "known_from": "2025-05-02"}
    return employee(person) | {
        "survey_answers": [{"instrument": "srh", "item": "item_1", "answer": answer, "answered_on": "2025-05-01"} | known],
        "lab_results": [{"code_system": "NPU", "code": "NPU27300", "value": 38, "unit": "mmol/mol",
                         "sampled_on": "2025-05-01"} | known],
        "absence_spells": [{"spell_id": f"s-{person[-1]}", "kind": "doctor_certified", "grade_percent": 100,
                            "first_day": "2025-04-01", "last_day": "2025-04-10"} | known],
        "guidance_sessions": [{"domain": "sleep", "held_on": "2025-05-01"} | known],
    }  # fmt: skip


def source(directory: Path) -> None:
    """Her rows between those of the others; one answer of hers and one behind it break the contract."""
    bad = [rows_of(person, 77) for person in (HER, NEIGHBOURS[0])]
    write_source(directory, together(rows_of(NEIGHBOURS[1]), rows_of(HER), *bad, rows_of(NEIGHBOURS[2])))
    (directory / "truth").mkdir()
    truth = "".join(f"{person},2025-01-01,0.25\n" for person in (HER, *NEIGHBOURS))
    (directory / "truth" / "truth.csv").write_text("person_id,index_date,burnout\n" + truth)


def plant(root: Path) -> Workspace:
    """A workspace as every stage leaves it, with her in all of it."""
    workspace = Workspace(root)
    source(workspace.source)
    ingest.run(workspace, RECEIVED)
    rows = workspace.training_set("long_sick_leave") / "rows"
    random_training_set(n_persons=100).save(rows)
    digest = hashlib.sha256(rows.with_suffix(".npz").read_bytes()).hexdigest()
    workspace.model("long_sick_leave").mkdir(parents=True)
    (workspace.model("long_sick_leave") / "lineage.json").write_text(json.dumps({"training_set_sha256": digest}))
    np.save(root / "data" / "models" / "out_of_fold.npy", np.array([HER, *NEIGHBOURS]))
    workspace.scores.mkdir()
    scores = "person_id,outcome,risk\n" + "".join(f"{person},burnout,0.1\n" for person in (*NEIGHBOURS, HER))
    (workspace.scores / "2026-01-01.csv").write_text(scores)
    with gzip.open(workspace.scores / "2025-01-01.csv.gz", "wt") as file:
        file.write(scores)
    (root / "service.log").write_text(f"asked for person:{HER}.\nasked for {NEIGHBOURS[1]}\n")
    (root / "old.log.1.gz").write_bytes(gzip.compress(f"asked for {HER}\nasked for q\n".encode()))
    (root / ".bentoml").mkdir()
    (root / ".bentoml" / "inputs.log.1").write_text(f'{{"person_id": "{HER}"}}\n{{"person_id": "q"}}\n')
    (root / "request.json").write_text(json.dumps({"record": {"person": {"person_id": HER}}}))
    (root / "answer.json").write_text('{"outcomes": {}}')
    (root / "explained_risk.png").write_bytes(b"\x89PNG a picture of her risk")
    return workspace


def grep(root: Path, name: str = HER) -> list[str]:
    """Every file under ``root`` that has a cell, string, line or byte sequence with the name, decoded by hand."""
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        if any(_has(text, name) for text in _readings(path.read_bytes())):
            found.append(str(path.relative_to(root)))
    return found


def _readings(data: bytes) -> list[str]:
    """What a file says, once it is unpacked; packed arrays have no borders between names, so their bytes do not count."""
    if data[:4] == b"PAR1":
        return [repr(pq.ParquetFile(io.BytesIO(data)).read().to_pydict())]
    if data[:6] == b"\x93NUMPY":
        return [repr(np.load(io.BytesIO(data)).tolist())]
    if data[:2] == b"PK":
        with np.load(io.BytesIO(data)) as arrays:
            return [repr(arrays[key].tolist()) for key in arrays if arrays[key].dtype.kind == "U"]
    if data[:2] == b"\x1f\x8b":
        return _readings(gzip.decompress(data))
    return [data.decode("latin-1"), data.replace(b"\0", b"").decode("latin-1")]


def _has(text: str, name: str) -> bool:
    end = text.find(name)
    while end >= 0:
        behind = text[end + len(name) : end + len(name) + 1]
        if not behind.isdecimal():
            return True
        end = text.find(name, end + 1)
    return False


def cells(path: Path) -> list[list[str]]:
    """The cells of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))
