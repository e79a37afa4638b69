"""`./dev config get`, `set` and `unset`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.console import as_text, out, print_json, print_table
from cli.errors import CliError
from cli.guidance.completing import settings
from cli.options import AsJson, Stack

SECRET = "[secret]"  # noqa: S105


def get(
    key: Annotated[str, typer.Argument(autocompletion=settings, help="One key; all when left out.")] = "",
    stack: Stack = "dev",
    as_json: AsJson = False,
) -> None:
    """Show the stack's configuration: every key with its value, its default, and what it is for."""
    from cli.project import project, qualified, stack_config
    from cli.stacks.names import known

    stack = known(stack)
    values = {name: SECRET if _is_secret(value) else value for name, value in stack_config(stack).items()}
    if key:
        full = qualified(key)
        if full not in values:
            raise CliError(f"{key} has no value in {stack}", f"./dev config set {key} VALUE -s {stack}")
        print_json(values[full]) if as_json else out().print(as_text(values[full]), markup=False)
    elif as_json:
        print_json(values)
    else:
        own = f"{project()['name']}:"
        declared = {f"{own}{name}": said for name, said in (project().get("config") or {}).items()}
        rows = [
            _row(name.removeprefix(own), values.get(name), declared.get(name))
            for name in [*declared, *sorted(values.keys() - declared.keys())]
        ]
        print_table(
            ("key", "value", "default", "what it is for"),
            rows,
            spare=("default",),
            folded=("value", "default"),
        )


def _row(name: str, value: Any, declared: Any) -> tuple[str, str, str, str]:
    """A key as a table has it; a default that holds is said once."""
    said = declared if isinstance(declared, dict) else {}
    default = said.get("default")
    shown = "" if value is None else as_text(value)
    return name, shown, "" if default in (None, value) else as_text(default), str(said.get("description", ""))


def set_(
    key: Annotated[str, typer.Argument(autocompletion=settings, help="The key, as in Pulumi.yaml.")],
    value: Annotated[str, typer.Argument(help="Its new value.")],
    stack: Stack = "dev",
    secret: Annotated[bool, typer.Option("--secret", help="Encrypt it with the stack's passphrase.")] = False,
) -> None:
    """Write one value into the stack's file; the next `up` uses it."""
    from backend.workspace import Workspace
    from cli.project import ROOT, passphrase, project, qualified, stack_config, stack_file
    from cli.stacks.files import set_value
    from cli.stacks.names import known
    from cli.stacks.values import judged

    stack = known(stack)
    full = qualified(key)
    values = stack_config(stack)
    written = judged(full, value, str(values.get(f"{project()['name']}:kind", "classic")))
    if secret or _is_secret(values.get(full)):
        workspace = Workspace.open(ROOT, stack, passphrase=passphrase())
        crypter = workspace.crypter() or workspace.new_crypter()
        written = {"secure": crypter.encrypt(value)}
    set_value(stack_file(stack), full, written)
    out().print(
        f"{stack_file(stack).name}: {key} is {_text(written) if _is_secret(written) else value}", markup=False
    )


def unset(
    key: Annotated[str, typer.Argument(autocompletion=settings, help="The key, as in Pulumi.yaml.")],
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
    then = "it has no value" if default is None else f"it is {_text(default) or 'empty'}, by default"
    out().print(f"{file.name}: {key} {'is taken out' if there else 'was not set'}; {then}", markup=False)


def _text(value: Any) -> str:
    return SECRET if _is_secret(value) else as_text(value)


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and "secure" in value
