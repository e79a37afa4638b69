"""What a preview would refuse of an experiment, found without a stack: with the file, its line and the node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clients.errors import RetrainError
from graph import Experiment, GraphError, parse_experiment, texts
from graph.flow import UNTOLD
from graph.needs import faults, needs
from graph.package import line_of, read_package

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("training", "predictive")
_SHOWN: Final = 12


@dataclass(frozen=True)
class Problem:
    """What is wrong, where (`training.json:12, node "split"`), and what to do."""

    where: str
    cause: str
    remedy: str


def problems(folder: Path, frame: pd.DataFrame | None = None) -> list[Problem]:
    """All that is wrong with the graphs in *folder*, and with a table that they are to be trained from."""
    found: list[Problem] = []
    for part in PARTS:
        path = folder / f"{part}.json"
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            verb = "predictive" if part == "predictive" else "new"
            remedy = f"write it, or let ./dev experiment {verb} {folder.name} do so"
            found.append(Problem(path.name, "there is no such file", remedy))
            continue
        except (OSError, ValueError) as error:
            found.append(Problem(path.name, f"it cannot be read: {error}", "correct the file"))
            continue
        try:
            package = read_package(text)
        except GraphError as error:
            found.append(_placed(path.name, text, error))
            continue
        found += [_placed(path.name, text, each) for each in _wrong(part, package, frame)]
    return found


def notes(folder: Path) -> list[str]:
    """What of the graphs in *folder*, in which no problem is, somebody has to allow."""
    found = []
    for part in PARTS:
        path = folder / f"{part}.json"
        for script in (
            parse_experiment(read_package(path.read_text(encoding="utf-8"))).scripts if path.is_file() else ()
        ):
            found.append(
                f"{path.name}: {script} runs a script; the local cloud and `experiment run` do with --allow-scripts"
            )
    return found


def _wrong(part: str, package: Any, frame: pd.DataFrame | None) -> Iterator[GraphError]:
    """What is wrong with a package. Nothing that a published service would be asked is asked here."""
    wrong = faults(package)
    yield from wrong
    try:
        experiment = parse_experiment(package)
    except GraphError:
        return
    yield from _unfit(part, experiment)
    if frame is not None and not wrong:
        values = {
            name: each.default for name, each in experiment.parameters.items() if each.default is not None
        }
        yield from misfits(package, values, frame, trains=part == "training")


def misfits(
    package: Mapping[str, Any], values: Mapping[str, str], frame: pd.DataFrame, *, trains: bool = True
) -> Iterator[GraphError]:
    """Why a graph cannot be run on a table, or with *trains* be trained from it, as far as that is known before."""
    asked = needs(package, values)
    there = [str(name) for name in frame.columns]
    lacking = [(name, node) for name, node in asked.columns.items() if name not in there]
    for name, node in lacking:
        yield GraphError(
            f'{node} asks for the column "{name}", which the table does not have',
            name,
            f"give a table that has it, or name another column; there is: {', '.join(there[:_SHOWN])}"
            + (", …" if len(there) > _SHOWN else ""),
        )
    if lacking or not trains:
        return
    label = asked.label if asked.label and asked.label.source in there else None
    values_of = frame[label.source].drop_duplicates() if label else ()
    labels = {label.values(each) for each in texts(values_of, "String")} - {None} if label else {UNTOLD}
    why = "has no rows" if frame.empty else asked.too_few(len(frame)) or asked.misfit(labels)
    if why:
        yield GraphError(
            f"the table {why}", label.source if label else "nodes", "give a table with other rows"
        )


def _unfit(part: str, experiment: Experiment) -> Iterator[GraphError]:
    """What a package lacks to be retrained, or to be served."""
    if len(experiment.inputs) != 1:
        yield GraphError(
            f"it has {len(experiment.inputs)} web service inputs, not one",
            "nodes",
            'give it one {"input": "input1"}',
        )
    kinds = [output.kind for output in experiment.outputs]
    if part == "training":
        for kind, port in (("model", "Trained model"), ("evaluation", "Evaluation results")):
            if kind not in kinds:
                yield GraphError(
                    f"no web service output gets the port `{port}`", "nodes", "connect it to an output"
                )
    elif len(experiment.resources) != 1:
        yield GraphError(
            f"it has {len(experiment.resources)} trained models, not one",
            "nodes",
            'give it one {"trainedModel": …}',
        )
    elif experiment.trains:
        yield GraphError(
            "it trains a model, and is to score with one", "nodes", "leave Train Model to training.json"
        )


def _placed(file: str, text: str, error: GraphError) -> Problem:
    """An error with the line in which its target is written."""
    line = line_of(text, error.target)
    where = f"{file}:{line}" if line else file
    remedy = error.remedy or (f"correct {error.target!r} in it" if error.target else "correct the file")
    return Problem(where, error.message, remedy)


def said(error: RetrainError, file: str) -> Problem:
    """A refusal of another part of the house, as a problem."""
    return Problem(file, error.cause, error.remedy)


def summary(package: Mapping[str, Any]) -> str:
    """How large a package is, in words."""
    nodes = package.get("nodes") or {}
    modules = sum("module" in node for node in nodes.values())
    return f"{modules} modules, {len(package.get('edges') or ())} edges"
