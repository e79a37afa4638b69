"""Serves a graph as a deployment: ``predictive.json`` beside this file, by the sources of `graph` there.

A request is ``{"input_data": {"columns": […], "data": [[…], …]}}``, as for a model of MLflow, or ``{"rows": [{column: value}, …]}``,
or that list alone; an answer is the list of the output's rows, values as strings, as Studio's request-response answers them
in its swagger form.

Where the deployment has the models of several members (``members.json`` lies in the model's folder, and says who they are), a
request says whose is asked: ``{"member": "LAX", "input_data": …}``.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from graph import Scorer, parse_experiment, rows_of, table_of

PREDICTIVE, MEMBERS = "predictive.json", "members.json"
_SCALARS = (str, int, float, bool, type(None))
_folders: dict[str, Path] = {}  # of each member's model; the only one is nobody's, and has no name


def init() -> None:
    """Load the model of the deployment; of several, each when it is asked first, since there may be thousands.

    Raises ValueError where there is not one file, InvalidModel where it is none.
    """
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    _folders.clear()
    scorer_of.cache_clear()
    if lists := sorted(folder.rglob(MEMBERS)):
        members = json.loads(lists[0].read_text(encoding="utf-8"))["members"]
        _folders.update((name, lists[0].parent / one["folder"]) for name, one in members.items())
    else:
        _folders[""] = folder
        scorer_of("")


@cache
def scorer_of(member: str) -> Scorer:
    """What scores by a member's model. Raises as ``init`` does."""
    files = sorted(path for path in _folders[member].rglob("*") if path.is_file())
    if len(files) != 1:
        raise ValueError(
            f"the model has {len(files)} files, not one: {', '.join(path.name for path in files)}"
        )
    experiment = parse_experiment(
        json.loads(Path(__file__).with_name(PREDICTIVE).read_text(encoding="utf-8"))
    )
    return Scorer(experiment, dict.fromkeys(experiment.resources, files[0].read_bytes()))


def run(raw_data: str | bytes) -> list[dict[str, str | None]]:
    """Score the rows of a request. Raises ValueError for what is none, ModuleError for a value of another type."""
    body = json.loads(raw_data)
    names, rows = _rows(body)
    scorer = scorer_of(_member(body))
    outputs = scorer.score({scorer.experiment.inputs[0]: table_of(names, rows)})
    return rows_of(next(iter(outputs.values())), dict(scorer.output_schema))


def _member(body: Any) -> str:
    """Whose model a request asks."""
    if "" in _folders:
        return ""
    member = body.get("member") if isinstance(body, dict) else None
    if not isinstance(member, str) or member not in _folders:
        said = json.dumps(member, ensure_ascii=False)[:100]
        raise ValueError(
            f"`member` of the request is {said}: it is none of the {len(_folders):,} that are served"
        )
    return member


def _rows(body: Any) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a request."""
    table = body.get("input_data") if isinstance(body, dict) else None
    names, rows = _split(table) if isinstance(table, dict) else _records(body)
    for row in rows:
        for name, cell in zip(names, row, strict=True):
            if not isinstance(cell, _SCALARS):
                raise ValueError(f"the column {name!r} has a value that is neither text nor number nor null")
    return names, rows


def _split(table: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    names, rows = table.get("columns"), table.get("data")
    if not names or not rows or not isinstance(names, list) or not isinstance(rows, list):
        raise ValueError("input_data has columns and data, with a row at least")
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        raise ValueError("each row of input_data has a value for each of its columns")
    return [str(name) for name in names], rows


def _records(body: Any) -> tuple[list[str], list[list[Any]]]:
    given = body.get("rows") if isinstance(body, dict) else body
    if not isinstance(given, list) or not given or not all(isinstance(row, dict) and row for row in given):
        raise ValueError('a request is {"rows": [{column: value}, …]}, with a row at least')
    names = list(dict.fromkeys(name for row in given for name in row))
    return names, [[row.get(name) for name in names] for row in given]
