"""Look at a training set and the runs of its models: marimo edit examples/explore.py -- --workspace demo."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="balance-risk: exploring a workspace")

with app.setup:
    import sys
    from pathlib import Path

    import marimo as mo
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

    from data_contracts.errors import BalanceRiskError
    from features.catalogue import feature
    from models.evaluation.figures import canvas, save
    from models.model_card.numbers import count
    from models.outcomes import OUTCOMES
    from models.registry_address import is_server
    from models.registry_listing import runs
    from models.training_set import TrainingSet
    from pipeline.console import read_json
    from pipeline.workspace import Workspace

    FEWEST = 10
    """No number of fewer persons, events or persons without one is shown."""

    BLUE, GREY = "#0072B2", "#666666"


@app.function
def flow_table(training_set: TrainingSet) -> pd.DataFrame:
    """Who is there and who is not, for the first reason that held; counts of 1 to 9 as "<10"."""
    rows = [(reason, count(number)) for reason, number in training_set.flow.items()]
    return pd.DataFrame(rows, columns=["person and index date", "number"])


@app.function
def by_index_date(training_set: TrainingSet) -> pd.DataFrame:
    """Persons and mean outcome of each index date, weighted for censoring; dates with too few are left out."""
    known, found = training_set.observed, []
    for day in np.unique(training_set.t[known]):
        rows = known & (training_set.t == day)
        y, weight = training_set.y[rows], training_set.weight[rows]
        if min(np.count_nonzero(y > 0), np.count_nonzero(y == 0)) >= FEWEST:
            found.append((np.datetime64(int(day), "D"), len(y), np.average(y, weights=weight)))
    return pd.DataFrame(found, columns=["index date", "persons", "mean outcome"])


@app.function
def missing_by_domain(training_set: TrainingSet) -> pd.Series:
    """Share of values that are not known, by domain of the features."""
    domains = pd.Series([str(feature(name).domain) for name in training_set.feature_names])
    return pd.Series(np.isnan(training_set.X).mean(axis=0)).groupby(domains).mean().sort_values()


@app.function
def with_intervals(numbers: dict, label: str, title: str) -> Figure:
    """Draw named estimates with their intervals, the first on top; those without an interval as points."""
    figure = canvas(9, 1.4 + 0.32 * len(numbers))
    axes = figure.subplots()
    for place, one in enumerate(numbers.values()):
        if one["low"] is not None:
            axes.plot([one["low"], one["high"]], [place, place], color=GREY)
        axes.plot(one["value"], place, "o", color=BLUE)
    axes.set_yticks(range(len(numbers)), list(numbers))
    axes.set_ylim(len(numbers) - 0.4, -0.6)
    figure.supxlabel(label, fontsize="medium")  # of the sheet: names of features leave the axes little width
    figure.suptitle(title)
    return figure


@app.function
def calibration(report: dict, stamp: str) -> Figure:
    """Draw the champion's observed shares over its risks, on the test rows."""
    figure = canvas(6, 5)
    axes = figure.subplots()
    risk, observed = report["curve"]["risk"], report["curve"]["observed"]
    end = min(1.0, 1.1 * max(*risk, *observed))
    axes.plot([0, end], [0, end], "--", color=GREY, label="ideal")
    axes.plot(risk, observed, color=BLUE, label="observed, smoothed")
    axes.set(xlabel="risk", ylabel="observed share", title=f"Calibration of {report['champion']}{stamp}")
    axes.legend(frameon=False)
    return figure


@app.cell
def _():
    workspace = Workspace(Path(str(mo.cli_args().get("workspace", "."))))
    there = [name for name in OUTCOMES if (workspace.training_set(name) / "rows.npz").exists()]
    _lacking = f"No training set in {workspace.root}. Run: balance-risk build-training-set, or balance-risk demo."
    if not there and mo.app_meta().mode == "script":
        sys.exit(_lacking)
    mo.stop(not there, mo.md(f"**{_lacking}**"))
    outcome = mo.ui.dropdown(there, value=there[0], label="outcome")
    return outcome, workspace


@app.cell
def _(outcome, workspace):
    training_set = TrainingSet.load(workspace.training_set(outcome.value) / "rows")
    is_synthetic = training_set.facts["synthetic"]
    stamp = " (SYNTHETIC)" if is_synthetic else ""
    warning = (
        "**SYNTHETIC persons.** They show how the pipeline works, and nothing about real people."
        if is_synthetic
        else "**Real persons.** Nothing here names one, and nothing of fewer than ten is shown; it is not for everybody's eyes."
    )
    mo.vstack([
        mo.md(f"# {outcome.value}"), outcome, mo.md(warning),
        mo.md(
            f"{len(training_set)} rows of {len(training_set.person_ids)} persons, data as of "
            f"{training_set.facts['data_as_of']}. A person has a row for each index date on which a prediction was possible."
        ),
    ])  # fmt: skip
    return stamp, training_set


