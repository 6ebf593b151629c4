"""What DVC remembers: objects that hold a person go, with every directory object, run and lock entry that leads to them.

``dvc checkout`` then has nothing to bring back, and ``dvc status`` and ``dvc repro`` say which stages must run again.
Nothing of DVC is called: the layout of its cache (version 3, and the one before) and of ``dvc.lock`` are documented, and
an erasure must not wait for a repository lock. Remotes are out of reach; they are named.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from data_contracts.errors import MissingInputError
from pipeline.console import read_json

_OBJECT = re.compile(r"[0-9a-f]{30}(\.dir)?")


def caches(root: Path) -> list[Path]:
    """Return the cache directories of the workspace: its own, and the one that its DVC settings name."""
    found = [root / ".dvc" / "cache"]
    for name in ("config", "config.local"):
        named = _settings(root, name).get("cache", "dir", fallback=None)
        if named:
            found.append((root / ".dvc" / named).resolve())
    return [path for path in dict.fromkeys(found) if path.is_dir()]


def remotes(root: Path) -> list[str]:
    """Return the names of the remotes, whose copies an erasure here does not reach."""
    sections = [section for name in ("config", "config.local") for section in _settings(root, name).sections()]
    return sorted({match[1] for section in sections if (match := re.fullmatch(r"'?remote \"(.+)\"'?", section))})


def _settings(root: Path, name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(root / ".dvc" / name, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        raise MissingInputError(
            f".dvc/{name} cannot be read: nobody knows where DVC keeps old data. Mend it."
        ) from None
    return parser


def holds(root: Path, path: Path) -> bool:
    """True if a file is an object of a cache: the content of a tracked file, or the list of a tracked directory."""
    if not _OBJECT.fullmatch(path.name) or len(path.parent.name) != 2 or path.is_symlink():
        return False
    return any(path.resolve().is_relative_to(cache.resolve()) for cache in caches(root))


def md5_of(path: Path) -> str:
    """Return the hash by which DVC knows an object."""
    return path.parent.name + path.name


def file_names(root: Path) -> dict[str, str]:
    """Return hash -> name of the file that an object is the content of, as directory lists and locks say."""
    names: dict[str, str] = {}
    for cache in caches(root):
        for listing in cache.rglob("*.dir"):
            names |= {entry["md5"]: str(entry.get("relpath", "")) for entry in _entries(listing)}
    added = [path for path in root.rglob("*.dvc") if path.is_file() and ".venv" not in path.parts]
    for outs in [*map(_outs, _stages(root).values()), *(_outs(_yaml(path)) for path in sorted(added))]:
        names |= {out["md5"]: str(out.get("path", "")) for out in outs}
    return names


def forget(root: Path, gone: Iterable[str]) -> tuple[list[Path], list[str]]:
    """Delete what leads to the objects of these hashes; return the deleted files and the stages that must run again."""
    hashes, deleted = set(gone), []
    for cache in caches(root):
        for listing in sorted(cache.rglob("*.dir")):
            if hashes & {entry["md5"] for entry in _entries(listing)}:
                hashes.add(md5_of(listing))
                deleted.append(listing)
        runs = (path for path in sorted((cache / "runs").rglob("*")) if path.is_file())
        deleted += [
            path for path in runs if any(md5 in path.read_text(encoding="utf-8", errors="replace") for md5 in hashes)
        ]
    for path in deleted:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()  # DVC stumbles over the directory of a run that holds no run
    return deleted, _drop_stages(root, hashes)


def _entries(listing: Path) -> list[dict[str, Any]]:
    try:
        listed = read_json(listing)
    except (ValueError, OSError, RecursionError):
        return []
    return _with_hash(listed)


def _outs(stage: Any) -> list[dict[str, Any]]:
    return _with_hash(stage.get("outs")) if isinstance(stage, dict) else []


def _with_hash(entries: Any) -> list[dict[str, Any]]:
    listed = entries if isinstance(entries, list) else []
    return [entry for entry in listed if isinstance(entry, dict) and isinstance(entry.get("md5"), str)]


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, OSError, RecursionError):
        raise MissingInputError(
            f"{path.name} is not YAML that can be read, and DVC's objects are known by it. Mend it, or take it away."
        ) from None


def _stages(root: Path) -> dict[str, Any]:
    path = root / "dvc.lock"
    lock = _yaml(path) if path.exists() else None
    stages = lock.get("stages") if isinstance(lock, dict) else None
    return stages if isinstance(stages, dict) else {}


def _drop_stages(root: Path, hashes: set[str]) -> list[str]:
    """A stage without a lock entry has never run, as far as DVC is concerned."""
    stages = _stages(root)
    lost = [name for name, stage in stages.items() if hashes & {out["md5"] for out in _outs(stage)}]
    if lost:
        left = {name: stage for name, stage in stages.items() if name not in lost}
        lock = root / "dvc.lock"
        partial = lock.with_name("dvc.lock.part")
        partial.write_text(yaml.safe_dump({"schema": "2.0", "stages": left}, sort_keys=False), encoding="utf-8")
        partial.replace(lock)
    return lost
