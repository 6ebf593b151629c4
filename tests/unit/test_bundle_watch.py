"""Promotions are followed, and the last good model stays."""

from __future__ import annotations

from pathlib import Path

from data_contracts.errors import ArtifactError
from models.artifact import save
from models.bundle import create_keys, export_bundle, move_current
from serving.bundle_watch import BundleWatch
from serving.predictor import Predictor
from tests.lib.models import boosted_model, linear_model


class Promotions:
    def __init__(self, root: Path) -> None:
        self.root, self.bundles = root, root / "bundles"
        self.signing, self.verify = create_keys(root / "keys")
        self.watch = BundleWatch(self.bundles, self.verify)

    def promote(self, model, version: str) -> Path:
        save(model, self.root / model.outcome)
        bundle = export_bundle(self.root / model.outcome, self.bundles, model.outcome, version, self.signing)
        move_current(self.bundles, model.outcome, bundle)
        return bundle

    def served(self) -> dict[str, str]:
        return {} if self.watch.predictor is None else {k: m.version for k, m in self.watch.predictor.models.items()}


def test_promotions_are_followed_and_the_last_good_model_is_kept(tmp_path, caplog):
    promotions = Promotions(tmp_path)
    promotions.watch.check()
    assert promotions.served() == {}
    assert "balance-risk promote" in promotions.watch.not_ready_because()
    promotions.promote(linear_model(), "1")
    promotions.promote(boosted_model(trees=5), "1")
    promotions.watch.check()
    first = promotions.watch.predictor
    assert promotions.served() == {"long_sick_leave": "1", "burnout": "1"}
    promotions.watch.check()
    assert promotions.watch.predictor is first

    bad = promotions.promote(linear_model(seed=50), "2")
    (bad / "model.json").chmod(0o644)
    (bad / "model.json").write_bytes(b"{}")
    promotions.watch.check()
    assert promotions.served() == {"long_sick_leave": "1", "burnout": "1"}
    assert "long_sick_leave: promoted model refused" in caplog.text

    assert list(promotions.watch.refused()) == ["long_sick_leave"]
    good = next((promotions.bundles / "long_sick_leave").glob("1-*"))
    move_current(promotions.bundles, "long_sick_leave", good)
    promotions.watch.check()
    assert promotions.watch.refused() == {}  # the bad promotion was taken back, so nothing is wrong any more

    promotions.promote(linear_model(seed=60), "3")
    promotions.watch.check()
    assert promotions.served() == {"long_sick_leave": "3", "burnout": "1"}
    assert {name: model.version for name, model in first.models.items()} == {"long_sick_leave": "1", "burnout": "1"}


def test_a_refused_bundle_is_tried_again_later_not_at_every_look(tmp_path, monkeypatch):
    promotions = Promotions(tmp_path)
    promotions.promote(linear_model(), "1")
    key = promotions.verify.read_bytes()
    promotions.verify.unlink()
    tries = []
    opened = Predictor.from_bundles.__globals__["open_bundle"]

    def counted(*arguments):
        tries.append(1)
        return opened(*arguments)

    monkeypatch.setattr("serving.bundle_watch.open_bundle", counted)
    promotions.watch.check()
    promotions.watch.check()
    assert len(tries) == 1
    assert "verify.key" in promotions.watch.not_ready_because()
    promotions.verify.write_bytes(key)
    monkeypatch.setattr("serving.bundle_watch.RETRY_SECONDS", -1.0)
    promotions.watch.check()
    assert promotions.served() == {"long_sick_leave": "1"}


def test_a_watch_survives_whatever_a_look_raises(tmp_path, monkeypatch):
    watch = BundleWatch(tmp_path, tmp_path)
    looks = []

    def look() -> None:
        looks.append(1)
        if len(looks) > 2:
            watch.stop()
        raise ArtifactError("x")

    monkeypatch.setattr(watch, "check", look)
    monkeypatch.setattr("serving.bundle_watch.POLL_SECONDS", 0.01)
    watch._watch()
    assert len(looks) == 3
