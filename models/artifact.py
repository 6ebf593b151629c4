"""The artifact: a :class:`~models.risk_model.RiskModel` in text files only, no pickle.

``model.json`` holds all numbers as shortest round-trip text, so every bit survives; boosted trees add ``booster.txt``
and one ``refit_XX.txt`` per refit, and ``workplace_context.json`` holds the snapshot of the workplaces.
:func:`to_files` and :func:`from_files` work on bytes in memory, so that what a signature was checked for is what is
parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import ArtifactError, MissingInputError
from features.workplace_context import WorkplaceContext, from_document
from models.additive import FLAT_PARTS, AdditiveTerms
from models.risk_model import LINEAR_PARTS, RiskModel

__all__ = ["CONTEXT_FILE", "FILE_NAME", "FORMAT", "RiskModel", "from_files", "load", "parse_context", "read_files", "save",
           "to_files"]  # fmt: skip

FORMAT = 2
"""To be raised when the files change in a way that this reader would misread."""

CONTEXT_FILE = "workplace_context.json"
LARGEST_CONTEXT = 64 * 2**20
"""Bytes: about 700 000 workplaces, far more than a programme for small firms has; what is larger is not parsed."""

FILE_NAME = re.compile(r"model\.json|booster\.txt|refit_\d\d\.txt|workplace_context\.json")
"""Every file an artifact may have, and so every name that is ever opened."""

_SCALARS = ("outcome", "name", "kind", "link", "intercept", "recalibration_intercept", "recalibration_slope",
            "reference_risk")  # fmt: skip


def save(model: RiskModel, directory: Path) -> None:
    """Write an artifact into ``directory``, replacing the one that is there."""
    directory.mkdir(parents=True, exist_ok=True)
    files = to_files(model)
    for path in directory.iterdir():
        if FILE_NAME.fullmatch(path.name) and path.name not in files:
            path.unlink()
    for name, content in files.items():
        (directory / name).write_bytes(content)


def load(directory: Path) -> RiskModel:
    """Read an artifact that this machine has made; what comes from elsewhere goes through :mod:`models.bundle`.

    Raises
    ------
    MissingInputError
        If there is no artifact.
    ArtifactError
        If it is damaged.
    """
    return from_files(read_files(directory))


def read_files(directory: Path) -> dict[str, bytes]:
    """Return name and content of the files of an artifact; raises MissingInputError if there is none."""
    if not (directory / "model.json").is_file():
        raise MissingInputError(f"{directory}: no model.json here. Train a model first.")
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if FILE_NAME.fullmatch(path.name)}


def to_files(model: RiskModel) -> dict[str, bytes]:
    """Return name and content of each file of the artifact."""
    document = {"format": FORMAT, **_to_json(model), "refits": [_to_json(refit) for refit in model.refits]}
    files = {"model.json": json.dumps(document, sort_keys=True, indent=1, allow_nan=False).encode()}
    if model.kind == "lightgbm":
        files["booster.txt"] = model.booster_text.encode()
        files |= {_refit_name(i): refit.booster_text.encode() for i, refit in enumerate(model.refits)}
    if model.workplace_context is not None:
        files[CONTEXT_FILE] = json.dumps(model.workplace_context.to_document(), sort_keys=True).encode()
    return files


def from_files(files: Mapping[str, bytes]) -> RiskModel:
    """Build the model from the content of its files; raises ArtifactError if they are not such files.

    The boosted trees are only kept as text here, and parsed at first use.
    """
    try:
        document = json.loads(files["model.json"])
        if document["format"] != FORMAT:
            raise ArtifactError(
                f"model.json has format {document['format']}, this code reads format {FORMAT}. Retrain."
            )
        refits = [_from_json(part, files, _refit_name(i), ()) for i, part in enumerate(document["refits"])]
        model = _from_json(document, files, "booster.txt", tuple(refits))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(
            f"model.json is damaged or incomplete ({type(error).__name__}). Train or export again."
        ) from None
    if CONTEXT_FILE not in files:
        return model
    return replace(model, workplace_context=parse_context(files[CONTEXT_FILE]))


def parse_context(content: bytes) -> WorkplaceContext:
    """Read a snapshot of the workplaces, trusting nothing; raises ArtifactError if it is not one for risk scoring."""
    if len(content) > LARGEST_CONTEXT:
        raise ArtifactError(f"{CONTEXT_FILE} is larger than any snapshot. Train again.")
    try:
        context = from_document(json.loads(content))
    except (ValueError, RecursionError, OverflowError) as error:
        raise ArtifactError(f"{CONTEXT_FILE} is damaged ({type(error).__name__}). Train again.") from None
    if context.terms.purpose != "risk_scoring":
        raise ArtifactError(f"{CONTEXT_FILE} was not taken for risk scoring. Train again.")
    return context


def _refit_name(position: int) -> str:
    return f"refit_{position:02d}.txt"


def _to_json(model: RiskModel) -> dict[str, Any]:
    arrays = {name: _listed(getattr(model, name)) for name in LINEAR_PARTS}
    golden = None if model.golden is None else {"rows": [_listed(row) for row in model.golden[0]],
                                                "log_odds": _listed(model.golden[1])}  # fmt: skip
    scalars = {name: getattr(model, name) for name in _SCALARS}
    return {
        **scalars,
        **arrays,
        "terms": model.terms and {name: getattr(model.terms, name).tolist() for name in FLAT_PARTS},
        "feature_names": list(model.feature_names),
        "facts": dict(model.facts),
        "golden": golden,
    }


def _from_json(
    document: dict[str, Any], files: Mapping[str, bytes], trees: str, refits: tuple[RiskModel, ...]
) -> RiskModel:
    values: dict[str, Any] = {name: document[name] for name in _SCALARS}
    values |= {name: _array(document[name], np.float64) for name in LINEAR_PARTS}
    golden, terms = document["golden"], document["terms"]
    return RiskModel(
        **values,
        feature_names=tuple(document["feature_names"]),
        terms=terms and _terms(terms),
        booster_text=files[trees].decode() if document["kind"] == "lightgbm" else "",
        refits=refits,
        facts=document["facts"],
        golden=golden and (np.array(golden["rows"], dtype=np.float32), np.array(golden["log_odds"], dtype=np.float64)),
    )


def _terms(document: dict[str, list[Any]]) -> AdditiveTerms:
    types = {"n_knots": np.intp, "n_values": np.intp}
    return AdditiveTerms(**{name: np.array(document[name], dtype=types.get(name, np.float64)) for name in FLAT_PARTS})


def _listed(numbers: np.ndarray | None) -> list[float | None] | None:
    """Numbers as JSON: repr of a float keeps every bit; NaN, which JSON lacks, becomes null (NumPy reads it as NaN)."""
    return None if numbers is None else [None if np.isnan(number) else float(number) for number in numbers]


def _array(numbers: list[Any] | None, dtype: type) -> np.ndarray | None:
    return None if numbers is None else np.array(numbers, dtype=dtype)


class _PyFunc:
    """The artifact as MLflow's generic Python model: rows in, calibrated risks out."""

    def __init__(self, model: RiskModel) -> None:
        self.model = model

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> np.ndarray:
        """Return calibrated risks of a data frame (columns picked by name) or of an array in the model's own order."""
        return self.model.risks(_as_rows(self.model, model_input))


def _as_rows(model: RiskModel, model_input: Any) -> np.ndarray:
    if not hasattr(model_input, "columns"):
        return np.asarray(model_input, dtype=np.float32)
    absent = sorted(set(model.feature_names) - set(model_input.columns))
    if absent:
        raise ArtifactError(f"{len(absent)} column(s) of the model are missing: {', '.join(absent[:5])}.")
    columns = [np.asarray(model_input[name], dtype=np.float32) for name in model.feature_names]
    return np.column_stack(columns)


def _load_pyfunc(path: str) -> _PyFunc:
    """MLflow's hook for ``loader_module="models.artifact"``."""
    return _PyFunc(load(Path(path)))
