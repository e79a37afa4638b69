"""Models scored here, on rows that all of them get; and what the data is like."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reports.facts import Column, Scores

if TYPE_CHECKING:
    from cli.reporting.sources import Sources
    from graph import Scorer
    from retrain_hooks.data.inputs import DataReference
    from retrain_hooks.gate.measuring.holdout import Holdout
    from retrain_hooks.gate.measuring.truths import Truth

_BYTES = 2 * 2**20  # so much of the data is read
_ROWS = 3_000
_SHUFFLED = 1_000  # rows by which importance is told
_TOLD_BY = 5_000  # rows by which columns are told, spread over all
_COLUMNS = 30
_SHOWN = 40  # characters of a cell
_SEED = 0


def scored(sources: Sources, keys: Sequence[str]) -> Scores:
    """What the runs' models say of the same rows: those of the gate's holdout, or of the data that the first was trained
    from. Where that can't be told the problem says why.
    """
    from clients.errors import RetrainError
    from graph import GraphError, InvalidModel, ModuleError

    try:
        return _scored(sources, keys)
    except RetrainError as error:
        return Scores("", "", {}, {}, problem=f"The models can't be compared: {error.cause}.")
    except (GraphError, InvalidModel, ModuleError) as error:
        return Scores("", "", {}, {}, problem=f"The models can't be compared: {error}.")


def _scored(sources: Sources, keys: Sequence[str]) -> Scores:
    from cli.project import project, stack_config
    from retrain_hooks.gate.inputs import GateInputs
    from retrain_hooks.gate.measuring.holdout import Holdout
    from retrain_hooks.gate.settling import settled

    promotion = sources.promotion
    runs = [sources.run(key) for key in keys]
    gate = promotion.gate if promotion else GateInputs.parse({})
    if not gate.label:  # of a gate without a holdout the state has none
        gate = replace(
            gate, label=str(stack_config(sources.stack).get(f"{project()['name']}:gateLabel") or "")
        )
    truth = settled(gate, runs[0].experiment, runs[0].metrics, holdout=True).truth
    holdout = promotion.holdout if promotion else None
    blobs, container = _data(sources, holdout, runs[0].data)
    rows = Holdout.of(_tables(sources, container, blobs), truth, whole=False)
    rows = replace(rows, rows=rows.rows[:_ROWS], actual=rows.actual[:_ROWS], cells=rows.cells[:_ROWS])
    if rows.problem:
        return Scores("", "", {}, {}, problem=f"The models can't be compared: {rows.problem}.")
    told = (
        f"On {len(rows.rows):,} rows of the holdout {holdout.version}."
        if holdout
        else f"On {len(rows.rows):,} rows of the data version {runs[0].data_version}, of which models may have been trained on "
        "some: declare holdoutDataVersion for rows that none has seen."
    )
    outcomes: dict[str, Any] = {}
    scorers = {run.key: _scorer(sources, run.experiment, run.address) for run in runs}
    for key, scorer in scorers.items():
        if found := _outcome(scorer, truth, rows):
            outcomes[key] = found
    metrics = {key: dict(truth.task.measure(outcome)) for key, outcome in outcomes.items()}
    importance = _importance(scorers[keys[0]], truth, rows) if keys[0] in outcomes else []
    return Scores(told, truth.task.name, outcomes, metrics, importance)


def _data(
    sources: Sources, holdout: DataReference | None, trained: Mapping[str, Any]
) -> tuple[list[str], str | None]:
    if holdout:
        return list(holdout.blobs), holdout.container
    return list(trained.get("etags") or ()), trained.get("container")


def _tables(sources: Sources, container: str | None, blobs: Sequence[str]) -> Any:
    """The beginning of each table, of as many bytes as are read."""
    from clients.errors import ConfigurationError
    from tables import TableError, head, parts

    data = sources.registry.context.data(sources.registry.target, container)
    wanted = parts(list(blobs))
    share = _BYTES // max(len(wanted), 1)
    for name in wanted:
        content = data.read_start(name, share)
        try:
            yield head(content, name, whole=len(content) < share)
        except TableError as error:
            raise ConfigurationError(error.cause, error.remedy) from None


def _scorer(sources: Sources, experiment: str, address: str) -> Scorer:
    """The predictive experiment of that name with the model at *address*."""
    from cli.project import ROOT
    from clients.errors import ConfigurationError
    from graph import Scorer, parse_experiment

    file = ROOT / "experiments" / experiment / "predictive.json"
    if not file.is_file():
        raise ConfigurationError(
            f"experiments/{experiment} has no predictive.json", "compare models of an experiment"
        )
    predictive = parse_experiment(json.loads(file.read_text(encoding="utf-8")))
    content, _etag = sources.registry.container.read(address)
    return Scorer(predictive, dict.fromkeys(predictive.resources, content))


def _outcome(scorer: Scorer, truth: Truth, rows: Holdout) -> Any:
    from graph import rows_of, table_of

    names = list(dict.fromkeys(name for row in rows.rows[:1] for name in row))
    frame = table_of(names, [[row[name] for name in names] for row in rows.rows])
    answers = rows_of(
        next(iter(scorer.score({scorer.experiment.inputs[0]: frame}).values())), dict(scorer.output_schema)
    )
    return truth.outcome(rows.actual, answers).outcome


def _importance(scorer: Scorer, truth: Truth, rows: Holdout) -> list[tuple[str, float]]:
    """How much of the task's headline metric is lost where a column is shuffled, by column."""
    import random

    some = replace(
        rows, rows=rows.rows[:_SHUFFLED], actual=rows.actual[:_SHUFFLED], cells=rows.cells[:_SHUFFLED]
    )
    headline = truth.task.metric(truth.task.headline)
    if headline is None or not truth.task.labelled:
        return []
    sign = -1 if headline.better == "lower" else 1

    def quality(each: Holdout) -> float:
        found = _outcome(scorer, truth, each)
        return float(truth.task.measure(found)[headline.name]) if found else float("nan")

    whole = quality(some)
    lost = []
    for name, _type in scorer.input_schema[:_COLUMNS]:
        values = [row.get(name) for row in some.rows]
        random.Random(_SEED).shuffle(values)  # noqa: S311 -- for a picture
        shuffled = replace(
            some, rows=[{**row, name: value} for row, value in zip(some.rows, values, strict=True)]
        )
        lost.append((name, sign * (whole - quality(shuffled))))
    return sorted(lost, key=lambda each: -each[1])[:15]


