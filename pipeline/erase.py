"""Verb erase: a person goes from every file of the workspace, a search proves it, a certificate says what was done.

Order matters: first the tombstone, so that an ingest that starts in between brings nobody back; then files, DVC's cache,
the marks on models; last the search and the certificate. Broken off anywhere, the same command finishes the work.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from data_contracts.errors import BalanceRiskError, ContractViolation, MissingInputError, SettingsError
from data_contracts.national_identity_number import contains
from data_contracts.pseudonyms import VARIABLE, Pseudonymiser
from data_contracts.time_windows import today
from pipeline import erasures
from pipeline.console import progress, sha256
from pipeline.erasure import cache, certificate, stored
from pipeline.erasure.everywhere import Found, search
from pipeline.erasure.fhir import fhir_documents, with_fhir_names
from pipeline.erasure.files import replace_file, without
from pipeline.erasure.models import mark_models, note_training_sets
from pipeline.erasure.names import Mapped, all_names, key_name, read_mappings
from pipeline.erasure.progress import Erasure
from pipeline.erasure.reports import renumbered, reports
from pipeline.erasure.search import found_in, is_named_after
from pipeline.erasure.wanted import Wanted
from pipeline.locks import alone
from pipeline.scratch import left_over, remove
from pipeline.workspace import Workspace

_REQUEST, _MADE_OF_REQUEST = "request.json", ("answer.json", "explained_risk.png")
"""What the demo leaves: a request about one person, and what was made of it."""

_NEEDS_KEYS = (
    f"Set {VARIABLE} to the file of the keys: without them the source is not searched for the customer's identifier, nor "
    "the tables for the pseudonym."
)


class ErasureIncomplete(BalanceRiskError):
    """The search still finds the person."""

    exit_code: ClassVar[int] = 3


@alone
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
        The search still finds the person, in a file that is not for this command to change, or could not read a file.
    """
    mapped = read_mappings(workspace)
    wanted = _wanted(workspace, person, mapped, pseudonymiser)
    _refuse_reason(reason, wanted)
    with progress("search the workspace"):
        found = search(workspace, wanted, mapped)
    n_stored = stored.held(workspace, wanted)
    known = erasures.Tombstones.load(workspace)
    is_known = any(map(known.covers, wanted.names))
    if not found.hits and not n_stored and not is_known:
        _refuse_unknown(workspace, found)
    if pseudonymiser is None and not is_known:
        _refuse_without_keys(workspace, person, found.hits)
    erasure = _begin(workspace, wanted, person)
    pictures, left = _pictures(workspace), left_over(workspace)
    if not (found.hits or n_stored or found.doubts or pictures or left or erasure.is_broken):
        return {"certificate": None, "summary": "erase: this person was erased before, and nothing has come back."}
    note_training_sets(erasure, found.clean)
    _take_all_out(erasure, found, left)
    notes = mark_models(erasure, f"a person was erased on {on or today()}")
    return _prove(erasure, mapped, reason, on or today(), notes)


def _take_all_out(erasure: Erasure, found: Found, left: list[Path]) -> None:
    """Take the person out of the store, of every file, and of DVC's cache of what is gone."""
    for path in left:  # features without names: nothing says that they are not hers
        remove(path)
        erasure.note(path, 1)
    with progress("take the person out of the store"):
        erasure.note_store(stored.forget(erasure.workspace, erasure.wanted), stored.store_file(erasure.workspace))
    with progress("take the person out", len(found.hits)) as advance:
        for path in found.hits:
            _take_out(erasure, path)
            advance(1)
    for path in _pictures(erasure.workspace):
        path.unlink()
        erasure.note(path, 1)
    deleted, stages = cache.forget(erasure.workspace.root, erasure.done.gone)
    erasure.done.stages = sorted({*erasure.done.stages, *stages})
    for path in deleted:
        erasure.note(path, 1)


def _wanted(workspace: Workspace, person: str, mapped: Mapped, pseudonymiser: Pseudonymiser | None) -> Wanted:
    person = person.strip()
    if not person or not person.isprintable():
        raise SettingsError("The person must be named by text: a pseudonym or the customer's identifier.")
    if contains(person):
        raise ContractViolation(
            "A national identity number names nobody here and is not looked for. Give the pseudonym."
        )
    if mapped.pseudonymise and pseudonymiser is None:
        raise SettingsError(f"The mapping beside the source has pseudonymise: true. {_NEEDS_KEYS}")
    names = all_names(workspace, person, mapped, pseudonymiser)
    wanted = Wanted(names, frozenset(mapped.columns), tables=frozenset(mapped.tables))
    wanted = with_fhir_names(wanted, fhir_documents(workspace.source))
    if pseudonymiser is None:
        return wanted
    pseudonyms = [one for name in wanted.names for one in pseudonymiser.all_pseudonyms(name)]
    return replace(wanted, names=tuple(dict.fromkeys([*wanted.names, *pseudonyms])))


def _refuse_reason(reason: str, wanted: Wanted) -> None:
    is_named = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", reason) for name in wanted.names)
    if is_named or contains(reason) or not reason.isprintable():
        raise SettingsError(
            "The reason stands in the certificate, which must not say who was erased: give one without the person's name "
            "or number, such as 'request of 30 January'."
        )


def _refuse_unknown(workspace: Workspace, found: Found) -> None:
    unread = "".join(f"\n  not searched: {_place(workspace, path)} {why}" for path, why in found.doubts.items())
    message = (
        "Nothing in the workspace holds this person; nothing was changed and no certificate written. Identifiers are "
        "those of the tables or, where pseudonym keys are configured, the customer's own."
    )
    raise ErasureIncomplete(message + unread) if found.doubts else MissingInputError(message)


