"""The files of an experiment, and tables that are read for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authoring.profile import TableProfile
from cli.errors import CliError
from cli.project import ROOT, project, stack_file
from graph.package import SCHEMA

if TYPE_CHECKING:
    import pandas as pd

    from graph import Declared

EXPERIMENTS: Final = ROOT / "experiments"
STACK_SCHEMA: Final = "# yaml-language-server: $schema=schemas/stack.json"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Draft:
    """What `experiment new` has decided: the task, the label, the features, the table that it looked at, and how missing
    values are written in it.
    """

    name: str
    task: str
    label: str
    features: tuple[str, ...]
    profile: TableProfile
    frame: pd.DataFrame
    table: Path
    missing: tuple[str, ...] = ()


def valid_name(name: str) -> None:
    """Refuse a name that a stack, a blob or a service would refuse later. Raises CliError."""
    if not _NAME.fullmatch(name):
        raise CliError(
            f"{name!r} cannot be an experiment's name",
            "begin it with a letter, and use up to 31 small letters, digits and dashes",
        )


def folder_of(name: str) -> Path:
    """The folder of an experiment. Raises CliError, with the nearest, where there is none."""
    from clients.names import nearest

    folder = EXPERIMENTS / name
    if name != Path(name).name or not folder.is_dir():
        there = [each.name for each in EXPERIMENTS.iterdir() if each.is_dir()] if EXPERIMENTS.is_dir() else []
        raise CliError(
            f"there is no experiment {name!r}; {nearest(name, there)}",
            "./dev experiment new NAME --from TABLE",
        )
    return folder


def package_of(name: str, part: str = "training") -> Mapping[str, Any]:
    """A graph of an experiment. Raises CliError where there is none that can be read."""
    from clients.errors import ExperimentInvalid
    from retrain_hooks.experiments.package import load

    if part not in ("training", "predictive"):
        raise CliError(f"an experiment has no part {part!r}", "say --part training or --part predictive")
    folder = folder_of(name)
    if (folder / "job.yml").exists():
        raise CliError(
            f"experiments/{name} is own code, not a graph",
            f"./dev up -s STACK with kind azureml trains it; ./dev experiment check {name} checks it",
        )
    try:
        return load(name, part, ROOT).definition  # type: ignore[arg-type]  # one of the two parts
    except ExperimentInvalid as error:
        raise CliError(error.cause, error.remedy) from None


def files_at(path: Path) -> list[tuple[str, bytes]]:
    """The file, or the parts in a folder in the order of their names, with their contents. Raises CliError."""
    from tables import parts

    found = {path.name: path}
    if path.is_dir():
        found = {each.relative_to(path).as_posix(): each for each in path.rglob("*") if each.is_file()}
    try:
        files = [(name, found[name].read_bytes()) for name in parts(sorted(found))]
    except OSError as error:
        raise CliError(
            f"{path} cannot be read: {error.strerror or error}", "name a file that holds a table"
        ) from None
    if not files:
        raise CliError(f"{path} holds no file", "name a file that holds a table, or a folder of its parts")
    return files


def read_frame(path: Path, declared: Declared | None = None) -> pd.DataFrame:
    """A table, a file or a folder of parts, as a training job reads it. Raises CliError for what is none."""
    return frame_of(files_at(path), declared)


def frame_of(files: Sequence[tuple[str, bytes]], declared: Declared | None = None) -> pd.DataFrame:
    """The table of one file, or of the parts of a set (names and contents). Raises CliError for what is none."""
    from graph import Declared, ModuleError, read_table
    from tables import ENDINGS, TableError, ending, join, joined_as, parts

    counted = parts([name for name, _content in files])
    files = [each for each in files if each[0] in counted]
    name = files[0][0]
    said = declared or Declared()
    try:
        if len(files) > 1:
            return read_table(join(files), joined_as(counted), name, declared=said)
        return read_table(files[0][1], ending(name) or Path(name).suffix, name, declared=said)
    except TableError as error:
        raise CliError(error.cause, error.remedy) from None
    except ModuleError as error:
        if error.code in ("0001", "0002", "0042"):
            remedy = "correct the table, or the types in the input of training.json"
            raise CliError(f"{name}: {error.message}", remedy) from None
        if isinstance(error.__cause__, TableError):
            raise CliError(error.__cause__.cause, error.__cause__.remedy) from None
        raise CliError(f"{name}: {error.message}", f"give a table: one of {', '.join(ENDINGS)}") from None


def declared_in(package: Mapping[str, Any]) -> Declared:
    """What a training graph says of the table that it is given; nothing where it is wrong, which running it says."""
    from graph import Declared, GraphError, parse_experiment

    try:
        experiment = parse_experiment(package)
    except GraphError:
        return Declared()
    return experiment.declared_of(experiment.inputs[0]) if experiment.inputs else Declared()


def write_all(draft: Draft, *, force: bool) -> list[str]:
    """Write the graphs, a sample row, what is known of the data, and a stack's file; nothing where one is there."""
    from authoring.draft import draft as drafted
    from authoring.predictive import derive
    from tables import ending
    from tasks import TASKS

    training = drafted(
        draft.name, draft.task, draft.profile, draft.label, draft.features, missing=draft.missing
    )
    predictive = derive(training)
    sample = {"input1": {name: _plain(draft.frame[name]) for name in draft.features}}
    path = f"{draft.name}/{{version}}{'/' if draft.table.is_dir() else ending(draft.table.name)}"
    about = {
        "description": f"Made from {draft.table.name}.",
        "container": "data",
        "path": path,
        "columns": {each.name: f"{each.type}: {each.said}" for each in draft.profile.columns},
    }
    own = project()["name"]
    stack = {
        "experiment": draft.name,
        "dataPath": path,
        "dataVersion": "v1",
        "baselineDataVersion": "v1",
        "gateRules": list(TASKS[draft.task].default_rules),
    }
    if positive := _positive(draft):
        stack["gateLabel"] = f"{draft.label} == {positive}"
    lines = [
        f"  {own}:{key}: {json.dumps(value) if isinstance(value, list) or key == 'gateLabel' else value}"
        for key, value in stack.items()
    ]
    files = {
        EXPERIMENTS / draft.name / "training.json": as_package_text(training),
        EXPERIMENTS / draft.name / "predictive.json": as_package_text(predictive),
        EXPERIMENTS / draft.name / "sample.json": as_json_text(sample),
        EXPERIMENTS / draft.name / "data.json": as_json_text(about),
        stack_file(draft.name): "\n".join([STACK_SCHEMA, "config:", *lines, ""]),
    }
    there = [each for each in files if each.exists()]
    if there and not force:
        raise CliError(
            f"{_shown(there[0])} is there already", "say --force to write over it, or take another name"
        )
    for each, text in files.items():
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_text(text, encoding="utf-8")
    return [_shown(each) for each in files]


