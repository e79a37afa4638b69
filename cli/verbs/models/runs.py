"""`./dev runs …`: the training runs of all stacks, and their models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out, print_json, print_table, size, want_a_yes
from cli.errors import CliError, one_line, warn
from cli.guidance.completing import remember, run_keys
from cli.options import AsJson, Stack, Yes
from cli.times import local, title, utc, zone
from cli.verbs.models.fleet import runs as fleet_runs

if TYPE_CHECKING:
    from cli.services.registry import Registry
    from retrain_hooks.registry.ledger import Run
    from retrain_hooks.registry.retirement import Plan

DIGITS = 12


def list_(
    ctx: typer.Context,
    fleet: Annotated[
        bool, typer.Option("--fleet", help="Only the run of each member of the stack's fleet.")
    ] = False,
    forecasts: Annotated[
        bool,
        typer.Option("--forecasts", help="What plans said of each run, by those before it, and what came."),
    ] = False,
    stack: Stack = "dev",
    as_json: AsJson = False,
) -> None:
    """Show the training runs on record: key, state, data, quality, and where the model is bound."""
    if ctx.invoked_subcommand:
        return
    if fleet:
        fleet_runs(stack, as_json=as_json)
        return
    from cli.services.registry import open_registry
    from retrain_hooks.registry.catalogue import distinct, newest_first
    from retrain_hooks.registry.markers import recorded
    from retrain_hooks.registry.records import Unreadable

    registry = open_registry(stack)
    found = list(registry.ledger.runs())
    runs = newest_first(distinct([run for run in found if not isinstance(run, Unreadable)]))
    if forecasts:
        _look_back(registry, list(reversed(runs)), as_json=as_json)
        return
    used = recorded(registry.container)
    rows = [_row(run, used.where.get(run.address, [])) for run in runs]
    rows += [
        {"key": each.name, "state": "corrupt", "problem": each.cause}
        for each in found
        if isinstance(each, Unreadable)
    ]
    remember(run.key for run in runs)
    if as_json:
        print_json(rows)
    elif rows:
        _print_table(rows)
    else:
        out().print("there are no runs yet: ./dev up trains the first")
    for problem in used.unreadable:
        warn(problem)


def _look_back(registry: Registry, runs: list[Run], *, as_json: bool) -> None:
    """Print what was said of each run, the newest last, and how often that was right."""
    from dataclasses import asdict

    from cli.services.hindsight import brier, covered, hindsight
    from retrain_hooks.gate.verdicts import Verdicts

    found = hindsight(runs, Verdicts(registry.container).all())
    if as_json:
        print_json([asdict(each) for each in found])
        return
    titles = ("key", "seconds said", "came", "metric said", "came", "passes said", "came")
    rows = [
        [
            one.key[:DIGITS],
            _said(one.seconds, 1),
            _number(one.took, 1),
            f"{one.metric} {_said(one.expected, 3)}" if one.expected else "",
            _number(one.measured, 3),
            "" if one.chance is None else f"{one.chance:.0%}",
            "" if one.passed is None else "passed" if one.passed else "held",
        ]
        for one in found
    ]
    print_table(titles, rows, right=("came",))
    for what, pairs in (
        ("durations", [(one.seconds, one.took) for one in found]),
        ("metrics", [(one.expected, one.measured) for one in found]),
    ):
        within, count = covered(pairs)
        if count:
            out().print(f"{what}: {within} of {count} within what was said (nine of ten are to be)")
    if score := brier(found):
        out().print(
            f"the gate: Brier score {score[0]:.3f} over {score[1]} verdicts (0 is perfect, 0.25 a coin)"
        )


def _said(interval: Any, digits: int) -> str:
    return f"{interval.low:.{digits}f} to {interval.high:.{digits}f}" if interval else "not known"


def _row(run: Run, bound: list[str]) -> dict[str, Any]:
    from retrain_hooks.registry.catalogue import when
    from tasks import measured_as

    task = measured_as(set(run.metrics))
    metric = task.headline if task else ""
    return {
        "key": run.key,
        "experiment": run.experiment,
        "state": run.state,
        "dataVersion": run.data_version or None,
        "when": utc(when(run)),
        "seconds": run.seconds,
        "auc": run.metrics.get("auc"),
        "metric": metric,
        "value": run.metrics.get(metric),
        "attempt": run.attempt,
        "bound": bound,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    left = ("key", "experiment", "state", "data version", title("when"))
    numbers = ("seconds", "metric", "attempt")
    print_table(
        (*left, *numbers, "bound at"),
        map(_cells, rows),
        right=numbers,
        spare=("attempt", "seconds", "experiment"),
    )


def _cells(row: dict[str, Any]) -> list[str]:
    if row["state"] == "corrupt":
        return [row["key"][:DIGITS], "", "corrupt", *[""] * 6]
    return [
        row["key"][:DIGITS],
        row["experiment"],
        row["state"],
        row["dataVersion"] or "",
        local(row["when"]),
        _number(row["seconds"], 1),
        f"{row['metric']} {_number(row['value'], 3)}".strip(),
        str(row["attempt"]),
        ", ".join(row["bound"]),
    ]


def show(
    key: Annotated[str, typer.Argument(autocompletion=run_keys, help="The first digits of a run's key.")],
    stack: Stack = "dev",
    as_json: AsJson = False,
) -> None:
    """Show all that is on record of one run, its model, and the gate's verdicts on it."""
    from cli.services.registry import open_registry
    from retrain_hooks.registry.catalogue import find
    from retrain_hooks.registry.records import Unreadable

    registry = open_registry(stack)
    try:
        run = find(registry.ledger, key.lower())
    except Unreadable as error:
        raise CliError(error.cause, error.remedy) from None
    record = _record(registry, run)
    if as_json:
        print_json(record)
        return
    metrics, verdicts = record.pop("metrics"), record.pop("verdicts")
    _print_fields(record)
    _print_fields({"metrics": ""} if metrics else {})
    _print_fields(metrics, indent=2)
    for verdict in verdicts:
        _print_fields(
            {"verdict": verdict.get("problem") or verdict.get("outcome", ""), "  in": verdict["name"]}
        )
        for rule in verdict.get("rules") or []:
            _print_fields({"rule": rule.get("reason", "")}, indent=2)
    if run.state == "finished" and record["model"]["intact"]:
        more = "" if stack == "dev" else f" -s {stack}"
        out().print(f"\nTo serve this model again: ./dev pin {run.key[:DIGITS]}{more}", soft_wrap=True)


