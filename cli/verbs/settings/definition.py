"""`./dev definition export` and `./dev definition import`: New web services as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out, say
from cli.errors import CliError
from cli.options import Config, Stack, overrides

if TYPE_CHECKING:
    from clients.studio_new.files import DefinitionFiles


def export(
    name: Annotated[str, typer.Argument(help="The web service, by name or resource id.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there, not to stdout.")
    ] = None,
    stack: Stack = "dev",
    config: Config = None,
) -> None:
    """Write the definition of a New web service as JSON, without secrets."""
    import json

    text = json.dumps(_files(stack, config).export(name), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="", flush=True)
        return
    output.write_text(text, encoding="utf-8")
    out().print(f"{output}: the definition of {name}, without secrets", markup=False)


def import_(
    file: Annotated[Path, typer.Argument(help="A definition, as export writes it or as Studio does.")],
    name: Annotated[
        str,
        typer.Option(
            "--name", help="The web service, by name or resource id; the one in the file if left out."
        ),
    ] = "",
    plan: Annotated[
        str, typer.Option("--plan", help="Resource id of the commitment plan that pays for a new one.")
    ] = "",
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="ADDRESS",
            help="Serve this model: an address in the registry (models/…), or a URL.",
        ),
    ] = "",
    resource: Annotated[
        str, typer.Option("--resource", help="Which trained model --model replaces, where there are several.")
    ] = "",
    stack: Stack = "dev",
    config: Config = None,
) -> None:
    """Update a New web service to the definition in a file, or create it."""
    definition = _read(file)
    files = _files(stack, config)
    say(f"updating the web service to {file}")
    if model and "://" not in model:
        _see(model, stack, config)
    service = files.import_(definition, name, plan, model, resource)
    out().print(f"{service} has the definition in {file}", markup=False, soft_wrap=True)


def _files(stack: str, config: list[str] | None) -> DefinitionFiles:
    from cli.services.registry import open_context
    from clients.studio_new.files import DefinitionFiles

    context, target = open_context(stack, overrides(config))
    return DefinitionFiles(context.target(target), context.registry(target), context.clock)


def _see(model: str, stack: str, config: list[str] | None) -> None:
    """See that a model of the registry that is on record is what its run left. Raises LedgerError."""
    from cli.services.registry import open_context
    from retrain_hooks.registry.ledger import Ledger

    context, target = open_context(stack, overrides(config))
    registry = context.registry(target)
    address = model.removeprefix(f"{registry.name}/")
    if registry.stat(address) is not None:
        Ledger(registry).hand_over(address)


def _read(file: Path) -> dict[str, Any]:
    import json

    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CliError(
            f"{file} cannot be read: {error.strerror}", "name a file that ./dev definition export wrote"
        ) from None
    except ValueError as error:
        raise CliError(f"{file} is not JSON: {error}", "correct the file") from None
    if not isinstance(found, dict):
        raise CliError(f"{file} holds no definition", "name a file that ./dev definition export wrote")
    return found
