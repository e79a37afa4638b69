"""What a preview would refuse of an experiment, found without a stack: with the file, its line and the node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients.errors import RetrainError
from graph import Experiment, GraphError, parse_experiment
from graph.needs import needs

PARTS = ("training", "predictive")


@dataclass(frozen=True)
class Problem:
    """What is wrong, where (`training.json:12, node "split"`), and what to do."""

    where: str
    cause: str
    remedy: str


def problems(folder: Path, columns: list[str] | None = None) -> list[Problem]:
    """All that is wrong with the graph in *folder*; *columns* are those of a table that it is to be trained from."""
    found: list[Problem] = []
    for part in PARTS:
        path = folder / f"{part}.json"
        try:
            text = path.read_text(encoding="utf-8")
            package = json.loads(text)
        except FileNotFoundError:
            remedy = "./dev experiment predictive" if part == "predictive" else "./dev experiment new"
            found.append(
                Problem(path.name, "there is no such file", f"write it, or let {remedy} {folder.name} do so")
            )
            continue
        except ValueError as error:
            where = f"{path.name}:{getattr(error, 'lineno', 1)}"
            found.append(Problem(where, f"it is not JSON: {error}", "correct the file"))
            continue
        found += [_placed(path.name, text, each) for each in _wrong(part, package, columns)]
    return found


def _wrong(part: str, package: Any, columns: list[str] | None) -> Iterator[GraphError]:
    """What is wrong with a package. Nothing that a published service would be asked is asked here."""
    try:
        experiment = parse_experiment(package)
    except GraphError as error:
        yield error
        return
    yield from _unfit(part, experiment)
    values = {name: each.default for name, each in experiment.parameters.items() if each.default is not None}
    asked = needs(package, values).columns
    for name, module in asked.items() if columns is not None else ():
        if name not in (columns or ()):
            yield GraphError(f'{module} asks for the column "{name}", which the table does not have', name)


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


def line_of(text: str, target: str) -> int:
    """The line of a package in which a node, a parameter, or an edge ("a.b -> c.d") is written; 0 where it isn't found."""
    source, arrow, end = target.partition(" -> ")
    if arrow:
        pattern = rf'"from"\s*:\s*"{re.escape(source)}"\s*,\s*"to"\s*:\s*"{re.escape(end)}"'
        found = re.search(pattern, text)
    else:
        node, _, parameter = target.partition(".")
        found = re.search(rf'"{re.escape(node)}"\s*:', text) or re.search(f'"{re.escape(target)}"', text)
        if found and parameter:
            found = re.compile(rf'"{re.escape(parameter)}"\s*:').search(text, found.end()) or found
    return text.count("\n", 0, found.start()) + 1 if found else 0


def said(error: RetrainError, file: str) -> Problem:
    """A refusal of another part of the house, as a problem."""
    return Problem(file, error.cause, error.remedy)


def summary(package: Mapping[str, Any]) -> str:
    """How large a package is, in words."""
    nodes = package.get("nodes") or {}
    modules = sum("module" in node for node in nodes.values())
    return f"{modules} modules, {len(package.get('edges') or ())} edges"
