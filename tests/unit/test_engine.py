"""Engines: partitions in order here; what a cluster is asked before it is given anything, and what is said when it fails."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError

import pytest

from data_contracts.errors import EngineError, SettingsError
from pipeline import engine
from pipeline.engine import description, open_engine


@pytest.fixture
def places(tmp_path):
    (tmp_path / "ingest.json").write_text("{}")
    (tmp_path / "training").mkdir()
    return tmp_path / "ingest.json", tmp_path / "training"


@pytest.fixture
def spill(tmp_path):
    return tmp_path / "training" / "spill"


class Cluster:
    """A client of a cluster whose only worker says of itself what it is made to say."""

    def __init__(self, says: object) -> None:
        self.says = says

    def run(self, describe, on_error: str) -> dict:
        if self.says is ModuleNotFoundError:
            raise ModuleNotFoundError("No module named 'pipeline'")
        return {"tcp://10.0.0.7:4000": self.says}


def refused(says: object, expected: dict[str, str]) -> str:
    with pytest.raises(EngineError) as error:
        engine._refuse_strangers(Cluster(says), dict, expected)
    return str(error.value)


def test_the_local_engine_takes_one_partition_after_the_other(places, spill):
    with open_engine("local", None, 3, *places, spill) as each:
        assert list(each(lambda partition: partition * 10, 3)) == [(0, 0), (1, 10), (2, 20)]


def test_an_address_without_the_dask_engine_is_refused_not_ignored(places, spill):
    with (
        pytest.raises(SettingsError, match="--engine dask"),
        open_engine("local", "tcp://host:8786", 3, *places, spill),
    ):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "host:8786",
        "http://host:8786",
        "tcp://host",
        "tcp://",
        "inproc://a:1",
        "",
        "tcp://a:0",
        "tcp://a:65536",
        "tls://a:999999999999",
    ],
)
def test_an_address_that_is_none_is_said_without_asking_anybody(address, places, spill):
    with (
        pytest.raises(SettingsError, match="Write it as tls://host:8786"),
        open_engine("dask", address, 3, *places, spill),
    ):
        pass


@pytest.mark.parametrize(
    "address",
    ["tcp://10.1.2.3:8786", "tcp://host:8786", "tcp://127.0.0.1.example.no:8786", "tcp://localhost.example:1"],
)
def test_another_machine_without_certificates_is_refused(address, places, spill):
    with pytest.raises(SettingsError, match="needs tls://"), open_engine("dask", address, 3, *places, spill):
        pass


def test_two_processes_with_the_same_code_and_files_describe_themselves_alike(places):
    assert description(*places) == description(*places)
    assert {"the code", "the catalogue of features", "balance-risk", "numpy", "pyarrow", "Python"} < {
        *description(*places)
    }


def test_code_that_is_there_as_files_describes_itself_too(monkeypatch):
    """An image of docs/deploy/containers.md has no package balance-risk."""

    def version(name: str) -> str:
        if name == "balance-risk":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(engine, "version", version)
    assert engine._code.__wrapped__()["balance-risk"] == "not installed"


def test_other_tables_or_a_place_where_nothing_can_be_written_are_seen(places, tmp_path):
    ours = description(*places)
    places[0].write_text("[]")
    assert engine._differing(description(*places), ours) == (
        f"{places[0]} is 4f53cda18c2b there, 44136fa355b3 here"  # the digests of [] and {}
    )
    places[0].unlink()
    assert "ingest.json is not there (the workspace must be at the same path) there" in engine._differing(
        description(*places), ours
    )
    elsewhere = description(places[0], tmp_path / "missing")
    assert elsewhere[str(tmp_path / "missing")] == "not writable"


def test_a_worker_that_differs_is_named_with_what_differs():
    expected = {"numpy": "2.4.6", "the code": "abc"}
    engine._refuse_strangers(Cluster(expected), dict, expected)
    assert refused(expected | {"numpy": "2.4.5"}, expected) == (
        "tcp://10.0.0.7:4000 does not fit: numpy is 2.4.5 there, 2.4.6 here"
    )
    assert "the code is None there" in refused({"numpy": "2.4.6"}, expected)


@pytest.mark.parametrize("says", [ModuleNotFoundError, ModuleNotFoundError("No module named 'pipeline'")])
def test_a_worker_without_this_code_is_told_to_install_it(says):
    assert "cannot run balance-risk (ModuleNotFoundError): install it there" in refused(says, {})


def test_a_worker_that_comes_late_is_looked_at_before_it_works():
    ours = {"the code": "abc"}
    assert engine._as_here(lambda: ours, ours, lambda partition: partition + 1, 4) == 5
    with pytest.raises(EngineError, match="came later than the others does not fit: the code is other there"):
        engine._as_here(lambda: {"the code": "other"}, ours, lambda partition: partition + 1, 4)


def test_without_dask_it_is_said_how_to_get_it(places, monkeypatch, spill):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(SettingsError, match="its extra 'cluster'"),
        open_engine("dask", None, 3, *places, spill),
    ):
        pass


# --- tls:// -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificates(tmp_path):
    """Files at the places that Dask's configuration names; what is in them is no certificate."""
    dask = pytest.importorskip("dask")
    paths = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    for path in paths.values():
        path.write_text("no certificate")
    names = ("ca-file", "client.cert", "client.key")
    with dask.config.set(
        {f"distributed.comm.tls.{name}": str(path) for name, path in zip(names, paths.values(), strict=True)}
    ):
        yield paths


def test_tls_without_certificates_names_what_has_to_be_set(places, spill):
    variables = ", ".join(f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name in ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY"))
    with pytest.raises(SettingsError, match=variables), open_engine("dask", "tls://127.0.0.1:1", 3, *places, spill):
        pass


def test_a_certificate_that_is_not_there_is_named_alone(places, spill, certificates):
    certificates["key"].unlink()
    with (
        pytest.raises(SettingsError, match="needs certificates: DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY "),
        open_engine("dask", "tls://127.0.0.1:1", 3, *places, spill),
    ):
        pass


@pytest.mark.usefixtures("certificates")
def test_a_file_that_is_no_certificate_is_said_without_a_traceback(places, spill):
    with (
        pytest.raises(EngineError, match=r"cannot speak to tls://127\.0\.0\.1:1 \(SSLError\)"),
        open_engine("dask", "tls://127.0.0.1:1", 3, *places, spill),
    ):
        pass


def test_a_configuration_that_wants_encryption_refuses_tcp_in_words(places, spill):
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(EngineError, match=r"cannot speak to tcp://127\.0\.0\.1:1"),
        open_engine("dask", "tcp://127.0.0.1:1", 3, *places, spill),
    ):
        pass
