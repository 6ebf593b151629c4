"""The list of packages, the audit of them, and the smaller lock of the service."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import pytest

from pipeline import serving_lock, supply_chain
from pipeline.supply_chain import KnownHole, audit, judge, write_sbom

LOCK = """alpha==1.0 \\
    --hash=sha256:{a}
beta[extra]==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:{b}
""".format(a="a" * 64, b="b" * 64)
HOLE = {"package": "alpha", "version": "1.0", "id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["1.1"]}
TODAY = date(2026, 11, 22)


def test_the_service_needs_less_than_the_project():
    wanted = serving_lock.names()
    assert wanted >= {"bentoml", "lightgbm", "numpy", "uvicorn", "psycopg-binary", "pyjwt"}
    # The training stack, and the tools of tests, must never come to stand on a machine that scores.
    training = {"mlflow", "pandas", "scikit-learn", "shap", "great-expectations", "optuna", "dvc", "pyarrow", "joblib"}
    assert wanted.isdisjoint(training | {"pytest", "hypothesis", "schemathesis", "setuptools", "pip"})


def test_its_lock_file_is_current():
    assert serving_lock.main(["--check"]) == 0


def test_entries_are_taken_over_with_their_hashes():
    assert serving_lock.serving_lock(LOCK, {"beta"}) == LOCK[LOCK.index("beta") :]
    with pytest.raises(serving_lock.LockOutOfDate, match=r"lacks gamma\. Run: make lock"):
        serving_lock.serving_lock(LOCK, {"alpha", "gamma"})


def test_the_list_of_packages_is_the_same_each_time(tmp_path):
    lock = tmp_path / "some.lock"
    lock.write_text(LOCK)
    first, second = (write_sbom(tmp_path / name, lock) for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    listed = json.loads(first.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert [(one["name"], one["version"]) for one in listed["components"]] == [("alpha", "1.0"), ("beta", "2.0")]
    assert "a" * 64 in first.read_text()


def test_a_hole_that_is_mended_elsewhere_fails():
    with pytest.raises(KnownHole, match=r"alpha 1\.0: PYSEC-1, mended in 1\.1"):
        judge([HOLE], [], TODAY)


def test_a_hole_may_wait_with_a_reason_until_a_day():
    allowed = [{"id": "CVE-1", "reason": "only on Windows", "until": "2026-11-22"}]
    assert "PYSEC-1" in judge([HOLE], allowed, TODAY)
    with pytest.raises(KnownHole):
        judge([HOLE], allowed, date(2026, 11, 23))


def test_a_hole_that_nobody_has_mended_is_told():
    assert "not mended anywhere: PYSEC-1" in judge([{**HOLE, "fixed_in": []}], [], TODAY)


def test_an_allowance_needs_a_reason(tmp_path, monkeypatch):
    (tmp_path / "allowed.json").write_text(json.dumps([{"id": "CVE-1", "until": "2030-01-01"}]))
    monkeypatch.setattr(supply_chain, "ALLOWED", tmp_path / "allowed.json")
    monkeypatch.setattr(supply_chain, "_ask", lambda lock: [])
    with pytest.raises(Exception, match="needs id, a reason"):
        audit(build=tmp_path)


def test_without_the_advisory_service_it_says_so_and_does_not_fail(tmp_path, monkeypatch):
    lock = tmp_path / "some.lock"
    lock.write_text(LOCK)
    # Nothing listens there: what a machine without the network sees.
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "NOT DONE" in audit(lock, tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_a_mirror_that_knows_of_no_hole_at_all_is_no_advisory_service(tmp_path, monkeypatch):
    """It would call every package sound: pip-audit skips what the mirror has no page for and then reports nothing."""
    lock = tmp_path / "some.lock"
    lock.write_text(LOCK)
    asked = []
    monkeypatch.setattr(supply_chain, "_ask_about", lambda requirements: asked.append(list(requirements)) or [])
    assert "NOT DONE. No advisory service can be reached that knows" in audit(lock, tmp_path / "build")
    assert asked == [[supply_chain.CANARY]]
    assert not (tmp_path / "build").exists()


def test_each_package_is_asked_about_once_the_service_is_known_to_know(tmp_path, monkeypatch):
    lock = tmp_path / "some.lock"
    lock.write_text(LOCK)
    monkeypatch.setattr(
        supply_chain, "_ask_about", lambda some: [HOLE for one in some if one.startswith(("jinja2", "alpha"))]
    )
    with pytest.raises(KnownHole, match=r"alpha 1\.0: PYSEC-1"):
        audit(lock, tmp_path)


def test_an_answer_is_good_for_a_day_and_for_one_lock_file(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(supply_chain, "_ask", lambda lock: asked.append(lock.read_text()) or [])
    lock = tmp_path / "some.lock"
    for text in (LOCK, LOCK, LOCK + "# changed", LOCK + "# changed"):
        lock.write_text(text)
        audit(lock, tmp_path)
    assert asked == [LOCK, LOCK + "# changed"]
    monkeypatch.setattr(supply_chain, "GOOD_FOR_SECONDS", -1.0)
    audit(lock, tmp_path)
    assert len(asked) == 3


def test_as_a_command():
    done = subprocess.run([sys.executable, "-m", "pipeline.supply_chain"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Say: python -m pipeline.supply_chain" in done.stderr
