"""`./dev experiment …`: begin an experiment, check it, try it, look at it; nothing is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out, print_json, print_table, say
from cli.errors import CliError
from cli.guidance.completing import experiments
from cli.options import AsJson

if TYPE_CHECKING:
    import pandas as pd

    from authoring.check import Problem
    from authoring.trial import Importance

_SHOWN = 15  # columns by their importance

Name = Annotated[
    str, typer.Argument(autocompletion=experiments, help="The experiment: a folder below experiments/.")
]
Table = Annotated[
    Path,
    typer.Option(
        "--data", help="A table: a file as the experiment is to be trained from, or a folder of parts."
    ),
]
Setting = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A web service parameter; repeatable."),
]


def new(
    name: Annotated[str, typer.Argument(help="What it is to be called: letters, digits, dashes.")],
    table: Annotated[
        Path, typer.Option("--from", help="A table that it is to be trained from, or a folder of its parts.")
    ],
    label: Annotated[str, typer.Option("--label", help="The column that the model is to tell.")] = "",
    task: Annotated[
        str, typer.Option("--task", help="two-class, multiclass, regression, clustering or anomaly.")
    ] = "",
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", help="How a missing value is written, such as '?'; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
) -> None:
    """Begin an experiment from a table: say what it holds, write its graphs and a stack's file.

    Example: ./dev experiment new sugar --from sugar.csv --label target
    """
    from authoring.choosing import choose_task
    from authoring.profile import look, suspicions
    from cli.authoring.files import Draft, read_frame, valid_name, write_all
    from cli.authoring.profile_table import print_profile
    from graph import Declared

    valid_name(name)
    marks = tuple(missing or ())
    frame = read_frame(table, Declared({}, marks))
    profile = look(frame)
    kind, why = choose_task(profile, label, task)
    doubted = suspicions(frame, profile, label if kind != "clustering" else "")
    print_profile(profile, label, doubted)
    features = [each.name for each in profile.columns if each.name != label and each.name not in doubted]
    if not features:
        raise CliError("no column is left to learn from", "give a table with columns that tell the label")
    written = write_all(Draft(name, kind, label, tuple(features), profile, frame, table, marks), force=force)
    out().print(f"\ntask: {kind}, since {why}" if not task else f"\ntask: {kind}", markup=False)
    for path in written:
        out().print(f"wrote {path}", markup=False)
    out().print(f"\nTry it: ./dev experiment run {name} --data {table}", markup=False, soft_wrap=True)


def check(
    name: Name,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="A table that it is to be trained from: what of it is not fit is said as well."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say all that a preview would refuse of an experiment, with file, line and node.

    Example: ./dev experiment check sugar --data sugar.csv
    """
    from authoring.check import notes, summary
    from cli.authoring.files import folder_of, package_of, read_frame

    folder = folder_of(name)
    found = _problems(folder, read_frame(data) if data else None)
    if as_json:
        print_json([{"where": each.where, "cause": each.cause, "remedy": each.remedy} for each in found])
    for each in found if not as_json else ():
        out().print(f"{each.where}: {each.cause}", markup=False, soft_wrap=True)
        out().print(f"    remedy: {each.remedy}", markup=False, soft_wrap=True)
    if found:
        raise CliError(
            f"experiments/{name} has {len(found)} problem{'s' * (len(found) > 1)}", "mend what is said above"
        )
    for note in notes(folder) if not as_json else ():
        say(note)
    if not as_json:
        graph = (folder / "training.json").exists()
        out().print(
            f"experiments/{name}: " + (summary(package_of(name)) if graph else "own code") + ", no problem"
        )


def _problems(folder: Path, frame: pd.DataFrame | None) -> list[Problem]:
    from authoring.check import problems, said
    from clients.errors import RetrainError

    if not (folder / "job.yml").exists():
        return problems(folder, frame)
    from retrain_hooks.experiments.own_code import load_own_code

    try:
        load_own_code(folder.name)
    except RetrainError as error:
        return [said(error, folder.name)]
    return []


