"""Verb erase: a person goes from every file of the workspace, a search proves it, a certificate says what was done.

Order matters: first the tombstone, so that an ingest that starts in between brings nobody back; then files, DVC's cache,
the marks on models; last the search and the certificate. Broken off anywhere, the same command finishes the work.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from data_contracts.errors import BalanceRiskError, ContractViolation, MissingInputError
from data_contracts.national_identity_number import contains
from data_contracts.pseudonyms import Pseudonymiser
from data_contracts.time_windows import today
from pipeline import erasures
from pipeline.console import progress, sha256
from pipeline.erasure import cache, certificate
from pipeline.erasure.files import replace_file, without
from pipeline.erasure.models import mark_models, note_training_sets
from pipeline.erasure.names import all_names, person_columns
from pipeline.erasure.progress import Erasure
from pipeline.erasure.reports import REPORTS, renumbered
from pipeline.erasure.search import Wanted, files, found_in, in_unknown_columns, is_csv, is_named_after
from pipeline.workspace import Workspace

_OF_ONE_PERSON = {"request.json": ("answer.json", "explained_risk.png")}
"""What the demo leaves: a request about one person, and what was made of it."""


class ErasureIncomplete(BalanceRiskError):
    """The search still finds the person."""

    exit_code: ClassVar[int] = 3


def run(
    workspace: Workspace,
    person: str,
    *,
    reason: str = "request",
    on: date | None = None,
    pseudonymiser: Pseudonymiser | None = None,
) -> dict[str, Any]:
    """Erase a person and return the certificate; ``person`` is the pseudonym or, with keys, the customer's identifier.

    Raises
    ------
    MissingInputError
        The workspace holds nothing of this person and never did: a typing error leaves neither tombstone nor certificate.
    ErasureIncomplete
        The search still finds the person, in a file that is not for this command to change.
    """
    wanted = _wanted(workspace, person, pseudonymiser)
    with progress("search the workspace"):
        hits, clean, _ = _search(workspace, wanted)
    known = erasures.Tombstones.load(workspace)
    if not hits and not any(map(known.covers, wanted.names)):
        raise MissingInputError(
            "Nothing in the workspace holds this person; nothing was changed and no certificate written. Identifiers are "
            "those of the tables or, where pseudonym keys are configured, the customer's own."
        )
    mark = erasures.add_tombstones(workspace, wanted.names).mark(wanted.names[0])
    erasure = Erasure.begin(workspace, wanted, mark)
    if not hits and not erasure.is_broken:
        return {"certificate": None, "summary": "erase: this person was erased before, and nothing has come back."}
    note_training_sets(erasure, clean)
    with progress("take the person out", len(hits)) as advance:
        for path in hits:
            _take_out(erasure, path)
            advance(1)
    deleted, stages = cache.forget(workspace.root, erasure.done.gone)
    erasure.done.stages = sorted({*erasure.done.stages, *stages})
    for path in deleted:
        erasure.note(path, 1)
    notes = mark_models(erasure, f"a person was erased on {on or today()}")
    return _prove(erasure, reason, on or today(), notes)


def _wanted(workspace: Workspace, person: str, pseudonymiser: Pseudonymiser | None) -> Wanted:
    if contains(person):
        raise ContractViolation(
            "A national identity number names nobody here and is not looked for. Give the pseudonym."
        )
    columns = person_columns(workspace)
    return Wanted(all_names(workspace, person, columns, pseudonymiser), columns)


def _search(workspace: Workspace, wanted: Wanted) -> tuple[list[Path], set[str], int]:
    """Return every file that holds the person, the hashes of training sets that do not, and how many files there are."""
    hits, clean, n = [], set(), 0
    for path, name in _places(workspace):
        n += 1
        if _holds(workspace, path, name, wanted):
            hits.append(path)
        elif name.endswith(".npz"):
            clean.add(sha256(path))
    # Objects of the cache go last: the files of the workspace may be links to them.
    return sorted(hits, key=lambda path: cache.holds(workspace.root, path)), clean, n


def _holds(workspace: Workspace, path: Path, name: str, wanted: Wanted) -> bool:
    if path.is_relative_to(workspace.root) and is_named_after(path, workspace.root, wanted):
        return True
    data = path.read_bytes()
    is_unclear = wanted.has_weak and path.is_relative_to(workspace.source) and is_csv(name)
    return found_in(name, data, wanted) or (is_unclear and in_unknown_columns(data, wanted))


def _places(workspace: Workspace) -> list[tuple[Path, str]]:
    """Every file to be searched, with the name that tells its kind: objects of DVC's cache are named by their hash."""
    names, root = cache.file_names(workspace.root), workspace.root.resolve()
    elsewhere = [place for place in cache.caches(workspace.root) if not place.resolve().is_relative_to(root)]
    paths = [path for place in (workspace.root, *elsewhere) for path in files(place)]
    return [(path, names.get(cache.md5_of(path), path.name)) for path in paths]


