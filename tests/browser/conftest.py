"""A real service, a real browser, and readers who have signed in."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.deployed import Deployed
from tests.lib.debian import CHROMIUM
from tests.lib.deployment import PROJECT

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory) -> Path:
    """The workspace of these tests, made once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "browser"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            shutil.rmtree(shared / "workspace", ignore_errors=True)
            command = [sys.executable, "-m", "tests.browser.workspace", str(shared / "workspace")]
            done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-3000:]
            (shared / "done").touch()
    return shared / "workspace"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, ended with the module: its event loop would be in the way of others."""
    path = CHROMIUM.find()
    if path is None:
        pytest.skip(CHROMIUM.lacking)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


@pytest.fixture(scope="module")
def deployed(browser, workspace, tmp_path_factory) -> Iterator[Deployed]:
    """The service on a copy of the workspace's store; what one module decides no other sees."""
    running = Deployed(tmp_path_factory.mktemp("deployed"), workspace, browser)
    try:
        running.service.start(until_ready=True)
        yield running
    finally:
        running.service.stop()
