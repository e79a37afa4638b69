"""`./dev stack …`: the project's stacks and their state, which both engines share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import out, print_json, want_a_yes
from cli.errors import CliError, warn
from cli.options import AsJson, Stack, Yes
from cli.times import local

if TYPE_CHECKING:
    from engine import Workspace

File = Annotated[Path | None, typer.Option("--file", help="The file; standard output or input if left out.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Do it in spite of what speaks against it.")]


def init(
    name: Annotated[str, typer.Argument(help="The new stack's name.")],
) -> None:
    """Make a stack: write its Pulumi.NAME.yaml, in which its configuration is set; up deploys it."""
    from cli.project import stack_file
    from cli.stacks.names import named

    file = stack_file(named(name))
    if file.exists():
        raise CliError(f"{file.name} exists, so the stack is there", f"./dev preview -s {named(name)}")
    file.write_text("config: {}\n", encoding="utf-8")
    out().print(f"{file.name}: set its configuration there, or with ./dev config set", markup=False)


def export(stack: Stack = "dev", file: File = None) -> None:
    """Write the stack's state as JSON, secrets encrypted."""
    import engine

    text = json.dumps(engine.export_stack(_workspace(stack)), indent=4, ensure_ascii=False)
    if file is None:
        typer.echo(text)
    else:
        file.write_text(text + "\n", encoding="utf-8")


def import_(stack: Stack = "dev", file: File = None, force: Force = False) -> None:
    """Make an exported state the stack's own; the state before it stays beside it as .bak."""
    import engine

    source = "standard input" if file is None else str(file)
    try:
        text = typer.get_text_stream("stdin").read() if file is None else file.read_text(encoding="utf-8")
        exported = json.loads(text)
    except (OSError, ValueError) as error:
        raise CliError(f"{source} holds no exported state", "give what ./dev stack export wrote") from error
    engine.import_stack(_workspace(stack), exported, warn, force=force)
    out().print(f"{stack} has the state of {source}", markup=False)


def ls(as_json: AsJson = False) -> None:
    """List the project's stacks."""
    import engine
    from cli.stacks.names import with_files

    found = engine.list_stacks(_workspace("dev").backend)
    known = {each["name"] for each in found}
    found += [
        {"name": name, "lastUpdate": None, "resourceCount": 0} for name in with_files() if name not in known
    ]
    found.sort(key=lambda each: str(each["name"]))
    if as_json:
        print_json(
            [{**each, "current": each["name"] == "dev"} for each in found]
        )  # what verbs take without -s
        return
    for each in found:
        updated = local(each["lastUpdate"]) if each["lastUpdate"] else "never"
        out().print(f"{each['name']:<16}  {updated:<16}  {each['resourceCount']} resources", markup=False)
    if not found:
        out().print("there are no stacks yet: ./dev stack init NAME makes one")


def rm(stack: Stack = "dev", force: Force = False, yes: Yes = False) -> None:
    """Remove a destroyed stack's state and history; its Pulumi.STACK.yaml stays."""
    import engine

    workspace = _workspace(stack)
    want_a_yes(f"Remove state and history of {stack}?", yes=yes)
    engine.remove_stack(workspace, force=force)
    out().print(f"removed {stack}", markup=False)


def _workspace(stack: str) -> Workspace:
    from cli.project import ROOT, passphrase
    from engine import Workspace

    return Workspace.open(ROOT, stack, passphrase=passphrase())
