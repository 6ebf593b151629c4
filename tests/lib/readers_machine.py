"""A directory as a reader of the documentation has it: the examples, a demo, keys, a service; and the commands run there."""

from __future__ import annotations

import csv
import io
import os
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import yaml

from pipeline import cli
from tests.lib.deployment import wait_for

PROJECT = Path(__file__).parents[2]
DOCUMENTED_ADDRESSES = ("http://127.0.0.1:3000", "localhost:3000")

NUMBERS = {
    "simulate": {"persons": 1500},
    "train": {"folds": 2, "refits": 2},
    "evaluate": {"bootstrap": 60},
    "promotion": {
        "fewest_test_events": 10, "fewest_resamples": 60, "fewest_refits": 2, "net_benefit_margin": 0.9, "auroc_margin": 0.4,
        "observed_to_expected": [0.2, 5], "good_calibration": [0.2, 5], "calibration_slope": [0.1, 5],
        "good_slope": [0.1, 5], "widest_observed_to_expected": 10, "largest_detectable_ratio": 100,
    },
}  # fmt: skip
"""params.yaml of this reader: so few persons that every command is quick, and a policy that lets a model of so few through."""


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Machine:
    """A checkout with a workspace called demo; what names no workspace is run inside it, as in a reader's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = self.directory("demo")
        self.address = ""
        (root / "examples").symlink_to(self.home / "examples")

    def directory(self, name: str) -> Path:
        """Return a directory with what a command may need beside it."""
        found = self.root / name
        if not found.exists():
            shutil.copytree(PROJECT / "examples", found / "examples")
            (found / "params.yaml").write_text(yaml.safe_dump(NUMBERS))
            (found / "mine.yaml").write_text("persons: 180\nfull_time_wage: 640000\n")
            panel().to_csv(found / "panel.csv", index=False)
        return found

    def run(self, words: list[str], where: str = "demo") -> Done:
        """Run ``balance-risk`` in this process, as its entry point does: a real start costs a second of imports each time."""
        words, to_file = (words[:-2], words[-1]) if ">" in words else (words, "")
        out, err = io.StringIO(), io.StringIO()
        kept = sys.argv, dict(os.environ)
        directory = self.root if "demo" in words else self.directory(where)
        sys.argv = ["balance-risk", *words]
        os.environ["BALANCE_RISK_PUBLIC_URL"] = "https://risk.example.org"  # docs/alerts.md: messages name it
        code = 0
        try:
            # Warnings of libraries do not stop a reader's command.
            with chdir(directory), redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.argv = kept[0]
            os.environ.clear()
            os.environ.update(kept[1])
        if to_file:
            (directory / to_file).write_text(out.getvalue())
        return Done(code, out.getvalue(), err.getvalue())

    def shell(self, script: str, **variables: str) -> Done:
        """Run a script as bash does, with the commands of the environment on the path."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.root, env=os.environ | {"PATH": path} | variables,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def serving(self, workspace: str) -> Iterator[None]:
        """Serve a workspace as ``make serve`` does, but on a free port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = ["balance-risk", "serve", "--workspace", workspace, "--port", str(port)]
        with (self.root / "service.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli", *words[1:]], cwd=self.root, stdout=log, stderr=log,
                env=os.environ | {"PYTHONPATH": str(PROJECT)},
            )  # fmt: skip
        self.address = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: ready(self.address))
            yield
        finally:
            process.terminate()
            process.wait(30)


def declare_a_team(home: Path, delivered: Path) -> None:
    """Write the file of teams that docs/alerts.md shows, for all companies that were delivered and without a webhook."""
    with (delivered / "employments.csv").open(newline="") as file:
        companies = sorted({row["company_id"] for row in csv.DictReader(file)})
    outcomes = {"long_sick_leave": {"contacts_in_vain_per_person_found": 9}}
    team = {
        "name": "north",
        "companies": companies,
        "outcomes": outcomes,
        "per_week": 5,
        "valid_days": 14,
        "language": "nb",
    }
    (home / "teams.yaml").write_text(yaml.safe_dump({"teams": [team]}))


def ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def at_address(text: str, address: str) -> str:
    """A page's text with the port that it names replaced by the one that is served."""
    for documented in DOCUMENTED_ADDRESSES:
        text = text.replace(documented, address)
    return text


def filled(words: list[str], placeholders: Mapping[str, str]) -> list[str]:
    """Words with what the reader must fill in filled in; ``--company ID`` may stand for another thing than ``--person ID``."""
    before = ["", *words]
    return [
        placeholders.get(f"{option} {word}", placeholders.get(word, word))
        for option, word in zip(before, words, strict=False)
    ]


def panel() -> pd.DataFrame:
    """A panel of 24 companies over six years, half of which begin in the fourth."""
    return pd.DataFrame(
        [
            {
                "company": f"c{company}", "period": f"{2018 + year}", "weight": 10,
                "start": "2021" if company % 2 else None,
                "outcome": 7 + company % 5 + 0.2 * year - (company % 2) * (year >= 3) + 0.1 * ((company * year) % 7),
            }
            for company in range(24)
            for year in range(6)
        ]
    )  # fmt: skip
