"""What a bundle tells its readers is what was sealed and signed, or it is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from data_contracts.errors import ArtifactError
from models import bundle as bundles
from models.artifact import save
from models.bundle import EVALUATION, create_keys, export_bundle, open_bundle
from models.bundle_papers import card_path, read_card, read_evaluation, write_card
from tests.lib.models import linear_model

FOUND = {"outcome": "long_sick_leave", "metrics": {"auroc": {"value": 0.7, "low": 0.65, "high": 0.75}}}


class Sealed:
    """Keys, a trained model, and bundles of it with and without an evaluation."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.signing, self.verify = create_keys(root / "keys")
        save(linear_model(), root / "model")

    def export(self, evaluation: dict | None, version: str = "1") -> Path:
        return export_bundle(
            self.root / "model", self.root / "bundles", "long_sick_leave", version, self.signing, evaluation
        )


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Sealed:
    return Sealed(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def bundle(sealed, tmp_path) -> Path:
    """A bundle with an evaluation that may be altered."""
    copy = tmp_path / "long_sick_leave" / sealed.export(FOUND).name
    shutil.copytree(sealed.export(FOUND), copy)
    copy.chmod(0o755)
    for path in copy.iterdir():
        path.chmod(0o644)
    return copy


def sha256_of(bundle: Path) -> str:
    return hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()


def test_the_evaluation_goes_with_the_model_and_changes_no_answer_of_it(sealed):
    bundle = sealed.export(FOUND)
    opened = open_bundle(bundle, sealed.verify)
    assert read_evaluation(bundle, opened.artifact_sha256) == FOUND
    assert opened.coefficients.tolist() == linear_model().coefficients.tolist()


def test_a_bundle_of_before_has_no_evaluation_and_opens_all_the_same(sealed):
    bundle = sealed.export(None)
    assert read_evaluation(bundle, open_bundle(bundle, sealed.verify).artifact_sha256) is None


def test_the_same_evaluation_gives_the_same_bundle_and_another_gives_another(sealed):
    assert sealed.export(FOUND) == sealed.export(dict(reversed(FOUND.items())))
    assert sealed.export(FOUND) != sealed.export({**FOUND, "few_events": True})


def test_an_evaluation_that_was_altered_is_refused_by_readers_and_by_serving(sealed, bundle):
    (bundle / EVALUATION).write_text(json.dumps(FOUND).replace("0.7,", "0.9,"))
    with pytest.raises(ArtifactError, match=r"evaluation\.json is not the file that was sealed"):
        read_evaluation(bundle, sha256_of(bundle))
    with pytest.raises(ArtifactError, match=r"evaluation\.json is not the file that was sealed"):
        open_bundle(bundle, sealed.verify)


def test_a_page_reads_the_papers_alone_and_once_while_they_are_the_same(sealed, bundle, monkeypatch):
    read = []
    real = bundles._read_file
    monkeypatch.setattr(
        bundles, "_read_file", lambda directory, name, path: read.append(name) or real(directory, name, path)
    )
    sha256 = sha256_of(bundle)
    assert [read_evaluation(bundle, sha256) for _ in range(3)] == [FOUND] * 3
    assert sorted(read) == [EVALUATION, "manifest.json"]
    # As long, and as old: nobody alters it unseen.
    time.sleep(0.05)  # file systems tell times in steps of some milliseconds
    before = (bundle / EVALUATION).stat()
    (bundle / EVALUATION).write_text((bundle / EVALUATION).read_text().replace("0.65", "0.85"))
    os.utime(bundle / EVALUATION, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ArtifactError, match=r"evaluation\.json is not the file that was sealed"):
        read_evaluation(bundle, sha256)


def test_an_evaluation_that_was_taken_away_is_no_evaluation_of_before(bundle):
    (bundle / EVALUATION).unlink()
    with pytest.raises(ArtifactError, match="sealed"):
        read_evaluation(bundle, sha256_of(bundle))


def test_a_manifest_with_the_hash_of_an_altered_evaluation_is_not_the_one_that_was_opened(bundle):
    opened = sha256_of(bundle)
    (bundle / EVALUATION).write_bytes(b"{}")
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"][EVALUATION] = {"sha256": hashlib.sha256(b"{}").hexdigest(), "size": 2}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="not the bundle that the model in service was opened from"):
        read_evaluation(bundle, opened)


def test_a_card_is_read_as_it_was_written_and_may_be_written_again(sealed, bundle):
    assert read_card(bundle, sealed.verify) is None
    for html in ("<h1>Kort æøå</h1>", "<h1>Another</h1>"):
        write_card(html, bundle, sealed.signing)
        assert read_card(bundle, sealed.verify) == html.encode()
    assert card_path(bundle).name == "model_card-1.html"
    assert sorted(path.name for path in bundle.parent.iterdir()) == [
        bundle.name,
        "model_card-1.html",
        "model_card-1.sig",
    ]


def altered(card: Path, other: Path) -> None:
    card.write_text(card.read_text() + " ")


def unsigned(card: Path, other: Path) -> None:
    card.with_suffix(".sig").unlink()


def of_another_bundle(card: Path, other: Path) -> None:
    for ending in (".html", ".sig"):
        shutil.copy(card_path(other).with_suffix(ending), card.with_suffix(ending))


def a_link(card: Path, other: Path) -> None:
    card.rename(card.with_name("elsewhere"))
    card.symlink_to("elsewhere")


@pytest.mark.parametrize("damage", [altered, unsigned, of_another_bundle, a_link])
def test_a_card_that_is_not_the_one_that_was_signed_for_this_bundle_is_refused(sealed, bundle, damage):
    other = sealed.export(FOUND, "2")
    for one in (bundle, other):
        write_card("<h1>Card</h1>", one, sealed.signing)
    damage(card_path(bundle), other)
    with pytest.raises(ArtifactError):
        read_card(bundle, sealed.verify)


def test_a_card_signed_with_another_key_is_refused(sealed, bundle, tmp_path):
    stranger, _ = create_keys(tmp_path / "keys")
    write_card("<h1>Card</h1>", bundle, stranger)
    with pytest.raises(ArtifactError, match="not the card that was signed"):
        read_card(bundle, sealed.verify)
