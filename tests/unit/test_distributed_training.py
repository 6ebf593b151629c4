"""What a cluster that fails under LightGBM becomes: one sentence and exit code 7; and who chooses the cluster."""

from __future__ import annotations

from concurrent.futures import CancelledError
from types import SimpleNamespace

import numpy as np
import pytest
from lightgbm.basic import LightGBMError
from typer.testing import CliRunner

from data_contracts.errors import EngineError
from pipeline import distributed_training, train
from pipeline.cli import app

pytest.importorskip("distributed")
from distributed import KilledWorker


class Cluster:
    """A client of two workers, the second of which is stuck in a growing tree; remembers what was asked of it."""

    def __init__(self) -> None:
        self.restarted: list[list[str]] = []
        self.waited_for: list[int] = []

    def scheduler_info(self, n_workers: int) -> dict:
        return {"workers": {"a": 1, "b": 2}}

    def run(self, function, on_error):
        executing = {"a": [], "b": [SimpleNamespace(key="_train_part-1f0c")]}
        return {name: function(SimpleNamespace(state=SimpleNamespace(executing=of))) for name, of in executing.items()}

    def restart_workers(self, workers, timeout, raise_for_error):
        self.restarted.append(workers)
        raise ValueError("Restarting workers requires a nanny")

    def wait_for_workers(self, n_workers, timeout):
        self.waited_for.append(n_workers)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KilledWorker("train", None, 3), "too little memory"),
        (CancelledError("rows of somebody"), "CancelledError"),
        (LightGBMError("Socket recv error, somebody"), "LightGBMError"),
        (ConnectionResetError("somebody"), "ConnectionResetError"),
    ],
)
@pytest.mark.parametrize("place", ["scatter", "fit"])
def test_what_the_cluster_does_not_survive_is_said_in_words(monkeypatch, error, words, place):
    def fails(*_, **__):
        raise error

    trees = SimpleNamespace(fit=fails if place == "fit" else None)
    monkeypatch.setattr("lightgbm.dask.DaskLGBMRegressor", lambda **_: trees)
    monkeypatch.setattr(distributed_training, "_shared", (lambda *_: None) if place == "fit" else fails)
    cluster = Cluster()
    with pytest.raises(EngineError, match=words) as raised:
        distributed_training._grown(cluster, 2, {}, np.zeros((4, 1)), np.zeros(4), np.ones(4))
    assert "somebody" not in str(raised.value)
    assert cluster.restarted == [["b"], ["b"]], "between the attempts, who still waits for a lost worker is ended"
    assert cluster.waited_for == [2, 2], "also where nobody starts them again"


def test_train_does_not_follow_the_environment_variables_of_build_training_set(monkeypatch, tmp_path):
    """Its trees are not the same with both engines."""
    seen = []
    monkeypatch.setattr(train, "run", lambda *arguments: seen.append(arguments[-2:]) or {"summary": ""})
    monkeypatch.setenv("BALANCE_RISK_ENGINE", "dask")
    monkeypatch.setenv("BALANCE_RISK_SCHEDULER", "tcp://nowhere:8786")
    (tmp_path / "params.yaml").write_text("train: {seed: 17}\n")
    result = CliRunner().invoke(app, ["train", "--params", str(tmp_path / "params.yaml")])
    assert result.exit_code == 0, result.exception
    assert seen == [("local", None)]
