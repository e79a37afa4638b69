"""`./dev lint`, `test`, `docs`, `chaos` and `fuzz`: what shows whether the project itself is as it should be.

A failure doesn't hide the next. Linters run beside the tests, which leave a core of two idle now and then.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.console import say
from cli.errors import FAILED, CliError
from cli.project import ROOT

Check = tuple[str, list[str]]


class Kind(StrEnum):
    """What the histories of chaos are played on."""

    CLASSIC = "classic"
    AZUREML = "azureml"


class Page(StrEnum):
    """A page of docs/ with a table that is written from a run or from the code; `schemas` are those of files,
    `screenshots` the pictures in them, which need Chromium, and `site` is what mkdocs makes of all pages.
    """

    CLI = "cli"
    CONFIGURATION = "configuration"
    EMBEDDED_ENGINE = "embedded-engine"
    ERRORS = "errors"
    METRICS = "metrics"
    MODULES = "modules"
    PLAN_FIDELITY = "plan-fidelity"
    RESOURCE_OPTIONS = "resource-options"
    RESOURCES = "resources"
    SCHEMAS = "schemas"
    SCREENSHOTS = "screenshots"
    WIRE = "wire"
    SITE = "site"


def lint() -> None:
    """Check style, form, types and imports: ruff, mypy, import-linter."""
    raise typer.Exit(run_all(linters()))


def test(
    arguments: Annotated[list[str] | None, typer.Argument(help="What pytest is given.")] = None,  # noqa: PT028  # a verb, no test
) -> None:
    """Run all linters and all tests; with arguments, only pytest with these."""
    raise typer.Exit(run_all([pytest(arguments or [])], beside=[] if arguments else linters()))


def docs(
    pages: Annotated[list[Page] | None, typer.Argument(help="Which pages; all, if none is named.")] = None,
) -> None:
    """Write the pages in docs/ and the schemas that come from a run or from the code, which takes minutes; `site`: build/site."""
    modules = {
        Page.EMBEDDED_ENGINE: "tests.engine.behaviours",
        Page.PLAN_FIDELITY: "tests.e2e.fidelity",
        Page.RESOURCE_OPTIONS: "tests.e2e.resource_options",
        Page.RESOURCES: "cli.reference.resources",
        Page.MODULES: "cli.reference.modules",
        Page.METRICS: "cli.reference.metrics",
        Page.SCHEMAS: "cli.reference.schemas",
        Page.CLI: "cli.reference.verbs",
        Page.CONFIGURATION: "cli.reference.configuration",
        Page.ERRORS: "tests.remedies.page",
        Page.SCREENSHOTS: "tests.e2e.screenshots",
        Page.WIRE: "tests.e2e.wire",
        Page.SITE: "cli.reference.site",
    }
    raise typer.Exit(
        run_all([(f"docs {page}", [sys.executable, "-m", modules[page]]) for page in pages or Page])
    )


def chaos(
    histories: Annotated[int, typer.Option("--histories", "-n", min=1, help="How many histories.")] = 60,
    seed: Annotated[int, typer.Option("--seed", help="What they are drawn from.")] = 1,
    first: Annotated[int, typer.Option("--first", min=0, help="The index of the first one.")] = 0,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Local clouds, one history at a time each.")
    ] = 2,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Keep what is done there; go on from it.")
    ] = None,
    bindings: Annotated[
        bool, typer.Option("--bindings", help="Updates whose bindings meet faults, and what they report.")
    ] = False,
    damage: Annotated[
        bool, typer.Option("--damage", help="What is stored is damaged between updates, and heals.")
    ] = False,
    kills: Annotated[
        bool, typer.Option("--kills", help="kill -9 of any process during an update; the next one is right.")
    ] = False,
    fleets: Annotated[
        bool, typer.Option("--fleets", help="Fleets whose members come, go and fail; with --kills, killed.")
    ] = False,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="Jobs on a Dask cluster whose workers and scheduler are killed."),
    ] = False,
    kind: Annotated[
        Kind, typer.Option("--kind", help="Of which kind the histories' services are.")
    ] = Kind.CLASSIC,
    rollouts: Annotated[
        bool,
        typer.Option("--rollouts", help="Kind azureml: rollouts beside a client that scores all the time."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures and histories as JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the figures as Markdown.")] = False,
) -> None:
    """Play histories of kills, races and faults, and check what must hold after each: one job a run, nothing wrong bound."""
    alone = kills and not fleets
    if (bindings or alone or cluster or rollouts) and resume:
        raise CliError(
            "a campaign of bindings, kills, rollouts or a cluster is not resumed", "leave out --resume"
        )
    elsewhere = kind is Kind.AZUREML
    if bindings + damage + alone + fleets + cluster + rollouts + elsewhere > 1:
        raise CliError(
            "--bindings, --damage, --kills, --fleets, --cluster, --rollouts and --kind azureml are campaigns of "
            "their own",
            "give one of them",
        )
    options: dict[str, int | Path | None] = {"-n": histories, "--seed": seed}
    options |= {} if cluster or rollouts else {"--first": first, "--resume": resume}
    options |= {} if alone or cluster or rollouts else {"--workers": workers}
    arguments = [part for name, value in options.items() if value is not None for part in (name, str(value))]
    arguments += (
        ["--damage"] * damage
        + ["--fleets"] * fleets
        + ["--kills"] * (kills and fleets)
        + ["--kind", kind.value] * elsewhere
        + ["--json"] * as_json
        + ["--markdown"] * as_markdown
    )
    own = {"bindings": bindings, "kills": alone, "cluster": cluster, "azureml": rollouts}
    module = ".".join(["tests.chaos", *(name for name, wanted in own.items() if wanted)])
    with subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT) as campaign:
        try:
            status = campaign.wait()
        except KeyboardInterrupt:  # the campaign got it too, and ends its local clouds
            status = campaign.wait()
    raise typer.Exit(status)


def fuzz(
    graphs: Annotated[int, typer.Option("--graphs", "-n", min=1, help="How many graphs.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="What they are drawn from.")] = 1,
    first: Annotated[int, typer.Option("--first", min=0, help="The index of the first one.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="How many at a time.")] = 2,
    show: Annotated[
        bool, typer.Option("--show", help="Only print the first one's table and graph, to look at.")
    ] = False,
    worlds: Annotated[
        int | None,
        typer.Option(
            "--worlds", min=1, help="In place of graphs, worlds that change after a plan was saved."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Run random graphs on random tables: a result or a clean refusal, the same twice, and a row alone scored as in its table.

    With --worlds: an update that carries a plan out is refused by the name of what has changed since, and writes nothing.
    """
    options = {"-n": worlds or graphs, "--seed": seed, "--first": first}
    options |= {} if worlds else {"--workers": workers}
    arguments = [part for name, value in options.items() for part in (name, str(value))]
    arguments += ["--show"] * (show and not worlds) + ["--json"] * as_json
    module = "tests.e2e.worlds" if worlds else "tests.fuzz"
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False)
    raise typer.Exit(done.returncode)


