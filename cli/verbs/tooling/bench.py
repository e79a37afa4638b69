"""`./dev bench`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import out
from cli.errors import CliError
from cli.options import Engine, Stack

_CALLS = 500
_KIND_SECONDS = 0.5  # how much longer a preview of Azure ML v2 may take than a classic one


class What(StrEnum):
    """What is timed."""

    stack = "stack"
    data = "data"
    fleet = "fleet"
    kinds = "kinds"
    rrs = "rrs"
    experiments = "experiments"
    report = "report"
    page = "page"


def bench(
    what: Annotated[
        What,
        typer.Argument(
            help="A deployed stack, how data versions grow with the data, what a fleet costs, a preview of the stack "
            "azureml beside one of dev, request-response beside a bare server with the same model, training from a "
            "million rows beside a plain script, a report over a thousand runs, or a page of them."
        ),
    ] = What.stack,
    stack: Stack = "dev",
    runs: Annotated[int, typer.Option(min=1, help="How often each thing is timed.")] = 5,
    quick: Annotated[
        bool, typer.Option("--quick", help="A fleet of fewer members; calls for a shorter time; fewer rows.")
    ] = False,
) -> None:
    """Time training, scoring and previews, each beside what it is compared with, on a deployed stack; or data versions."""
    if what is What.data:
        _data()
        return
    if what is What.page:
        _page(stack, runs)
        return
    if what is What.fleet:
        _fleet(quick=quick)
        return
    if what is What.experiments:
        command = [sys.executable, "-m", "localcloud.bench.million", "--runs", str(runs)]
        raise typer.Exit(subprocess.run([*command, *["--rows", "100000"] * quick], check=False).returncode)
    if what is What.rrs:
        _beside_flights("localcloud.bench.rrs", "--runs", str(runs), *["--seconds", "1"] * quick)
        return
    from cli.runners import open_runner
    from cli.stacks.names import known

    def serving(stack: str) -> dict[str, Any]:
        outputs = open_runner(known(stack, deployed=True), {}, Engine.embedded).outputs()
        if not outputs.get("endpointUrl"):
            raise CliError(f"the stack {stack} serves no model yet", f"./dev up -s {stack}")
        return outputs

    if what is What.report:
        serving(stack)
        command = [sys.executable, "-m", "cli.reporting.bench", stack]
        raise typer.Exit(subprocess.run(command, check=False).returncode)
    if what is What.kinds:
        for each in ("dev", "azureml"):
            serving(each)
        _kinds(runs)
        return
    outputs = serving(stack)
    _training(runs)
    _scoring(outputs)
    _previews(stack, runs)


def _data() -> None:
    """Data versions of many blobs, of a large one, and of many parts, in the local cloud's storage."""
    from cli.cloud.supervisor import Supervisor
    from cli.console import say

    Supervisor(say=say).start()
    subprocess.run([sys.executable, "-m", "retrain_hooks.data.bench"], check=True)


def _page(stack: str, runs: int) -> None:
    """A page of a thousand runs, as it is read for the first time, and as it is looked at again. Raises Exit where that is slow."""
    from cli.cloud.supervisor import Supervisor
    from cli.console import say
    from cli.paging.bench import MOST_SECONDS, RUNS, timed

    Supervisor(say=say).start()
    first, again, processor = timed(stack, 10 * runs)
    _print("first look", [first])
    _print(f"{RUNS:,} runs", again)
    _print("  processor", [processor])
    if min(again) > MOST_SECONDS:
        raise typer.Exit(1)


def _fleet(*, quick: bool) -> None:
    """Fleets with services in memory, and with those of the local cloud, where the stack ``fleet`` is deployed."""
    from cli.cloud.supervisor import Supervisor
    from cli.console import say
    from cli.project import ROOT

    Supervisor(say=say).start()
    command = [sys.executable, "-m", "tests.fleet.bench", *["--quick"] * quick]
    raise typer.Exit(subprocess.run(command, check=False, cwd=ROOT).returncode)


def _training(runs: int) -> None:
    """The Train Model step beside the same fit called directly."""
    _beside_flights("localcloud.bench.training", "--runs", str(runs))


