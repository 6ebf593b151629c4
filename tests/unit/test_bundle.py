"""Only what was sealed with our key is ever parsed, and nothing that is parsed can end the process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

import models.bundle
from data_contracts.errors import ArtifactError, MissingInputError
from models.artifact import save, to_files
from models.bundle import create_keys, current_bundle, export_bundle, move_current, open_bundle
from models.signing import sign
from models.trial_parse import trial_parse
from tests.lib.models import boosted_model, linear_model, random_rows, snapshot

ROWS = random_rows(50, seed=3)


class Sealed:
    """A directory with keys, trained models and exported bundles."""

    def __init__(self, root: Path) -> None:
        self.root, self.bundles = root, root / "bundles"
        self.signing, self.verify = create_keys(root / "keys")

    def export(self, model=None, version: str = "1") -> Path:
        model = model or replace(boosted_model(trees=5), workplace_context=snapshot())
        save(model, self.root / "model" / model.outcome)
        return export_bundle(self.root / "model" / model.outcome, self.bundles, model.outcome, version, self.signing)

    @cached_property
    def bundle(self) -> Path:
        return self.export()

    @cached_property
    def other(self) -> Path:
        return self.export(boosted_model(trees=6))

    def copy(self, bundle: Path) -> Path:
        """A copy that may be damaged."""
        place = self.root / "copy" / bundle.parent.name / bundle.name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(bundle, place)
        place.chmod(0o755)
        for path in place.iterdir():
            path.chmod(0o644)
        return place

    def reseal(self, bundle: Path, signing: Path | None = None, **changes: object) -> Path:
        """Make manifest and signature anew for the files that are there."""
        manifest = json.loads((bundle / "manifest.json").read_text()) | changes
        for name in manifest["files"]:
            content = (bundle / name).read_bytes()
            manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        text = json.dumps(manifest).encode()
        (bundle / "manifest.json").write_bytes(text)
        (bundle / "manifest.sig").write_bytes(sign(text, signing or self.signing))
        return bundle.rename(bundle.with_name(f"{manifest['version']}-{hashlib.sha256(text).hexdigest()[:12]}"))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Sealed:
    return Sealed(tmp_path_factory.mktemp("sealed"))


@pytest.mark.parametrize("make", [linear_model, boosted_model], ids=["linear", "lightgbm"])
def test_a_bundle_answers_as_the_model_did(sealed, make):
    model = make()
    bundle = sealed.export(model, "17")
    opened = open_bundle(bundle, sealed.verify)
    assert np.array_equal(opened.log_odds(ROWS), model.log_odds(ROWS))
    assert np.array_equal(opened.interval(ROWS), model.interval(ROWS))
    assert opened.version == "17"
    assert bundle.name == f"17-{opened.artifact_sha256[:12]}"
    assert opened.artifact_sha256 == hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()


def test_a_bundle_is_read_only_and_exporting_again_changes_nothing(sealed):
    bundle = sealed.export(version="2")
    before = {path.name: path.stat().st_mtime_ns for path in bundle.iterdir()}
    assert sealed.export(version="2") == bundle
    assert {path.name: path.stat().st_mtime_ns for path in bundle.iterdir()} == before
    assert {path.stat().st_mode & 0o222 for path in (bundle, *bundle.iterdir())} == {0}
    assert [path for path in bundle.parent.iterdir() if path.name.startswith(".")] == []


def test_exporting_over_an_altered_bundle_is_refused(sealed):
    bundle = sealed.export(version="3")
    (bundle / "model.json").chmod(0o644)
    (bundle / "model.json").write_bytes(b"{}")
    with pytest.raises(ArtifactError, match="altered"):
        sealed.export(version="3")


def mutations(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """At least two hundred damaged files: one bit flipped at many places, and every kind of cut."""
    random = np.random.default_rng(4)
    for path in sorted(bundle.iterdir()):
        content = path.read_bytes()
        for place in random.integers(0, len(content), 30):
            yield (
                path.name,
                content[:place] + bytes([content[place] ^ (1 << random.integers(8))]) + content[place + 1 :],
            )
        for length in (0, 1, len(content) // 2, len(content) - 50, len(content) - 1):
            yield path.name, content[: max(length, 0)]
        yield path.name, content + b"\n"


def test_every_mutation_is_refused_unparsed(sealed, monkeypatch):
    bundle = sealed.bundle
    refuse_to_parse(monkeypatch)
    copy = sealed.copy(bundle)
    n = 0
    for name, damaged in mutations(bundle):
        (copy / name).write_bytes(damaged)
        with pytest.raises(ArtifactError):
            open_bundle(copy, sealed.verify)
        (copy / name).write_bytes((bundle / name).read_bytes())
        n += 1
    assert n >= 200


def refuse_to_parse(monkeypatch):
    def parsed(files):
        raise AssertionError("an unverified model was parsed")

    monkeypatch.setattr(models.bundle, "trial_parse", parsed)
    monkeypatch.setattr(models.bundle, "checked_model", parsed)


def _swap(copy: Path, other: Path) -> None:
    (copy / "booster.txt").write_bytes((other / "booster.txt").read_bytes())


def _swap_two(copy: Path, other: Path) -> None:
    first, second = (copy / "refit_00.txt"), (copy / "refit_01.txt")
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)


def _add(copy: Path, other: Path) -> None:
    (copy / "refit_77.txt").write_text("tree")


def _add_code(copy: Path, other: Path) -> None:
    (copy / "sitecustomize.py").write_text("")


def _take_away(copy: Path, other: Path) -> None:
    (copy / "refit_02.txt").unlink()


def _link(copy: Path, other: Path) -> None:
    aside = (copy / "booster.txt").rename(copy.parent / "booster.txt")
    (copy / "booster.txt").symlink_to(aside)


def _pipe(copy: Path, other: Path) -> None:
    (copy / "booster.txt").unlink()
    os.mkfifo(copy / "booster.txt")


def _directory(copy: Path, other: Path) -> None:
    (copy / "booster.txt").unlink()
    (copy / "booster.txt").mkdir()


def _foreign_signature(copy: Path, other: Path) -> None:
    (copy / "manifest.sig").write_bytes((other / "manifest.sig").read_bytes())


@pytest.mark.parametrize(
    "damage", [_swap, _swap_two, _add, _add_code, _take_away, _link, _pipe, _directory, _foreign_signature]
)
def test_what_is_not_as_it_was_sealed_is_refused_unparsed(sealed, monkeypatch, damage):
    bundle, other = sealed.bundle, sealed.other
    refuse_to_parse(monkeypatch)
    copy = sealed.copy(bundle)
    damage(copy, other)
    with pytest.raises(ArtifactError):
        open_bundle(copy, sealed.verify)


def test_another_key_another_name_and_another_place_are_refused_unparsed(sealed, monkeypatch, tmp_path):
    bundle = sealed.bundle
    foreign = Sealed(tmp_path)
    refuse_to_parse(monkeypatch)
    with pytest.raises(ArtifactError, match="not signed"):
        open_bundle(bundle, foreign.verify)
    with pytest.raises(ArtifactError, match="not signed"):
        open_bundle(sealed.reseal(sealed.copy(bundle), signing=foreign.signing), sealed.verify)
    with pytest.raises(ArtifactError, match="another name"):
        open_bundle(sealed.copy(bundle).rename(bundle.with_name("9-000000000000")), sealed.verify)
    (sealed.bundles / "long_sick_leave").mkdir(exist_ok=True)
    shutil.copytree(bundle, sealed.bundles / "long_sick_leave" / bundle.name)
    with pytest.raises(ArtifactError, match="holds a model of burnout"):
        open_bundle(sealed.bundles / "long_sick_leave" / bundle.name, sealed.verify)
    with pytest.raises(ArtifactError, match="no such bundle"):
        open_bundle(bundle.with_name("nothing"), sealed.verify)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 2}, "format 2"),
        ({"fingerprint": "0" * 64}, "Retrain"),
        ({"files": {"../../keys/signing.key": {}}}, "other files"),
    ],
)
def test_a_manifest_that_we_signed_but_do_not_understand_is_refused_unparsed(sealed, monkeypatch, changes, says):
    copy = sealed.copy(sealed.bundle)
    refuse_to_parse(monkeypatch)
    if "files" in changes:
        (copy.parent.parent / "keys").mkdir(exist_ok=True)
        (copy.parent.parent / "keys" / "signing.key").write_text("")
    with pytest.raises(ArtifactError, match=says):
        open_bundle(sealed.reseal(copy, **changes), sealed.verify)


@pytest.mark.parametrize("cut", [0.5, 0.95, 50], ids=["half", "inside the last trees", "last 50 bytes"])
def test_a_damaged_text_that_we_signed_ends_a_child_not_this_process(sealed, cut):
    copy = sealed.copy(sealed.bundle)
    text = (copy / "booster.txt").read_bytes()
    # Behind the trees stand importances and parameters, whose end may be missing without harm.
    trees = text.index(b"end of trees")
    (copy / "booster.txt").write_bytes(text[: -cut if cut > 1 else int(trees * cut)])
    with pytest.raises(ArtifactError, match="trial"):
        open_bundle(sealed.reseal(copy), sealed.verify)


def test_a_text_that_parses_but_answers_otherwise_is_refused(sealed):
    copy = sealed.copy(sealed.bundle)
    text = (copy / "booster.txt").read_bytes()
    place = text.index(b"leaf_value=") + len("leaf_value=")
    (copy / "booster.txt").write_bytes(text[:place] + b"9" + text[place:])
    with pytest.raises(ArtifactError, match="trial"):
        open_bundle(sealed.reseal(copy), sealed.verify)


def test_a_model_without_golden_rows_cannot_be_tried(sealed):
    with pytest.raises(ArtifactError, match="trial"):
        sealed.export(replace(linear_model(), golden=None))


def test_a_model_of_other_features_is_not_exported(sealed):
    with pytest.raises(ArtifactError, match="Retrain"):
        sealed.export(replace(linear_model(), facts={"fingerprint": "0" * 64}))
    save(linear_model("burnout"), sealed.root / "wrong")
    with pytest.raises(ArtifactError, match="holds a model of burnout"):
        export_bundle(sealed.root / "wrong", sealed.bundles, "long_sick_leave", "1", sealed.signing)


@pytest.mark.parametrize("version", ["", "../1", "a/b", "1 2", ".hidden", "x" * 65])
def test_a_version_cannot_lead_elsewhere(sealed, version):
    with pytest.raises(ArtifactError, match="cannot name a bundle"):
        sealed.export(linear_model(), version)


def test_a_trial_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr("models.trial_parse.LONGEST_SECONDS", 0.01)
    with pytest.raises(ArtifactError, match="within"):
        trial_parse(to_files(linear_model()))


def test_the_pointer_moves_in_one_step(sealed):
    first, second = sealed.export(version="31"), sealed.export(version="32")
    move_current(sealed.bundles, "burnout", first)
    missing = []

    def read() -> None:
        while current_bundle(sealed.bundles, "burnout") != second.parent / "stop":
            if current_bundle(sealed.bundles, "burnout") is None:
                missing.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(200):
        move_current(sealed.bundles, "burnout", second)
        move_current(sealed.bundles, "burnout", first)
    (second.parent / "halt").symlink_to("stop")
    os.replace(second.parent / "halt", second.parent / "current")
    reader.join()
    assert missing == []
    move_current(sealed.bundles, "burnout", second)
    assert current_bundle(sealed.bundles, "burnout") == second
    assert os.readlink(second.parent / "current") == second.name


def test_the_pointer_stays_at_home(sealed, tmp_path):
    bundle = sealed.bundle
    assert current_bundle(tmp_path, "burnout") is None
    for foreign in (tmp_path, bundle.parent, bundle.parent / "nothing", sealed.copy(bundle)):
        with pytest.raises(ArtifactError, match="not a bundle"):
            move_current(sealed.bundles, "burnout", foreign)
    (tmp_path / "burnout").mkdir()
    (tmp_path / "burnout" / "current").symlink_to(bundle)
    assert current_bundle(tmp_path, "burnout") is None


def test_keys_are_made_once_and_kept(tmp_path):
    signing, verify = create_keys(tmp_path)
    first = signing.read_bytes(), verify.read_bytes()
    assert signing.stat().st_mode & 0o777 == 0o600
    assert create_keys(tmp_path) == (signing, verify)
    verify.unlink()
    create_keys(tmp_path)
    assert (signing.read_bytes(), verify.read_bytes()) == first
    signing.unlink()
    with pytest.raises(ArtifactError, match="is here without"):
        create_keys(tmp_path)


def test_a_key_that_is_none(sealed, tmp_path):
    bundle = sealed.bundle
    with pytest.raises(MissingInputError, match="no such key"):
        open_bundle(bundle, tmp_path / "verify.key")
    (tmp_path / "verify.key").write_text("not a key")
    with pytest.raises(ArtifactError, match="not a public key"):
        open_bundle(bundle, tmp_path / "verify.key")
    with pytest.raises(ArtifactError, match="not an unencrypted private key"):
        sign(b"", sealed.verify)
