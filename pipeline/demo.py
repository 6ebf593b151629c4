"""Verb demo: the whole way on simulated firms, ending with one person's explained risk from a running service."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import typer

from data_contracts.errors import BalanceRiskError
from data_contracts.readers.parquet_files import read_tables
from models.registry_address import VARIABLE
from pipeline import build_training_set, evaluate, ingest, promote, register, score, simulate, train, validate
from pipeline import serve as serving_process
from pipeline.approval import Approval
from pipeline.console import progress, write_json
from pipeline.development_tokens import development_token
from pipeline.person_record import person_record
from pipeline.risk_picture import draw, reason_text, safety_text, sentence
from pipeline.settings import Settings
from pipeline.workspace import Workspace

OUTCOMES = ("long_sick_leave", "burnout")
"""The two that the programme asks for first; train makes all five."""

APPROVAL = Approval("balance-risk demo", "demonstration on synthetic persons")

SHOWN_PERCENTILE = 90
"""The person shown stands here in the ranking by risk of long sick leave: high enough to have something to say."""

LONGEST_START_SECONDS = 90


class ServiceDidNotStart(BalanceRiskError):
    """The demo's scoring service did not become ready."""


def run(workspace: Workspace, settings: Settings, as_json: bool) -> None:
    """Run every stage in ``workspace``, ask the running service for one person's risks, print and draw them."""
    outcomes = [*OUTCOMES]
    began = time.perf_counter()
    os.environ.pop(VARIABLE, None)  # simulated firms go into no registry but the demo's own

    def tell(report: dict[str, Any]) -> dict[str, Any]:
        typer.echo(report["summary"], err=as_json)
        return report

    tell(simulate.run(workspace, settings.simulate))
    tell(ingest.run(workspace, settings.ingest))
    tell(validate.run(workspace))
    tell(build_training_set.run(workspace, settings, outcomes))
    trained = tell(train.run(workspace, settings, outcomes))
    judged = tell(evaluate.run(workspace, settings, outcomes))
    versions = tell(register.run(workspace, list(judged["outcomes"])))
    policy = settings.promotion.policy()
    outcomes = _promoted(tell(promote.run(workspace, list(versions["outcomes"]), None, policy, APPROVAL)))
    scored = tell(score.run(workspace, settings.simulate.end, outcomes, None))
    record = _someone(workspace, settings, Path(scored["path"]))
    with progress("start the scoring service and ask it for one person"), _service(workspace) as address:
        request = {"index_date": settings.simulate.end.isoformat(), "outcomes": outcomes, "record": record}
        answer = _post(f"{address}/v1/risk", request, development_token("app", workspace))
    picture = workspace.root / "explained_risk.png"
    draw(answer, picture)
    write_json(workspace.root / "request.json", request)
    write_json(workspace.root / "answer.json", answer)
    _show(answer, picture, time.perf_counter() - began, as_json)
    if as_json:
        typer.echo(
            json.dumps(_document(settings, trained, judged, versions, answer, picture), indent=2, sort_keys=True)
        )


def _someone(workspace: Workspace, settings: Settings, scores: Path) -> dict[str, Any]:
    """Return the record of a person with both risks, high in the ranking, who answered a survey in the last year."""
    tables = read_tables(workspace.tables)
    index_day = np.datetime64(settings.simulate.end, "D")
    ranked = _ranked_persons(scores)
    for person_id in ranked[int(len(ranked) * SHOWN_PERCENTILE / 100) :]:
        record = person_record(tables, person_id, index_day)
        year_ago = (settings.simulate.end - timedelta(days=365)).isoformat()
        if any(row["answered_on"] > year_ago for row in record["survey_answers"]):
            return record
    return person_record(tables, ranked[-1], index_day)


def _ranked_persons(scores: Path) -> list[str]:
    """Persons whom every champion scored, by rising risk of the first outcome."""
    risks: dict[str, list[float]] = {}
    with scores.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["risk"]:
            risks.setdefault(row["person_id"], []).append(float(row["risk"]))
    n_outcomes = len({row["outcome"] for row in rows})
    complete = {person: found for person, found in risks.items() if len(found) == n_outcomes}
    return sorted(complete or risks, key=lambda person: risks[person][0])


def _promoted(report: dict[str, Any]) -> list[str]:
    """Return the outcomes that the policy let into service; an error that names what failed if there is none."""
    promoted = [name for name, found in report["outcomes"].items() if found["promoted"]]
    if not promoted:
        promote.refuse_failed(report)
    return promoted


@contextmanager
def _service(workspace: Workspace) -> Iterator[str]:
    """Run the service on a free port of this machine; yields its address once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, log = f"http://127.0.0.1:{port}", workspace.root / "service.log"
    variables = serving_process.environment(workspace, {})
    serving_process.prepare(variables)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            serving_process.command("127.0.0.1", port), env=variables,
            cwd=serving_process.PROJECT, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _wait_until_ready(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise ServiceDidNotStart(f"The scoring service was not ready after {LONGEST_START_SECONDS} s; its log is {log}.")


def _post(url: str, body: dict[str, Any], token: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "X-Purpose-Of-Use": "healthcare"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise BalanceRiskError(f"{url} answered {error.code}: {error.read().decode()}") from None


def _show(answer: dict[str, Any], picture: Path, seconds: float, quiet: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=quiet, width=118)
    if answer["safety_flags"]:
        console.print(safety_text(answer), style="bold red")
    for found in answer["outcomes"].values():
        if found["risk"] is None:
            continue
        synthetic = "SYNTHETIC person; " if found["model"]["synthetic"] else ""
        title = sentence(found).replace("\n", " ")
        model = (
            f"{synthetic}model {found['model']['name']} version {found['model']['version']}, not clinically validated"
        )
        table = Table(title=title, caption=model, title_justify="left", width=116)
        for column in ("factor", "in the model", "log-odds", "can change"):
            table.add_column(column, justify="right" if column == "log-odds" else "left")
        for reason in found["reasons"]:
            direction = "▲ raises" if reason["contribution"] > 0 else "▼ lowers"
            changeable = "yes" if reason["modifiable"] else "no"
            table.add_row(reason_text(reason), direction, f"{reason['contribution']:+.3f}", changeable)
        console.print(table)
    console.print(f"Picture: {picture}    whole way: {seconds:.0f} s", highlight=False)


def _document(
    settings: Settings,
    trained: dict[str, Any],
    judged: dict[str, Any],
    versions: dict[str, Any],
    answer: dict[str, Any],
    picture: Path,
) -> dict[str, Any]:
    """Everything the demo found, for machines."""
    return {
        "synthetic": True,
        "persons": settings.simulate.persons,
        "seed": settings.simulate.seed,
        "outcomes": {
            name: {
                "champion": {**versions["outcomes"][name], "estimator": trained["outcomes"][name]["champion"]},
                "auroc": found["models"][found["champion"]]["auroc"],
                "metrics": found["models"],
                "test": found["test"],
                "notes": found["notes"],
                "served": answer["outcomes"].get(name),
            }
            for name, found in judged["outcomes"].items()
        },
        "index_date": answer["index_date"],
        "safety_flags": answer["safety_flags"],
        "picture": str(picture),
    }