def _positive(draft: Draft) -> str:
    """The value of the label's positive class, as a gate's label has it: of two the second; empty of other tasks."""
    if draft.task not in ("two-class", "anomaly"):
        return ""
    value = sorted(draft.frame[draft.label].dropna().unique())[-1]
    return f"{value:g}" if isinstance(value, float) else json.dumps(str(value), ensure_ascii=False)


def write_new(name: str, file: str, text: str, *, force: bool) -> str:
    """Write a file of an experiment, not over one that is there unless *force*; its path is given back."""
    path = folder_of(name) / file
    if path.exists() and not force:
        raise CliError(
            f"{_shown(path)} is there already", "say --force to write over it, or --print to look first"
        )
    path.write_text(text, encoding="utf-8")
    return _shown(path)


def as_package_text(package: Mapping[str, Any]) -> str:
    """A graph as a file, with the schema by which editors complete it."""
    return as_json_text({SCHEMA: "../../schemas/experiment.json", **package})


def as_json_text(value: Any, width: int = 100) -> str:
    """JSON as the examples write it: a member a line, a module's parameters and an edge on one line each."""
    return "\n".join(_lines(value, 0, width)) + "\n"


def _lines(value: Any, depth: int, width: int) -> list[str]:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or (depth > 1 and len(flat) + 2 * depth <= width):
        return [flat]
    pairs = (
        [(f"{json.dumps(key, ensure_ascii=False)}: ", each) for key, each in value.items()]
        if isinstance(value, dict)
        else [("", each) for each in value]
    )
    ends = "{}" if isinstance(value, dict) else "[]"
    found = [ends[0]]
    for at, (key, each) in enumerate(pairs):
        inner = _lines(each, depth + 1, width)
        inner = [f"  {key}{inner[0]}", *(f"  {line}" for line in inner[1:])]
        inner[-1] += "," if at < len(pairs) - 1 else ""
        found += inner
    return [*found, ends[1]]


def _plain(values: pd.Series[Any]) -> Any:
    """A value of a column as JSON has it: that of its first row which has one."""
    present = values.dropna()
    return present.head(1).tolist()[0] if len(present) else None


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
