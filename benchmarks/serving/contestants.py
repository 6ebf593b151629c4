"""The services that are compared, each as its makers say it is started, each with one process that answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.serving.servers import Server, free_port
from pipeline import serve
from pipeline.development_tokens import development_token
from pipeline.workspace import Workspace

QUIET = {"BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
OURS, USUAL, MLFLOW = "balance-risk", "FastAPI, pandas, SHAP", "mlflow models serve"


def ours(workspace: Workspace) -> Server:
    """The service as ``balance-risk serve`` starts it: tokens, policy, checks and an audit event per answer."""
    variables, port = serve.environment(workspace), free_port()
    serve.prepare(variables)
    token = development_token("app", workspace, minutes=180)
    command = serve.command("127.0.0.1", port)
    return Server(OURS, command, ROOT, variables, port, "/v1/risk", "/readyz", token=token)


def echo(workspace: Workspace) -> Server:
    """BentoML and the network alone."""
    port = free_port()
    command = serve.command("127.0.0.1", port)
    command[command.index(serve.SERVICE)] = "benchmarks.serving.echo_service:Echo"
    return Server("empty BentoML echo", command, ROOT, serve.environment(workspace), port, "/v1/risk", "/readyz")


def usual(folder: Path) -> Server:
    """FastAPI under uvicorn with its fast loop and parser, and without an access log."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.serving.rivals.fastapi_app:app", "--port", str(port),
               "--no-access-log", "--log-level", "warning"]  # fmt: skip
    return Server(USUAL, command, ROOT, {**os.environ, **QUIET, "BENCH_FOLDER": str(folder)}, port, "/v1/risk", "/ping")


def mlflow(folder: Path, home: Path) -> Server:
    """The same work as a pyfunc, served by mlflow in this environment."""
    variables, port = {**os.environ, **QUIET, "PYTHONPATH": str(ROOT)}, free_port()
    # mlflow starts uvicorn by its bare name.
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    saving = [sys.executable, "-m", "benchmarks.serving.rivals.mlflow_save", str(folder), str(home)]
    subprocess.run(saving, cwd=ROOT, env=variables, capture_output=True, check=True)
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(home), "--env-manager", "local",
               "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]  # fmt: skip
    return Server(MLFLOW, command, home.parent, variables, port, "/invocations", "/ping", wraps=True)
