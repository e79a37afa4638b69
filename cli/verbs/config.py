"""`./dev config get` and `./dev config set`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.console import out, print_json
from cli.errors import CliError
from cli.options import AsJson, Stack


def get(
    key: Annotated[str, typer.Argument(help="One key; all when left out.")] = "",
    stack: Stack = "dev",
    as_json: AsJson = False,
) -> None:
    """Show the stack's configuration, Pulumi.yaml's defaults included."""
    from cli.project import project, qualified, stack_config

    values = stack_config(stack)
    if key:
        full = qualified(key, stack)
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
) -> None:
    """Write one value into the stack's file; the next `up` uses it."""
    from cli.project import qualified, stack_file
    from cli.stackfile import set_value

    set_value(stack_file(stack), qualified(key, stack), value)
    out().print(f"{stack_file(stack).name}: {key} is {value}", markup=False)


def _text(value: Any) -> str:
    import json

    if isinstance(value, dict) and "secure" in value:
        return "[secret]"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
