"""`./dev cloud …`: the local cloud."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, print_json, say, want_a_yes
from cli.errors import warn
from cli.options import AsJson, ShowSecrets, Yes


def start(
    new_ports: Annotated[bool, typer.Option("--new-ports", help="Move to other free ports.")] = False,
    allow_faults: Annotated[
        bool | None,
        typer.Option(
            "--allow-faults/--no-allow-faults",
            help="Let /_local/faults make the local cloud misbehave, from now on, or no longer.",
            show_default=False,
        ),
    ] = None,
    allow_scripts: Annotated[
        bool | None,
        typer.Option(
            "--allow-scripts/--no-allow-scripts",
            help="Run graphs with Execute Python Script, from now on, or no longer: scripts run apart, without network.",
            show_default=False,
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            "--executor",
            metavar="WHERE",
            help="Where jobs run from now on: processes, or a Dask cluster, as tcp://scheduler:8786.",
            show_default=False,
        ),
    ] = None,
    soft_delete: Annotated[
        bool | None,
        typer.Option(
            "--soft-delete/--no-soft-delete",
            help="As in Azure, let deleted vaults and workspaces of Azure ML keep their names until purged.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the local cloud: Azurite, the studio, the azure-native stand-in, the example's data."""
    from cli.cloud.supervisor import Supervisor

    supervisor = Supervisor(say=say)
    cloud = supervisor.start(
        new_ports=new_ports,
        allow_faults=allow_faults,
        executor=executor,
        soft_delete=soft_delete,
        allow_scripts=allow_scripts,
        look=True,
    )
    out().print(f"the local cloud runs: studio {cloud.studio}, blobs {cloud.blob}")


def page() -> None:
    """Print a link to the local cloud's page, which signs in once: what it serves, jobs, the journal, a row to score."""
    from cli.cloud.supervisor import Supervisor
    from clients.credentials import resolve_target

    cloud = Supervisor(say=say).start()
    found = resolve_target("local").arm.post("_local/page/links")
    out().print(f"{cloud.studio}{found['path']}", markup=False, soft_wrap=True)


def stop() -> None:
    """Stop the local cloud; its data stays."""
    from cli.cloud.supervisor import Supervisor

    names = Supervisor(say=say).stop()
    out().print(f"stopped: {', '.join(names)}" if names else "the local cloud wasn't running")


def status(as_json: AsJson = False, show_secrets: ShowSecrets = False) -> None:
    """Show the local cloud's addresses and processes."""
    from cli.cloud.supervisor import Supervisor

    answer = Supervisor().status(show_secrets=show_secrets)
    if as_json:
        print_json(answer)
        return
    print_ = out().print
    print_(f"the local cloud is {'running' if answer['running'] else 'not running (./dev cloud start)'}")
    names = {
        "studio": "studio",
        "studioHttps": "studio (HTTPS)",
        "caFile": "its authority",
        "blob": "blobs",
        "executor": "jobs run on",
        "connectionString": "connection string",
        "armToken": "ARM token",
    }
    for key, name in names.items():
        if answer.get(key):
            print_(f"  {name:<18}{answer[key]}", markup=False)
    for name, process in answer["processes"].items():
        where = ", ".join(f"127.0.0.1:{port}" for port in process["ports"])
        print_(f"  {name:<18}{process['state']:<9}process {process['pid'] or '-':<9} {where}", markup=False)


def logs(
    name: Annotated[str, typer.Argument(help="azurite, studio or azure-native; all when left out.")] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)] = 50,
) -> None:
    """Show what the local cloud's processes wrote."""
    from cli.cloud.logs import show

    show(name, lines=lines, follow=follow)


def reset(yes: Yes = False) -> None:
    """Stop the local cloud and delete all its data: blobs, models, web services, the ledger of runs."""
    from backend.stacks import list_stacks
    from cli.cloud.supervisor import Supervisor
    from cli.project import backend_of
    from cli.stacks.held import all_local_stacks

    backend = backend_of("dev")
    stacks = [each["name"] for each in list_stacks(backend) if each["resourceCount"] > 1] if backend else []
    if stacks:
        warn(
            f"stacks that hold resources: {', '.join(stacks)}; ./dev destroy them first, or their next ./dev up makes all again"
        )
    want_a_yes("Delete all data of the local cloud?", yes=yes)
    with all_local_stacks(warn):
        Supervisor(say=say).reset()
    out().print("the local cloud is stopped and its data deleted")
