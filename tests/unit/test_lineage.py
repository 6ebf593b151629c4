"""Where a model comes from, also where nobody can ask git."""

from __future__ import annotations

from pipeline.lineage import about_code


def test_without_git_the_revision_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = about_code()
    assert found["code_revision"] == "unknown"
    assert len(found["contract_sha256"]) == 64
