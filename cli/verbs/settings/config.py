"""`./dev config get`, `set` and `unset`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.console import as_text, out, print_json
from cli.errors import CliError
from cli.options import AsJson, Stack


def get(
    key: Annotated[str, typer.Argument(help="One key; all when left out.")] = "",
    stack: Stack = "dev",
    as_json: AsJson = False,
) -> None:
    """Show the stack's configuration, Pulumi.yaml's defaults included."""
    from cli.project import project, qualified, stack_config
    from cli.stacks.names import known

    stack = known(stack)
    values = stack_config(stack)
    if key:
        full = qualified(key)
        if full not in values:
            raise CliError(f"{key} has no value in {stack}", f"./dev config set {key} VALUE -s {stack}")
        print_json(values[full]) if as_json else out().print(_text(values[full]), markup=False)
    elif as_json:
        print_json(values)
    else:
        own = f"{project()['name']}:"
        for name in sorted(values):
            out().print(f"{name.removeprefix(own):<22}  {_text(values[name])}", markup=False)


def set_(
    key: Annotated[str, typer.Argument(help="The key, as in Pulumi.yaml.")],
    value: Annotated[str, typer.Argument(help="Its new value.")],
    stack: Stack = "dev",
    secret: Annotated[bool, typer.Option("--secret", help="Encrypt it with the stack's passphrase.")] = False,
) -> None:
    """Write one value into the stack's file; the next `up` uses it."""
    from backend.workspace import Workspace
    from cli.project import ROOT, passphrase, qualified, stack_file
    from cli.stacks.files import set_value
    from cli.stacks.names import known
    from cli.stacks.values import judged

    stack = known(stack)
    full = qualified(key)
    written = judged(full, value)
    if secret:
        workspace = Workspace.open(ROOT, stack, passphrase=passphrase())
        crypter = workspace.crypter() or workspace.new_crypter()
        written = {"secure": crypter.encrypt(value)}
    set_value(stack_file(stack), full, written)
    out().print(f"{stack_file(stack).name}: {key} is {_text(written) if secret else value}", markup=False)


def unset(
    key: Annotated[str, typer.Argument(help="The key, as in Pulumi.yaml.")],
    stack: Stack = "dev",
) -> None:
    """Take one value out of the stack's file, so that Pulumi.yaml's default holds; the next `up` uses it."""
    from cli.project import qualified, stack_config, stack_file
    from cli.stacks.files import unset_value
    from cli.stacks.names import known

    stack = known(stack)
    full, file = qualified(key), stack_file(stack)
    there = unset_value(file, full)
    default = stack_config(stack).get(full)
    then = "it has no value" if default is None else f"it is {_text(default)}, by default"
    out().print(f"{file.name}: {key} {'is taken out' if there else 'was not set'}; {then}", markup=False)


def _text(value: Any) -> str:
    return "[secret]" if isinstance(value, dict) and "secure" in value else as_text(value)