def run(
    name: Name,
    data: Table,
    parameter: Setting = None,
    allow_scripts: Annotated[
        bool,
        typer.Option(
            "--allow-scripts", help="Run the scripts of Execute Python Script: apart, without network."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train and measure here, in seconds: metrics, the table of confusion, what the model depends on.

    Nothing is deployed and nothing is kept. Example: ./dev experiment run sugar --data sugar.csv
    """
    from authoring.check import misfits
    from authoring.trial import try_out
    from cli.authoring.files import declared_in, package_of, read_frame
    from cli.options import overrides
    from graph import GraphError, ModuleError, Progress, parse_experiment

    package = package_of(name)
    frame = read_frame(data, declared_in(package))
    values = overrides(parameter)

    def told(progress: Progress) -> None:
        if progress.done < progress.total:
            say(f"{progress.done + 1}/{progress.total}  {progress.module}: {progress.rows:,} rows")

    try:
        for error in misfits(package, values, frame):
            raise error
        if (scripts := parse_experiment(package).scripts) and not allow_scripts:
            raise CliError(f"{scripts[0]} runs a script", "say --allow-scripts, if you trust it")
        trial = try_out(package, frame, values, told)
    except GraphError as error:
        raise CliError(error.message, error.remedy or f"./dev experiment check {name}") from None
    except ModuleError as error:
        raise CliError(str(error), "correct the module's parameters, or the table") from None
    if as_json:
        print_json(
            {
                "task": trial.task,
                "rows": trial.rows,
                "seconds": round(trial.seconds, 3),
                "modelBytes": trial.model_bytes,
                "metrics": {title: value for title, value, _name in trial.metrics},
                "confusion": [
                    {"actual": actual, "scored": told_, "rows": rows}
                    for (actual, told_), rows in trial.confusion.items()
                ],
                "importance": dict(trial.importance.columns),
                "importanceMetric": trial.importance.metric,
                "importanceLeftOut": trial.importance.left_out,
            }
        )
        return
    out().print(f"{trial.rows:,} rows, {trial.seconds:.1f} s, a model of {trial.model_bytes / 1000:,.0f} kB")
    print_table(
        ("metric", "value", "in a rule"),
        [(title, f"{value:,.6g}", rule) for title, value, rule in trial.metrics],
        right=("value",),
    )
    if trial.confusion:
        _print_confusion(dict(trial.confusion))
    if trial.importance.columns:
        _print_importance(trial.importance)


def _print_importance(found: Importance) -> None:
    shown = list(found.columns.items())[:_SHOWN]
    print_table(
        ("column", "importance"), [(column, f"{value:.6f}") for column, value in shown], right=("importance",)
    )
    told = (
        f"what {found.metric} loses when the column is shuffled among {found.rows:,} rows that were held back"
    )
    if more := len(found.columns) - len(shown):
        told += f"; {more:,} less important columns are not shown"
    if found.left_out:
        told += f"; {found.left_out:,} columns that go less with its answers were not tried"
    out().print(told, markup=False, soft_wrap=True)


def _print_confusion(counts: dict[tuple[str, str], int]) -> None:
    classes = sorted({each for pair in counts for each in pair})
    rows = [(actual, *(f"{counts.get((actual, told), 0):,}" for told in classes)) for actual in classes]
    print_table(("actual \\ scored", *classes), rows, right=classes)


def predictive(
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a predictive.json that is there.")
    ] = False,
    print_: Annotated[bool, typer.Option("--print", help="Only print it.")] = False,
) -> None:
    """Derive predictive.json from training.json: what is done to a row, then the trained model scores it.

    Example: ./dev experiment predictive sugar --print
    """
    from authoring.predictive import derive
    from cli.authoring.files import as_package_text, package_of, write_new
    from graph import GraphError

    try:
        found = derive(package_of(name))
    except GraphError as error:
        raise CliError(error.message, error.remedy or f"./dev experiment check {name}") from None
    if print_:
        print(as_package_text(found), end="")
        return
    path = write_new(name, "predictive.json", as_package_text(found), force=force)
    out().print(f"wrote {path}", markup=False)


def show(
    name: Name,
    part: Annotated[str, typer.Option("--part", help="training or predictive.")] = "training",
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart.")] = False,
) -> None:
    """Show an experiment's graph: its modules in running order, or as a diagram.

    Example: ./dev experiment show sugar --mermaid
    """
    from authoring.picture import as_mermaid, as_text
    from cli.authoring.files import package_of
    from graph import GraphError

    package: Any = package_of(name, part)
    try:
        lines = as_mermaid(package) if mermaid else as_text(package)
    except GraphError as error:
        raise CliError(error.message, error.remedy or f"./dev experiment check {name}") from None
    for line in lines:
        out().print(line, markup=False, soft_wrap=True)