def _take_out(erasure: Erasure, path: Path) -> None:
    workspace = erasure.workspace
    if cache.holds(workspace.root, path):
        erasure.done.gone.append(cache.md5_of(path))
        erasure.save()
        path.unlink()
        erasure.note(path, 1)
        return
    if not path.exists() or not _may_be_changed(workspace, path):
        return
    is_derived = path.is_relative_to(workspace.root / "data") and not path.is_relative_to(workspace.source)
    found = None if is_named_after(path, workspace.root, erasure.wanted) else without(path, erasure.wanted)
    if found is None and not is_derived:
        return
    content, rows = found or (None, [1])
    _follow(erasure, path, rows)
    replace_file(path, content)
    if is_derived and path.exists() and found_in(path.name, path.read_bytes(), erasure.wanted):
        path.unlink()  # named in a text about others; the stage that made it makes it again
    erasure.note(path, len(rows))
    _take_out_companions(erasure, path)


def _take_out_companions(erasure: Erasure, path: Path) -> None:
    root = erasure.workspace.root
    for companion in (root / name for name in _OF_ONE_PERSON.get(path.name, ()) if path.parent == root):
        if companion.exists() and not path.exists():
            companion.unlink()
            erasure.note(companion, 1)


def _may_be_changed(workspace: Workspace, path: Path) -> bool:
    """Data, logs and what the demo leaves; anything else that holds a person is somebody's mistake, to be looked at."""
    is_left_behind = path.parent == workspace.root and path.name in _OF_ONE_PERSON
    is_log = ".log" in path.suffixes or path.suffix in (".jsonl", ".ndjson")
    return path.is_relative_to(workspace.root / "data") or is_left_behind or is_log


def _follow(erasure: Erasure, path: Path, rows: list[int]) -> None:
    """Before rows are taken out of a source file, bring the reports about it in line, once however often it is tried."""
    if not path.is_relative_to(erasure.workspace.source):
        return
    for report in (erasure.workspace.tables / name for name in REPORTS):
        step = f"{report.name} follows {erasure.shown(path)}"
        if report.exists() and erasure.done.followed.get(step) != sha256(report):
            content, n_gone = renumbered(report, path.name, rows)
            erasure.done.followed[step] = hashlib.sha256(content).hexdigest()
            erasure.save()
            replace_file(report, content)
            erasure.note(report, n_gone)


def _prove(erasure: Erasure, reason: str, on: date, notes: list[str]) -> dict[str, Any]:
    workspace, wanted = erasure.workspace, erasure.wanted
    with progress("search the workspace again"):
        left, _, n_searched = _search(workspace, wanted)
    if left:
        raise ErasureIncomplete(
            f"The person is still found in {len(left)} file(s), which this command does not change: "
            + ", ".join(map(erasure.shown, left))
            + ". Remove the person there (or say in mapping.yaml beside the source which column holds persons) and run the "
            "same command again; it writes the certificate once nothing is found."
        )
    weak = (
        ["text without columns: the identifier is too short to be told from a number there"] if wanted.has_weak else []
    )
    found = certificate.certificate(
        workspace.root, erasure.done.files, reason, on, n_searched,
        person=erasure.mark, retrain_due=notes, stages_to_run_again=erasure.done.stages, not_searched=weak,
    )  # fmt: skip
    text = certificate.as_text(found)
    path = erasures.write_certificate(workspace, f"{on}-{erasure.mark[:12]}", found, text)
    erasure.journal.unlink(missing_ok=True)
    return {**found, "certificate": str(path), "summary": f"{text}\n  certificate: {path}"}
