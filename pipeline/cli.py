"""The command line: one verb per stage. Heavy libraries are imported only by the verb that needs them."""

from __future__ import annotations

import os
import sys

import typer

from data_contracts.errors import BalanceRiskError
from pipeline.commands import (
    access,
    alerts,
    audit,
    backup,
    data,
    doctor,
    economics,
    effect,
    feedback,
    monitor,
    report,
    service,
    training,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Explained, calibrated risks of burnout and sick leave. Start with: balance-risk demo",
    epilog="Stages in order: simulate (or your own data), ingest, validate, build-training-set, train, evaluate, "
    "register, promote, then score or serve. Every verb has --help.",
)

for verb in (
    data.simulate,
    data.ingest,
    data.validate,
    data.erase,
    training.sample_size,
    training.build_training_set,
    training.train,
    training.evaluate,
    service.register,
    service.promote,
    service.score,
    feedback.decisions,
    training.features,
    service.serve,
    access.token,
    backup.backup,
    backup.restore,
    service.demo,
    doctor.doctor,
    economics.economics,
    effect.effect,
    monitor.monitor,
):
    app.command(verb.__name__.replace("_", "-"))(verb)

app.add_typer(audit.app, name="audit")
app.add_typer(alerts.app, name="alerts")
app.add_typer(report.app, name="report")

UNEXPECTED = """balance-risk: unexpected {}; this is a fault of ours: please report, with the command but without data. \
(BALANCE_RISK_TRACEBACK=1 shows where it happened; what it shows may hold data.)"""


def main() -> None:
    """Run the command line; errors a user can mend are printed without a traceback."""
    # Nothing that we call may call home. Set here so that it also holds outside the Makefile.
    for name, value in {"BENTOML_DO_NOT_TRACK": "True", "DVC_NO_ANALYTICS": "1", "GX_ANALYTICS_ENABLED": "False",
                        "MLFLOW_DISABLE_TELEMETRY": "true"}.items():  # fmt: skip
        os.environ.setdefault(name, value)
    try:
        app()
    except BalanceRiskError as error:
        typer.echo(f"balance-risk: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # the last net: its text may hold a person's data
        if os.environ.get("BALANCE_RISK_TRACEBACK") == "1":
            raise
        typer.echo(UNEXPECTED.format(type(error).__name__), err=True)
        sys.exit(70)


if __name__ == "__main__":
    main()
