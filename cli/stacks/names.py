"""Which stacks there are: those with a file, and those with a state."""

from __future__ import annotations

from difflib import get_close_matches

from cli.errors import CliError
from cli.project import backend_of, project, stack_file


def named(given: str) -> str:
    """The plain name of a stack, which may be given with `organization/` before it; it need not be there."""
    from backend.workspace import stack_name

    return stack_name(given, str(project()["name"]))


def known(given: str, *, deployed: bool = False) -> str:
    """The plain name of a stack that has a file, or (where `deployed` will do) a state.

    Raises:
        CliError: it has neither. A mistyped name would deploy everything once more, from defaults.
    """
    stack = named(given)
    backend = backend_of(stack)
    if stack_file(stack).exists() or (deployed and (backend is None or backend.file.exists())):
        return stack
    near = get_close_matches(stack, with_files(), n=1, cutoff=0)
    use = f"use -s {near[0]}, or " if near else ""
    raise CliError(
        f"the stack {stack} has no file {stack_file(stack).name}",
        f"{use}make it with ./dev stack init {stack}",
    )


def with_files() -> list[str]:
    """The stacks that have a file."""
    files = stack_file("dev").parent.glob("Pulumi.?*.yaml")
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in files)