def columns_of(sources: Sources, serving: str) -> tuple[list[Column], str]:
    """The columns of the data that the stack asks for, against what the model that serves was trained from."""
    from clients.errors import RetrainError
    from retrain_hooks.triggers.drift import psi

    declared = next((each for each in sources.of("DataVersion") if each.get("blobs")), None)
    try:
        latest = sources.run(sources.summaries[-1].key)
        trained = sources.run(serving).data if serving else latest.data
        now_blobs = list(latest.data.get("etags") or (declared or {}).get("blobs") or ())
        now = _columns(sources, latest.data.get("container"), now_blobs)
        same = list(trained.get("etags") or ()) == now_blobs
        before = (
            now if same else _columns(sources, trained.get("container"), list(trained.get("etags") or ()))
        )
    except RetrainError as error:
        return [], f"The data can't be read: {error.cause}"
    found = []
    for name, values in now.items():
        shift = psi(_some(before[name]), _some(values)) if not same and name in before else None
        found.append(_like(name, values, shift))
    rows = len(next(iter(now.values()), []))
    against = "" if same else ", shifted against the data of the model that serves"
    told_by = f"; values and shifts by {_TOLD_BY:,} of them" if rows > _TOLD_BY else ""
    return found, f"The data version {latest.data_version}{against}: {rows:,} rows read{told_by}"


def _columns(sources: Sources, container: str | None, blobs: Sequence[str]) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for table in _tables(sources, container, blobs):
        for _line, row in table.records():
            for name, value in row.items():
                found.setdefault(name, []).append(value)
    return found


def _some(values: Sequence[str | None]) -> Sequence[str | None]:
    """As many as tell what a column is like."""
    return (
        [values[at * len(values) // _TOLD_BY] for at in range(_TOLD_BY)] if len(values) > _TOLD_BY else values
    )


def _like(name: str, values: Sequence[str | None], shift: float | None) -> Column:
    """What a column's values are: numbers from least to largest, or the text that is there most often."""
    from tables import number

    missing = sum(value is None for value in values) / max(len(values), 1)
    there = [value for value in _some(values) if value is not None]
    try:
        numbers = sorted(number(value) for value in there)
    except ValueError:
        (most, count), *_others = Counter(there).most_common(1)
        kinds = f"text, {len(set(there)):,} values"
        return Column(name, kinds, missing, f"{most[:_SHOWN]} in {count / len(there):.0%}", shift)
    if not numbers:
        return Column(name, "empty", missing, "", shift)
    middle = numbers[len(numbers) // 2]
    return Column(name, "numbers", missing, f"{numbers[0]:g} to {numbers[-1]:g}, median {middle:g}", shift)
