"""Searches a whole workspace for a person: where she is, and of which files nobody can say that she is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.console import sha256
from pipeline.erasure import cache
from pipeline.erasure.columns import in_csv, in_unknown_columns
from pipeline.erasure.fhir import SUFFIXES as FHIR_SUFFIXES
from pipeline.erasure.names import Mapped
from pipeline.erasure.search import files, found_in, in_json, is_named_after, read
from pipeline.erasure.stored import audit_files
from pipeline.erasure.wanted import Wanted
from pipeline.workspace import Workspace

_NO_TABLES = (*FHIR_SUFFIXES, ".yaml", ".yml", ".dvc")


@dataclass
class Found:
    """What a search found: files that hold the person, those of which it can say nothing, training sets that are clean.

    ``kept`` are files that hold the person, or may, and have to.
    """

    hits: list[Path] = field(default_factory=list)
    doubts: dict[Path, str] = field(default_factory=dict)
    clean: set[str] = field(default_factory=set)
    kept: list[Path] = field(default_factory=list)
    n_files: int = 0


def search(workspace: Workspace, wanted: Wanted, mapped: Mapped) -> Found:
    """Search everything: the workspace, what its links lead to, and the caches that its DVC settings name."""
    found = Found()
    for path in mapped.unread:
        found.doubts[path] = "is no mapping that can be read: nobody knows which columns hold persons"
    audit = audit_files(workspace)
    for path, name in _places(workspace, found.doubts):
        if path.resolve() in audit:
            found.kept.append(path)
            continue
        found.n_files += 1
        doubts: list[str] = []
        if _holds(workspace, path, name, wanted, doubts):
            found.hits.append(path)
        elif doubts and not _is_told_beside(path):
            found.doubts[path] = doubts[0]
        elif name.endswith(".npz"):
            found.clean.add(sha256(path))
    # Objects of the cache go last: the files of the workspace may be links to them. Patients go last of their source: as
    # long as they are there, a run that was broken off finds all that refers to them.
    found.hits.sort(key=lambda path: (cache.holds(workspace.root, path), _has_patient(workspace, path)))
    return found


def _is_told_beside(path: Path) -> bool:
    """True for a workplace report as PDF whose page, which says the same and is searched, lies beside it."""
    return path.match("workplace_report.*.pdf") and path.with_suffix(".html").is_file()


def _has_patient(workspace: Workspace, path: Path) -> bool:
    is_fhir = path.is_relative_to(workspace.source) and path.suffix.lower() in FHIR_SUFFIXES
    return is_fhir and b'"Patient"' in (read(path) or b"")


def _holds(workspace: Workspace, path: Path, name: str, wanted: Wanted, doubts: list[str]) -> bool:
    if path.is_relative_to(workspace.root) and is_named_after(path, workspace.root, wanted):
        return True
    data = read(path)
    if data is None:
        doubts.append("cannot be read")
        return False
    is_source, is_nameless = (
        path.is_relative_to(workspace.source),
        cache.holds(workspace.root, path) and name == path.name,
    )
    if found_in(name, data, wanted, doubts):
        return True
    if not wanted.has_weak or not (is_source or is_nameless) or Path(name).suffix.lower() in _NO_TABLES:
        return False
    is_unclear = in_unknown_columns(data, wanted)
    if is_nameless and (is_unclear or in_csv(data, wanted, []) or in_json(data, wanted, [])):
        doubts.append("is an object of DVC's cache of which nothing says what file it was, with this number in it")
    return is_source and is_unclear


def _places(workspace: Workspace, doubts: dict[Path, str]) -> list[tuple[Path, str]]:
    """Every file to be searched, with the name that tells its kind: objects of DVC's cache are named by their hash."""
    names, root = cache.file_names(workspace.root), workspace.root.resolve()
    elsewhere = [place for place in cache.caches(workspace.root) if not place.resolve().is_relative_to(root)]
    paths = [path for place in (workspace.root, *elsewhere) for path in files(place, doubts.__setitem__)]
    return [(path, names.get(cache.md5_of(path)) or path.name) for path in paths]
