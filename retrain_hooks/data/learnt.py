"""What a model was trained to tell, and from what: by the model itself, which is data, and by the head of its data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clients.errors import RetrainError
from clients.storage import Container
from graph.flow import UNTOLD
from graph.models.features import level_text
from graph.models.ilearner import described
from retrain_hooks.data.heads import Heads
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import Learnt, Ledger, Run
from tables import MISSING, number

NUMBERS, TEXT, TRUTH = "numbers", "text", "truth values"
_MODEL_BYTES = 1024 * 1024  # as much of a model is read for what it says of itself
_PARTS, _ROWS = 8, 2000
_VALUES = 20  # a label of more values than that is no class
_LEVELS = 10
_SURE = 5.0  # so many standard errors a correlation is off zero, to be told
_LEANS = 30

Row = Mapping[str, str | None]
Values = Callable[[str | None], Any]


def of_run(context: Context, target: str, run: Run) -> Learnt:
    """What the model of a finished *run* tells: as it is recorded, else as model and data are found now."""
    if run.learnt is not None:
        return run.learnt
    registry = Ledger(context.registry(target)).registry
    model = context.memory.once(("learnt", registry.url(run.address)), lambda: _start(registry, run.address))
    data = run.data
    reference = (
        DataReference(data["container"], data.get("version", ""), "", tuple(data["etags"]))
        if data.get("etags")
        else None
    )
    return by_data(context, target, by_model(model), reference)


def by_model(start: bytes) -> Learnt:
    """What a model tells by the *start* of its file; nothing where it is not of a kind that can be read."""
    model = described(start)
    if model is None:
        return Learnt()
    columns = {name: NUMBERS if kind == "numeric" else TEXT for name, kind in model.kinds.items()}
    return Learnt(model.label.name, tuple(map(as_text, model.label.classes)), columns)


def by_data(
    context: Context,
    target: str,
    learnt: Learnt,
    data: DataReference | None,
    label: str = "",
    values: Values = lambda value: value,
) -> Learnt:
    """*learnt* with what the head of *data* tells: *label* is its column there, where that is known to be another than the
    model's, and *values* what a value in it stands for. Data that is gone or cannot be read tells nothing.
    """
    if data is None:
        return learnt
    container = context.data(target, data.container)
    try:
        tables = Heads(container, context.memory, data.blobs).tables[:_PARTS]
    except RetrainError:
        return learnt
    if not tables:
        return learnt
    rows = [row for table in tables for _line, row in table.records()][:_ROWS]
    label = label or learnt.label
    told = [_told(values(row.get(label))) for row in rows] if label in tables[0].columns else []
    distinct = {value for value in told if value is not None}
    few = tuple(sorted(distinct)) if 0 < len(distinct) <= _VALUES and "" not in distinct else ()
    positive = (learnt.classes or few)[-1] if len(learnt.classes or few) == 2 else None
    table = {name: _kind(rows, name) for name in tables[0].columns}
    leans = _leans(rows, {name: kind for name, kind in table.items() if name != label}, told, positive)
    return replace(learnt, label=learnt.label or label, table=table, values=few, leans=leans)


def as_text(value: Any) -> str:
    """A class as it is written: 1 and 1.0 are the same."""
    return str(value).lower() if isinstance(value, bool) else level_text(value)


def _start(registry: Container, address: str) -> bytes:
    try:
        return registry.read_start(address, _MODEL_BYTES)
    except RetrainError:
        return b""


def _told(value: Any) -> str | None:
    """A label's value as a class; None for a missing one, empty where nobody knows what it stands for."""
    if value is UNTOLD:
        return ""
    if value is None or not isinstance(value, str):
        return None if value is None else as_text(value)
    text = value.strip()
    if text in MISSING:
        return None
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        return level_text(number(text))
    except ValueError:
        return text


def _kind(rows: Sequence[Row], name: str) -> str:
    """What the values of a column are; empty where it has none."""
    seen = {value.strip() for row in rows if (value := row.get(name)) is not None} - set(MISSING)
    if not seen:
        return ""
    if all(value.lower() in ("true", "false") for value in seen):
        return TRUTH
    return NUMBERS if all(_number(value) is not None for value in seen) else TEXT


def _number(value: str | None) -> float | None:
    try:
        found = float(number(value or ""))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _leans(
    rows: Sequence[Row], columns: Mapping[str, str], told: Sequence[str | None], positive: str | None
) -> dict[str, float]:
    """How columns of numbers, and the values of columns that have few, go with the *positive* class, where that is sure."""
    if positive is None or positive not in told:
        return {}
    found: dict[str, float] = {}
    for name, kind in columns.items():
        cells = [row.get(name) for row in rows]
        if kind == NUMBERS:
            found[name] = _correlation([_number(cell) for cell in cells], told, positive)
            continue
        levels = {cell for cell in cells if cell}
        if len(levels) <= _LEVELS:
            for level in levels:
                found[f"{name}={level}"] = _correlation(
                    [float(cell == level) for cell in cells], told, positive
                )
    strongest = sorted((item for item in found.items() if item[1]), key=lambda item: (-abs(item[1]), item[0]))
    return dict(sorted(strongest[:_LEANS]))


def _correlation(cells: Sequence[float | None], told: Sequence[str | None], positive: str) -> float:
    """Of the cells with being positive, to three digits; 0 where it may be chance."""
    pairs = [
        (x, float(y == positive)) for x, y in zip(cells, told, strict=True) if x is not None and y is not None
    ]
    count = len(pairs)
    if count < _LEVELS:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in pairs) / count, sum(y for _, y in pairs) / count
    var_x, var_y = sum((x - mean_x) ** 2 for x, _ in pairs), sum((y - mean_y) ** 2 for _, y in pairs)
    spread = math.sqrt(var_x) * math.sqrt(var_y)
    if not spread or not math.isfinite(spread):
        return 0.0
    r = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread
    return round(r, 3) if abs(r) * math.sqrt(count) > _SURE else 0.0
