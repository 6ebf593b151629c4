"""A night on a cluster: what a worker refuses before it scores anybody, and which options make no sense together."""

from __future__ import annotations

import os
import select

import orjson
import pytest

from data_contracts.errors import EngineError, MissingInputError, SettingsError
from pipeline import nightly, nightly_cluster, score
from pipeline.engine import in_turn
from pipeline.workspace import Workspace

MODELS = {"burnout": {"directory": "1-abc", "version": "1", "artifact_sha256": "abc"}}


@pytest.mark.parametrize(
    ("hello", "words"),
    [
        (
            orjson.dumps({"error": "no such bundle."}) + b"\n",
            "no such bundle. Bundles and key must be at the same path",
        ),
        (orjson.dumps({"models": {"burnout": {**MODELS["burnout"], "version": "2"}}}) + b"\n", "other models"),
    ],
)
def test_a_worker_that_cannot_score_with_the_models_of_the_night_is_refused(hello, words):
    with pytest.raises(EngineError, match=words):
        nightly_cluster._refuse_other_models(hello, MODELS)


def test_a_worker_with_the_models_of_the_night_is_not():
    nightly_cluster._refuse_other_models(orjson.dumps({"models": MODELS}) + b"\n", MODELS)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (("local", "tls://host:8786", None, None), "--engine dask"),
        (("dask", None, "SYNTHETIC-1", None), "leave out --person"),
        (("dask", None, None, 2), "--workers"),
    ],
)
def test_options_that_would_do_nothing_are_refused(chosen, words):
    with pytest.raises(SettingsError, match=words):
        score._refuse_engine(*chosen)


class Done:
    """A client on which the last partition is ready first; results are asked for one at a time."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def submit(self, guarded, partition, **_):
        return Future(self, guarded, partition)


class Future:
    def __init__(self, client: Done, guarded, partition: int) -> None:
        self.client, self.guarded, self.partition = client, guarded, partition

    def result(self):
        self.client.asked.append(self.partition)
        return self.guarded(self.partition)


def test_partitions_come_in_turn_and_only_one_is_held():
    pytest.importorskip("distributed")
    client = Done()
    found = in_turn(client, dict, {}, lambda partition: partition * 10, 3)
    assert next(found) == (0, 0)
    assert client.asked == [0]
    assert list(found) == [(1, 10), (2, 20)]


def test_what_is_asked_reaches_the_process_before_results_are_waited_for():
    """Both would wait for each other: results of a cluster come only after the process has said which models it opened."""
    reading, writing = os.pipe()
    sender = nightly._Sender(os.fdopen(writing, "wb"), {"mode": "score"}, lambda told: iter([b"a result\n"]))
    with os.fdopen(reading, "rb") as process:
        sender.start()
        try:
            arrived, _, _ = select.select([process], [], [], 10)
            assert arrived
        finally:
            sender.hear({"models": {}})
        assert process.read().splitlines() == [b'{"mode":"score"}', b"a result", nightly.END.strip()]
    sender.join()


def test_champions_are_looked_for_where_the_process_that_scores_opens_them(tmp_path, monkeypatch):
    workspace, elsewhere = Workspace(tmp_path / "workspace"), tmp_path / "elsewhere"
    (workspace.bundles / "burnout").mkdir(parents=True)
    (workspace.bundles / "burnout" / "current").symlink_to("1-abcdef012345")
    score._require_champions(workspace, ["burnout"])
    monkeypatch.setenv("BALANCE_RISK_BUNDLES", str(elsewhere))
    with pytest.raises(MissingInputError, match=f"promoted in {elsewhere}"):
        score._require_champions(workspace, ["burnout"])
