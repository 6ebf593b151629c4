"""What DVC remembers: objects that hold a person go, with every directory object, run and lock entry that leads to them.

``dvc checkout`` then has nothing to bring back, and ``dvc status`` and ``dvc repro`` say which stages must run again.
Nothing of DVC is called: the layout of its cache (version 3, and the one before) and of ``dvc.lock`` are documented, and
an erasure must not wait for a repository lock. Remotes are out of reach; they are named.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

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
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(root / ".dvc" / name)
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
            names |= {entry["md5"]: entry["relpath"] for entry in _entries(listing)}
    for stage in _stages(root).values():
        names |= {out["md5"]: out["path"] for out in stage.get("outs", []) if "md5" in out}
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
        deleted += [path for path in runs if any(md5 in path.read_text(encoding="utf-8") for md5 in hashes)]
    for path in deleted:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()  # DVC stumbles over the directory of a run that holds no run
    return deleted, _drop_stages(root, hashes)


def _entries(listing: Path) -> list[dict[str, str]]:
    try:
        return [entry for entry in read_json(listing) if "md5" in entry]
    except (json.JSONDecodeError, UnicodeDecodeError):
        return []


def _stages(root: Path) -> dict[str, Any]:
    path = root / "dvc.lock"
    return ((yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("stages") or {}) if path.exists() else {}


def _drop_stages(root: Path, hashes: set[str]) -> list[str]:
    """A stage without a lock entry has never run, as far as DVC is concerned."""
    stages = _stages(root)
    lost = [name for name, stage in stages.items() if hashes & {out.get("md5") for out in stage.get("outs", [])}]
    if lost:
        left = {name: stage for name, stage in stages.items() if name not in lost}
        lock = root / "dvc.lock"
        partial = lock.with_name("dvc.lock.part")
        partial.write_text(yaml.safe_dump({"schema": "2.0", "stages": left}, sort_keys=False), encoding="utf-8")
        partial.replace(lock)
    return lost
