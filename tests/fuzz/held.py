"""What must hold of one random graph and table: a result or a clean refusal, the same twice, and a row alone scored as in its table."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from authoring.predictive import derive
from graph import (
    GraphError,
    ModuleError,
    Rows,
    Scorer,
    parse_experiment,
    read_table,
    rows_of,
    run,
    write_table,
)
from graph.running.runner import feature_types, read_model
from tests.fuzz.drawn_graphs import draw_graph
from tests.fuzz.drawn_tables import draw_table

KNOWN: Final = frozenset(
    # Studio's module error codes.
    f"{code:04d}"
    for code in (*range(1, 85), *range(100, 172))
)
LIBRARY: Final = "1000"
# These look at all rows of a table at once, and stay in a predictive graph.
_WHOLE: Final = frozenset(
    {
        *("Apply SQL Transformation", "Add Rows", "Add Columns", "Join Data", "Summarize Data"),
        *("Compute Linear Correlation", "Cross Validate Model"),
    }
)
_ALONE: Final = 3


@dataclass
class Outcome:
    """What came of one: a *result* or a *refusal* with its *code*; whether rows were *scored*, and *compiled*; what does not hold."""

    index: int
    result: bool = False
    trained: bool = False
    scored: bool = False
    compiled: bool = False
    modules: tuple[str, ...] = ()
    code: str = ""
    refusal: str = ""
    faults: list[str] = field(default_factory=list)


def play(seed: int, index: int) -> Outcome:
    """The graph of that number, and what must hold of it."""
    rng = random.Random(f"{seed}/{index}")
    outcome = Outcome(index)
    content = draw_table(rng)
    try:
        frame = read_table(content, ".csv")
    except ModuleError as error:
        return _refused(outcome, error)
    package = draw_graph(rng, frame)
    outcome.modules = tuple(node["module"] for node in package["nodes"].values() if "module" in node)
    first, again = _tried(package, content), _tried(package, content)
    if isinstance(first, BaseException):
        if not _alike(first, again):
            outcome.faults.append(f"refused otherwise the second time: {first!r}, then {again!r}")
        return _refused(outcome, first)
    if isinstance(again, BaseException):
        outcome.faults.append(f"refused the second time: {again!r}")
        return outcome
    outcome.result = True
    outcome.faults += [
        f"another {name} the second time" for name in first if _bytes(first[name]) != _bytes(again[name])
    ]
    model = next((value for value in first.values() if isinstance(value, bytes)), None)
    outcome.trained = model is not None
    if model is not None:
        _score(outcome, package, model, frame, content)
    return outcome


def drawn(seed: int, index: int) -> tuple[bytes, dict[str, Any]]:
    """The table and the graph of that number, to look at."""
    rng = random.Random(f"{seed}/{index}")
    content = draw_table(rng)
    return content, draw_graph(rng, read_table(content, ".csv"))


def _tried(package: dict[str, Any], content: bytes) -> Any:
    """What a run gives, or what it raised."""
    try:
        return run(parse_experiment(json.loads(json.dumps(package))), {"input1": read_table(content, ".csv")})
    except Exception as error:  # whatever it is, it is what came
        return error


def _refused(outcome: Outcome, error: BaseException) -> Outcome:
    outcome.refusal = str(error)
    if isinstance(error, ModuleError):
        outcome.code = error.code
        if error.code != LIBRARY and error.code not in KNOWN:
            outcome.faults.append(f"refused with an unknown code: {error}")
    elif not isinstance(error, GraphError):
        outcome.faults.append(f"{type(error).__name__}: {error}")
    if "\n" in outcome.refusal:
        outcome.faults.append(f"a refusal of several lines: {error}")
    return outcome


def _alike(one: BaseException, other: Any) -> bool:
    return type(one) is type(other) and str(one) == str(other)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else write_table(value)


def _score(
    outcome: Outcome, package: dict[str, Any], model: bytes, frame: pd.DataFrame, content: bytes
) -> None:
    """Score the table with the model, in the predictive graph that goes with the training graph."""
    try:
        predictive = parse_experiment(derive(package))
        scorer = Scorer(predictive, {predictive.resources[0]: model})
    except GraphError:
        return
    except Exception as error:  # none of these is a clean refusal
        outcome.faults.append(f"no predictive experiment: {type(error).__name__}: {error}")
        return
    outcome.compiled = not scorer.interpreted
    texts = read_table(content, ".csv", typed=False).astype(object)
    texts = texts.where(texts.notna(), None)
    whole = _asked(lambda: scorer.interpret({"input1": _rows(texts)}))
    compiled = _asked(lambda: scorer.score({"input1": _rows(texts)}))
    batch = _asked(lambda: run(predictive, {"input1": texts}, resources={predictive.resources[0]: model}))
    if compiled != whole:
        outcome.faults.append(f"compiled gives other rows than interpreted: {_differing(compiled, whole)}")
    if batch != whole:
        outcome.faults.append(f"a batch gives other rows than a request: {_differing(batch, whole)}")
    if isinstance(whole, str):
        if " " in whole.partition(": ")[0] and not whole.startswith(("ModuleError", "GraphError")):
            outcome.faults.append(f"scoring: {whole}")
        return
    outcome.scored = True
    used = {step.module.name for step in predictive.steps}
    if used & _WHOLE or len(whole["output1"]) != len(texts):
        return
    # What no model asks for is typed as a file's column is, by all of its values.
    typed = feature_types(predictive, {predictive.resources[0]: read_model(model)})
    untyped = {str(name) for name in texts.columns} - set(typed)
    untyped |= {new for old, new in _renamed(package).items() if old in untyped}
    expected = _without(whole["output1"], untyped)
    for at in range(0, len(texts), max(1, len(texts) // _ALONE)):
        one = texts.iloc[at : at + 1]
        for how, ask in (("interpreted", scorer.interpret), ("compiled", scorer.score)):
            alone = _asked(lambda ask=ask, one=one: ask({"input1": _rows(one)}))  # type: ignore[misc]
            found = alone if isinstance(alone, str) else {"output1": _without(alone["output1"], untyped)}
            row = {"output1": expected[at : at + 1]}
            if found != row:
                outcome.faults.append(
                    f"row {at} alone, {how}, is not what it is in the table: {_differing(found, row)}"
                )
                return


def _renamed(package: dict[str, Any]) -> dict[str, str]:
    """The names that columns are given, by their names before."""
    given = [node["parameters"] for node in package["nodes"].values() if "parameters" in node]
    return {
        old: new.strip()
        for parameters in given
        if isinstance(names := parameters.get("New column names"), str)
        for old, new in zip(parameters["Column"], names.split(","), strict=False)
    }


def _without(rows: list[dict[str, str | None]], names: set[str]) -> list[dict[str, str | None]]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def _rows(texts: pd.DataFrame) -> Rows:
    return Rows({str(name): tuple(texts[name].tolist()) for name in texts.columns}, len(texts))


def _asked(ask: Any) -> Any:
    """The rows of each output as text, or in words what was refused."""
    try:
        return {name: rows_of(value, {}) for name, value in ask().items()}
    except Exception as error:  # compared as it is
        return f"{type(error).__name__}: {error}"


def _differing(one: Any, other: Any) -> str:
    """Where two answers differ first."""
    if isinstance(one, str) or isinstance(other, str):
        return f"{str(one)[:300]} | {str(other)[:300]}"
    for name in one:
        if len(one[name]) != len(other.get(name, ())):
            return f"{len(one[name])} rows | {len(other.get(name, ()))} rows"
        for at, (mine, yours) in enumerate(zip(one[name], other[name], strict=True)):
            if mine != yours:
                columns = [c for c in {*mine, *yours} if mine.get(c, "none") != yours.get(c, "none")]
                return f"{name}, row {at}: " + "; ".join(
                    f"{c} {mine.get(c, 'none')!r} | {yours.get(c, 'none')!r}" for c in sorted(columns)[:4]
                )
    return "the outputs' names"
