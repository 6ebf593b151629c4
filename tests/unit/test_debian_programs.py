"""Programs of Debian's that tests use: found, installed where nobody is bothered by it, or named in one line."""

from __future__ import annotations

import pytest

from tests.lib import debian
from tests.lib.debian import CHROMIUM, NGINX, PROGRAMS, install


@pytest.fixture
def asked(monkeypatch, tmp_path) -> list[str]:
    """What would have been run, by root, on a machine without any of the programs."""
    run: list[str] = []
    monkeypatch.setattr(debian, "SYSTEM", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    for program in PROGRAMS:
        monkeypatch.delenv(program.variable, raising=False)
    monkeypatch.setattr("tests.lib.debian.shutil.which", lambda name, path=None: name if name == "apt-get" else None)
    monkeypatch.setattr("tests.lib.debian.os.geteuid", lambda: 0)
    monkeypatch.setattr(debian, "_ran", lambda *command: run.append(command[-1]) or True)
    return run


def test_a_server_is_not_started_on_somebodys_machine_unasked(asked, monkeypatch, tmp_path):
    """Debian starts nginx when it is installed: port 80 of a developer's machine would be open after `make test`."""
    monkeypatch.setattr(debian, "INIT", tmp_path)
    assert install(NGINX) == NGINX.lacking
    assert "systemctl disable --now nginx" in NGINX.lacking
    install(CHROMIUM)
    assert asked == ["chromium"]


def test_where_nothing_is_started_it_is_installed(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(debian, "INIT", tmp_path / "nothing")
    assert install(NGINX) == NGINX.lacking, "and it says so where that did not help"
    assert asked == ["nginx"]


def test_a_program_that_is_named_is_taken(monkeypatch, tmp_path):
    program = tmp_path / "nginx"
    program.touch()
    monkeypatch.setenv(NGINX.variable, str(program))
    assert NGINX.find() == str(program)
    assert install(NGINX) == f"{NGINX.tests}: {program}"
    monkeypatch.setenv(NGINX.variable, str(tmp_path / "gone"))
    assert NGINX.find() is None