def _record(registry: Registry, run: Run) -> dict[str, Any]:
    from dataclasses import asdict

    from retrain_hooks.gate.verdicts import Verdicts
    from retrain_hooks.registry.markers import recorded

    blob = registry.container.stat(run.address)
    evaluation = run.address.removesuffix(".ilearner") + ".evaluation.csv"
    record = {name: utc(value) if name.endswith("_at") else value for name, value in asdict(run).items()}
    return record | {
        "model": {
            "address": run.address,
            "url": registry.container.url(run.address),
            "size": blob.size if blob else None,
            "intact": run.state == "finished" and registry.ledger.intact(run),
        },
        "evaluation": evaluation if registry.container.stat(evaluation) else None,
        "bound": recorded(registry.container).where.get(run.address, []),
        "verdicts": list(Verdicts(registry.container).on(run.key)),
    }


def _print_fields(fields: dict[str, Any], indent: int = 0) -> None:
    for name, value in fields.items():
        if isinstance(value, dict):
            for inner, each in value.items():
                _print_fields({f"{name}.{inner}": each}, indent)
        elif value not in (None, "", [], ()) or name == "metrics":
            text = ", ".join(map(str, value)) if isinstance(value, list) else one_line(value)
            if name.endswith("_at"):
                text = f"{local(text)} {zone()}"
            out().print(f"{'':{indent}}{name:<26} {text}".rstrip(), markup=False, soft_wrap=True)


def prune(
    keep: Annotated[
        int, typer.Option("--keep", min=1, help="How many of the newest models of each experiment stay.")
    ] = 5,
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", metavar="DAYS", min=0, help="Only models older than so many days."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be retired.")] = False,
    yes: Yes = False,
    stack: Stack = "dev",
) -> None:
    """Retire old models: delete them, never one that is bound; their records stay."""
    from cli.services.registry import open_registry
    from retrain_hooks.registry.retirement import Pruner, Wish

    registry = open_registry(stack)
    pruner = Pruner(registry.ledger, registry.in_use, registry.context.clock)
    plan = pruner.plan(Wish(keep, older_than))
    _print_plan(plan, keep)
    if plan.refused:
        raise CliError(
            f"nothing is retired while it isn't known what is bound: {plan.refused}",
            "run ./dev up on the stacks in use, which writes their markers anew, delete what cannot be read, or use the "
            "release that wrote it",
        )
    if not plan.retire or dry_run:
        return
    want_a_yes(f"Retire {_models(len(plan.retire))}?", yes=yes)
    told = len(plan.notes)
    retired = pruner.carry_out(plan)
    for note in plan.notes[told:]:
        warn(note)
    out().print(f"retired {_models(len(retired))}, {size(sum(plan.bytes(run) for run in retired))} freed")


def _print_plan(plan: Plan, keep: int) -> None:
    for run in plan.retire:
        version = run.data_version or "unknown data"
        text = f"{run.key[:DIGITS]}  {run.experiment} on {version}, {local(run.ended_at)[:10]}, {size(plan.bytes(run))}"
        out().print(f"to retire  {text}", markup=False)
    for why, runs in (("bound", plan.bound), ("shared", plan.shared)):
        for key, where in runs.items():
            out().print(f"{why:<10} {key[:DIGITS]}  kept: {', '.join(where)}", markup=False)
    for cause in plan.corrupt:
        warn(f"{cause}: left as it is")
    for note in plan.notes:
        warn(note)
    if not plan.retire and not plan.refused:
        out().print(f"nothing to retire: the newest {keep} of each experiment and all bound models stay")


def _models(count: int) -> str:
    return f"{count} model{'s' * (count != 1)}"


def _number(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else ""