def _refuse_without_keys(workspace: Workspace, person: str, hits: list[Path]) -> None:
    """A pseudonym in the tables, and a source that has another name for her: only the keys lead from one to the other."""
    is_in = {place: any(hit.is_relative_to(place) for hit in hits) for place in (workspace.source, workspace.tables)}
    has_source = workspace.source.is_dir() and any(workspace.source.iterdir())
    if key_name(person) and has_source and is_in[workspace.tables] and not is_in[workspace.source]:
        raise SettingsError(
            f"This is a pseudonym, and the files of the source know the person by another name. {_NEEDS_KEYS}"
        )


def _begin(workspace: Workspace, wanted: Wanted, person: str) -> Erasure:
    key = key_name(person)
    is_alone = key is not None and all(map(key_name, wanted.names))
    known = erasures.add_tombstones(workspace, wanted.names, {person: key} if key and is_alone else None)
    return Erasure.begin(workspace, wanted, known.mark(wanted.names[0]))


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
    is_source = path.is_relative_to(workspace.source)
    is_derived = not is_source and (path.is_relative_to(workspace.root / "data") or path.name == _REQUEST)
    is_whole = is_derived and is_named_after(path, workspace.root, erasure.wanted)
    found = None if is_whole else without(path, erasure.wanted)
    if found is None and not is_derived:
        return
    content, rows = found or (None, [1])
    if is_derived and content is not None and found_in(path.name, content, erasure.wanted):
        content = None  # named in a text about others; the stage that made it makes it again
    if rows or content is None:
        _follow(erasure, path, rows)
        _replace(workspace, path, content)
        erasure.note(path, len(rows))


def _replace(workspace: Workspace, path: Path, content: bytes | None) -> None:
    """Replace a file; where it is a link to somewhere outside DVC's cache, what it leads to."""
    real = path.resolve()
    if not path.is_symlink() or cache.holds(workspace.root, real):
        replace_file(path, content)
        return
    replace_file(real, content)
    if content is None:
        path.unlink()


def _pictures(workspace: Workspace) -> list[Path]:
    """What the demo made of a request that is there no more: nobody knows whose risk it shows."""
    if (workspace.root / _REQUEST).exists():
        return []
    return [path for name in _MADE_OF_REQUEST if (path := workspace.root / name).exists()]


def _may_be_changed(workspace: Workspace, path: Path) -> bool:
    """Data, logs and what the demo leaves; anything else that holds a person is somebody's mistake, to be looked at."""
    is_left_behind = path.parent == workspace.root and path.name == _REQUEST
    is_log = ".log" in path.suffixes or path.suffix in (".jsonl", ".ndjson")
    return path.is_relative_to(workspace.root / "data") or is_left_behind or is_log


def _follow(erasure: Erasure, path: Path, rows: list[int]) -> None:
    """Before rows are taken out of a source file, bring the reports about it in line, once however often it is tried."""
    if not path.is_relative_to(erasure.workspace.source):
        return
    file_name = path.relative_to(erasure.workspace.source).as_posix()  # truth/persons.csv is not persons.csv
    for report in reports(erasure.workspace):
        step = f"{report.name} follows {erasure.shown(path)}"
        if erasure.done.followed.get(step) != sha256(report):
            content, n_gone = renumbered(report, file_name, rows)
            erasure.done.followed[step] = hashlib.sha256(content).hexdigest()
            erasure.save()
            replace_file(report, content)
            erasure.note(report, n_gone)


def _prove(erasure: Erasure, mapped: Mapped, reason: str, on: date, notes: list[str]) -> dict[str, Any]:
    workspace, wanted = erasure.workspace, erasure.wanted
    with progress("search the workspace again"):
        left = search(workspace, wanted, mapped)
    if left.hits or left.doubts:
        raise ErasureIncomplete(_what_is_left(erasure, left))
    weak = (
        ["text without columns: the identifier is too short to be told from a number there"] if wanted.has_weak else []
    )
    kept = [stored.AUDIT_IS_KEPT.format(erasure.shown(path)) for path in left.kept if path.suffix == ".db"]
    found = certificate.certificate(
        workspace.root, erasure.done.files, reason, on, left.n_files,
        person=erasure.mark, retrain_due=notes, stages_to_run_again=erasure.done.stages,
        store=erasure.done.store, not_searched=["what is written in pictures", *weak, *kept],
    )  # fmt: skip
    text = certificate.as_text(found)
    path = erasures.write_certificate(workspace, f"{on}-{erasure.mark[:12]}", found, text)
    erasure.journal.unlink(missing_ok=True)
    return {**found, "certificate": str(path), "summary": f"{text}\n  certificate: {path}"}


def _what_is_left(erasure: Erasure, left: Found) -> str:
    parts = []
    if left.hits:
        parts.append(
            f"The person is still found in {len(left.hits)} file(s), which this command does not change: "
            + ", ".join(map(erasure.shown, left.hits))
            + ". Remove the person there (or say in mapping.yaml beside the source which column holds persons)."
        )
    if left.doubts:
        listed = "".join(f"\n  not searched: {erasure.shown(path)} {why}" for path, why in left.doubts.items())
        parts.append(f"{len(left.doubts)} file(s) could not be searched. Mend, unpack or remove them.{listed}")
    return "\n".join(
        [*parts, "Then run the same command again; it writes the certificate once nothing is found or in doubt."]
    )


def _place(workspace: Workspace, path: Path) -> str:
    place = str(path.relative_to(workspace.root)) if path.is_relative_to(workspace.root) else str(path)
    return os.fsencode(place).decode("utf-8", "replace")