@app.cell
def _(training_set):
    flow = flow_table(training_set)
    mo.vstack([mo.md("## Who is there, and who is not"), mo.ui.table(flow, selection=None, page_size=20)])
    return (flow,)


@app.cell
def _(stamp, training_set):
    dates = by_index_date(training_set)
    over_time = canvas(8, 3.2)
    _axes = over_time.subplots()
    _axes.plot(dates["index date"], dates["mean outcome"], "o-", color=BLUE)
    _axes.set(
        xlabel="index date", ylabel="mean outcome", ylim=(0, None), title=f"{training_set.outcome} by index date{stamp}"
    )
    mo.vstack([
        mo.md("## The outcome by index date\nA jump is more often a change of the data than of the world."), over_time,
    ])  # fmt: skip
    return dates, over_time


@app.cell
def _(stamp, training_set):
    share_missing = missing_by_domain(training_set)
    missing = canvas(8, 3.6)
    _axes = missing.subplots()
    _axes.barh(share_missing.index, share_missing, color=BLUE)
    _axes.set(xlim=(0, 1), xlabel="share of values that are not known", title=f"What is missing{stamp}")
    mo.vstack([
        mo.md("## What is missing\nUnknown is never zero: models see that a value is missing, and may learn from it."), missing,
    ])  # fmt: skip
    return missing, share_missing


@app.cell
def _(outcome, workspace):
    _path = workspace.evaluation(outcome.value) / "metrics.json"
    mo.stop(
        not _path.exists(), mo.md("**No evaluation yet.** Run: `balance-risk train`, then `balance-risk evaluate`.")
    )
    report = read_json(_path)
    return (report,)


@app.cell
def _(report, stamp):
    metric = "auroc" if report["target"] == "event" else "spearman"
    candidates = with_intervals(
        {name: found[metric] for name, found in report["models"].items()}, f"{metric}, 95 % interval",
        f"Candidates on the test rows, champion: {report['champion']}{stamp}",
    )  # fmt: skip
    pictures = {"candidates": candidates}
    if "curve" in report:
        pictures["calibration"] = calibration(report, stamp)
    _test = report["test"]
    mo.vstack([
        mo.md(
            f"## The candidates\nJudged on {_test['rows']} later rows of {_test['persons']} other persons. The champion was "
            "chosen in training, out of fold; these rows had no part in it."
        ),
        *pictures.values(),
    ])  # fmt: skip
    return (pictures,)


@app.cell
def _(report, stamp):
    _found = sorted(report["explanation"]["importance"]["features"].items(), key=lambda one: -one[1]["value"])
    importance = with_intervals(
        {feature(name).label_en: numbers for name, numbers in _found}, "mean absolute contribution, log-odds, 95 % interval",
        f"What moves the champion's risks{stamp}",
    )  # fmt: skip
    mo.vstack([
        mo.md(
            "## What moves the risks\nHow far each feature moves a risk on average. It is what the model associates with the "
            "outcome; changing one is no promise."
        ),
        importance,
    ])  # fmt: skip
    return (importance,)


@app.cell
def _(outcome, workspace):
    try:
        _address = workspace.tracking_uri
        registered = runs(outcome.value, tracking_uri=_address)
        _told = [
            mo.md(f"In `{_address if is_server(_address) else workspace.registry_file.name}`."),
            mo.ui.table(registered, selection=None),
        ]
    except BalanceRiskError as error:
        registered, _told = None, [mo.md(f"**{error}**")]
    mo.vstack([mo.md("## The runs in MLflow"), *_told])
    return (registered,)


@app.cell
def _(dates, flow, importance, missing, over_time, pictures, registered, share_missing, workspace):
    if mo.app_meta().mode == "script":
        _home = workspace.root / "data" / "exploration"
        for _name, _figure in {
            "over_time": over_time,
            "missing": missing,
            "importance": importance,
            **pictures,
        }.items():
            save(_figure, _home / f"{_name}.png")
        for _table in (flow, dates, share_missing.round(3).to_frame("missing"), registered):
            if _table is not None:
                sys.stdout.write(f"{_table.to_string()}\n\n")
        sys.stdout.write(f"Pictures: {_home}\n")


if __name__ == "__main__":
    app.run()
