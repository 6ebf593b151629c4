"""Where Chromium is on this machine, and how it gets there: ``python -m tests.browser.chromium`` installs Debian's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VARIABLE = "BALANCE_RISK_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium")
LACKING = f"browser tests are skipped: no Chromium. apt-get install chromium as root, or set {VARIABLE} to the path of a Chrome"


def chromium() -> str | None:
    """Return the browser that is set, or one on the path; None if there is none."""
    found = os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)
    return found if found and Path(found).is_file() else None


def install() -> str:
    """Install Debian's Chromium where that is possible; return one line that says what is there."""
    if chromium() is None and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run(INSTALL, env=environment, check=False, **quiet).returncode:
            subprocess.run(("apt-get", "update", "--quiet"), check=False, **quiet)
            subprocess.run(INSTALL, env=environment, check=False, **quiet)
    found = chromium()
    return f"browser tests: {found}" if found else LACKING


if __name__ == "__main__":
    sys.stdout.write(install() + "\n")