def linters() -> list[Check]:
    """Style, form, types, and who imports whom."""
    python = [sys.executable, "-m"]
    return [
        ("ruff check", [*python, "ruff", "check"]),
        ("ruff format", [*python, "ruff", "format", "--check"]),
        ("mypy", [*python, "mypy"]),
        ("import-linter", [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"]),
    ]


def pytest(arguments: Sequence[str]) -> Check:
    """The tests, four at a time unless the arguments say otherwise: on two cores, as they wait for processes a lot."""
    own = any(each.startswith(("-n", "--numprocesses", "--pdb", "--trace", "--dist")) for each in arguments)
    workers = [] if own else ["-n", "4", "--dist", "loadgroup"]
    return "pytest", [sys.executable, "-m", "pytest", *workers, *arguments]


def run_all(checks: Sequence[Check], beside: Sequence[Check] = ()) -> int:
    """Run every check, those `beside` meanwhile and each told once it is done; 0 when all passed, else 1, the failed ones
    named at the end.
    """
    meanwhile = ThreadPoolExecutor(1)
    failed: list[str] = []
    try:
        others = [(name, meanwhile.submit(_told_when_done, name, command)) for name, command in beside]
        for name, command in checks:
            say(f"== {name}")
            if subprocess.run(command, cwd=ROOT, check=False).returncode:
                failed.append(name)
        failed = [name for name, status in others if status.result()] + failed
    finally:
        meanwhile.shutdown(cancel_futures=True)
    names = [name for name, _ in (*beside, *checks)]
    say(f"failed: {', '.join(failed)}" if failed else f"passed: {', '.join(names)}")
    return FAILED if failed else 0


def _told_when_done(name: str, command: Sequence[str]) -> int:
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    say(f"\n== {name}\n{done.stdout.rstrip()}")
    return done.returncode
