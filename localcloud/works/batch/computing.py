"""What a job computes: plain data in, bytes out. No file, no address, no key: it can run on any machine.

The same input gives the same bytes wherever `signature` is the same.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import graph
import tables
from graph import Experiment, GraphError, InvalidModel, ModuleError, Progress, parse_experiment, run
from graph.data.datasets import write_table
from graph.data.reading import read_table
from localcloud.works.batch.jobs import JobProgress

_DETERMINING = ("numpy", "pandas", "scikit-learn", "onnx", "onnxruntime")


class JobFailure(Exception):
    """Why a job failed, in one line."""


@dataclass(frozen=True)
class TableBlob:
    """The content of an input's blob, the extension that says how to read it, and the blob's name for people."""

    content: bytes = field(repr=False)
    extension: str
    shown: str


@dataclass(frozen=True)
class Task:
    """All that a job's result depends on. `outputs` are the extensions of the tables that leave, by port."""

    package: Mapping[str, Any] = field(repr=False)
    parameters: Mapping[str, str]
    resources: Mapping[str, bytes] = field(repr=False)
    inputs: Mapping[str, TableBlob]
    outputs: Mapping[str, str]


def compute(task: Task, on_progress: Callable[[JobProgress], None]) -> dict[str, bytes]:
    """The bytes of each output. Raises `JobFailure` for what the graph refuses."""
    try:
        experiment = parse_experiment(task.package)
        produced = run(
            experiment,
            {name: _table(name, blob, experiment) for name, blob in task.inputs.items()},
            resources=dict(task.resources),
            parameters=dict(task.parameters),
            progress=lambda progress: on_progress(_shown(progress)),
        )
        return {name: _content(produced[name], extension) for name, extension in task.outputs.items()}
    except (ModuleError, GraphError, InvalidModel) as error:
        raise JobFailure(str(error)) from None


@cache
def signature() -> dict[str, str]:
    """What, besides the task, decides the bytes: Python, the libraries, and the digest of the code that computes."""
    digest = hashlib.sha256()
    for room in (graph, tables):
        folder = Path(str(room.__file__)).parent
        for file in sorted(folder.rglob("*.py")):
            digest.update(f"{room.__name__}/{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(file.read_bytes())
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "retraining": digest.hexdigest()[:12]}
    return found | {name: version(name) for name in _DETERMINING}


def _table(name: str, blob: TableBlob, experiment: Experiment) -> Any:
    typed, declared = not experiment.resources, experiment.declared_of(name)
    try:
        return read_table(blob.content, blob.extension, name, typed=typed, declared=declared)
    except ModuleError as error:
        raise JobFailure(f"{error} The blob is {blob.shown}.") from None


def _content(value: Any, extension: str) -> bytes:
    return value if isinstance(value, bytes) else write_table(value, extension)


def _shown(progress: Progress) -> JobProgress:
    return JobProgress(Module=progress.module, Rows=progress.rows, Done=progress.done, Total=progress.total)
