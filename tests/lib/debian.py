"""Programs of Debian's that tests use, in one place: ``python -m tests.lib.debian`` installs those that are lacking."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SYSTEM = "/usr/sbin:/sbin"
"""Where servers are, which is not on everybody's path."""
INIT = Path("/run/systemd/system")
"""There while systemd runs the machine; a server that Debian installs is then started at once."""


@dataclass(frozen=True)
class Program:
    """A program, the package that brings it, and the tests that are skipped without it.

    Parameters
    ----------
    package : str
    names : tuple of str
        What it may be called.
    variable : str
        Environment variable that names its file.
    tests : str
        What is skipped.
    is_server : bool
        Installing it starts it on a machine that systemd runs. That is not done unasked.
    """

    package: str
    names: tuple[str, ...]
    variable: str
    tests: str
    is_server: bool = False

    def find(self) -> str | None:
        """Return the file that is set, or one on the path; None if there is none."""
        path = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{SYSTEM}"
        on_path = filter(None, (shutil.which(name, path=path) for name in self.names))
        found = os.environ.get(self.variable) or next(on_path, None)
        return found if found and Path(found).is_file() else None

    @property
    def lacking(self) -> str:
        """The line that says what is skipped and what to do."""
        stop = f" (it starts a server: systemctl disable --now {self.package})" if self.is_server else ""
        return (
            f"{self.tests} are skipped: no {self.package}. apt-get install {self.package} as root{stop}, "
            f"or set {self.variable} to the path of its program"
        )


CHROMIUM = Program(
    "chromium", ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"), "BALANCE_RISK_CHROMIUM",
    "browser tests",
)  # fmt: skip
NGINX = Program("nginx", ("nginx",), "BALANCE_RISK_NGINX", "tests of the service behind a proxy", is_server=True)
PROGRAMS = (CHROMIUM, NGINX)


def install(program: Program) -> str:
    """Install a program where that is possible; return one line that says what is there."""
    may = shutil.which("apt-get") and os.geteuid() == 0 and not (program.is_server and INIT.is_dir())
    if program.find() is None and may:
        command = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", program.package)
        if not _ran(*command):
            _ran("apt-get", "update", "--quiet")
            _ran(*command)
    found = program.find()
    return f"{program.tests}: {found}" if found else program.lacking


def _ran(*command: str) -> bool:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, check=False, **quiet).returncode == 0


if __name__ == "__main__":
    for one in PROGRAMS:
        sys.stdout.write(install(one) + "\n")
