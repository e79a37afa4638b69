"""`./dev stack …`: the project's stacks and their state, which both engines share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import agreed, is_interactive, out, print_json
from cli.errors import CliError, warn
from cli.options import AsJson, Stack, Yes

if TYPE_CHECKING:
    from engine import Workspace

File = Annotated[Path | None, typer.Option("--file", help="The file; standard output or input if left out.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Do it in spite of what speaks against it.")]


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

    found = engine.list_stacks(_workspace("dev").backend)
    if as_json:
        print_json(
            [{**each, "current": each["name"] == "dev"} for each in found]
        )  # what verbs take without -s
        return
    for each in found:
        updated = str(each["lastUpdate"] or "never")[:16]
        out().print(f"{each['name']:<16}  {updated:<16}  {each['resourceCount']} resources", markup=False)
    if not found:
        out().print("there are no stacks yet: ./dev up makes the first")


def rm(stack: Stack = "dev", force: Force = False, yes: Yes = False) -> None:
    """Remove a destroyed stack's state and history; its Pulumi.STACK.yaml stays."""
    import engine

    workspace = _workspace(stack)
    if is_interactive() and not yes and not agreed(f"Remove state and history of {stack}?"):
        raise CliError("not confirmed, so nothing was done", "answer y, or give --yes")
    engine.remove_stack(workspace, force=force)
    out().print(f"removed {stack}", markup=False)


def _workspace(stack: str) -> Workspace:
    from cli.project import ROOT, passphrase
    from engine import Workspace

    return Workspace.open(ROOT, stack, passphrase=passphrase())