def _beside_flights(module: str, *options: str) -> None:
    """Run a module with the example experiment and a month of its data."""
    from cli.cloud.example_data import monthly_blobs

    _name, month = next(iter(monthly_blobs()))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "month.csv"
        data.write_bytes(month)
        subprocess.run([sys.executable, "-m", module, "experiments/flights", str(data), *options], check=True)


def _scoring(outputs: Mapping[str, Any]) -> None:
    """One row by request-response over loopback, beside the studio's answer to a call that does nothing."""
    from cli.services.report import sample_of, secret_outputs
    from clients.http.transport import Transport

    key = {"Authorization": f"Bearer {secret_outputs(outputs)['endpointKey']}"}
    endpoint = Transport("the endpoint", outputs["endpointUrl"], authorize=lambda: key)
    cloud = Transport("the local cloud", outputs["endpointUrl"].partition("/workspaces/")[0])
    body = {"Inputs": {"input1": [sample_of(outputs["experiment"])]}}
    version = {"api-version": "2.0", "format": "swagger"}
    score = _times(lambda: endpoint.post("execute", body, **version))
    health = _times(lambda: cloud.get("_local/health"))
    _print("score a row", score)
    _print("empty call", health)


def _times(call: Callable[[], object]) -> list[float]:
    for _warm in range(20):
        call()
    found = []
    for _call in range(_CALLS):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return found


def _previews(stack: str, runs: int) -> None:
    """A preview of the whole stack by the embedded engine, beside the Pulumi CLI's where it is on PATH."""
    engines = _engines()
    found = _in_turn({engine: (stack, engine) for engine in engines}, runs)
    if len(engines) == 1:
        out().print("preview pulumi   not timed: no Pulumi CLI on PATH")
        return
    wall, processor = (min(ours) / min(theirs) for ours, theirs in zip(*found.values(), strict=True))
    out().print(f"preview embedded / pulumi {wall:.2f}, processor {processor:.2f} (by min)", highlight=False)


def _kinds(runs: int) -> None:
    """A preview of Azure ML v2 beside a classic one, each of an unchanged stack, with each engine.

    Raises Exit where it takes longer by more than it may.
    """
    slow = False
    for engine in _engines():
        found = _in_turn({stack: (stack, engine) for stack in ("dev", "azureml")}, runs)
        wall, processor = (
            statistics.median(ours) - statistics.median(classic)
            for classic, ours in zip(*found.values(), strict=True)
        )
        slow |= wall > _KIND_SECONDS
        out().print(
            f"azureml - classic, {engine}: {wall:.2f} s, processor {processor:.2f} s (by median); "
            f"at most {_KIND_SECONDS} s",
            highlight=False,
        )
    if slow:
        raise typer.Exit(1)


def _engines() -> list[str]:
    from cli.runners import pulumi

    return ["embedded", *(["pulumi"] if pulumi.find(required=False) else [])]


def _in_turn(cases: Mapping[str, tuple[str, str]], runs: int) -> dict[str, tuple[list[float], list[float]]]:
    """Wall and processor times of previews of an unchanged stack by an engine, by the case's name. Raises CliError."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in cases}
    for _run in range(runs):
        for name, (stack, engine) in cases.items():
            before, started = _children_seconds(), time.perf_counter()
            command = [sys.executable, "-m", "cli", "preview", "-s", stack, "--engine", engine]
            if subprocess.run([*command, "--expect-no-changes"], check=False, capture_output=True).returncode:
                raise CliError(
                    f"a preview of the stack {stack} fails, or finds changes", f"./dev up -s {stack}"
                )
            walls, busy = found[name]
            walls.append(time.perf_counter() - started)
            busy.append(_children_seconds() - before)
    for name, (walls, busy) in found.items():
        _print(f"preview {name}", walls)
        _print("  processor", busy)
    return found


def _children_seconds() -> float:
    """What ended children have used of the processor, theirs included."""
    times = os.times()
    return times.children_user + times.children_system


def _print(name: str, seconds: list[float]) -> None:
    least, middle = min(seconds) * 1e3, statistics.median(seconds) * 1e3
    out().print(f"{name:<16} min {least:8.2f} ms   median {middle:8.2f} ms", highlight=False)
