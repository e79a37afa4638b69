"""`./dev adopt`: what there is already, and the program that manages it from now on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out, print_json, print_table
from cli.errors import CliError, one_line, warn
from cli.options import AsJson, Config, Stack, overrides

if TYPE_CHECKING:
    from cli.services.adoption import Choice
    from clients.inventory import FoundWorkspace


def adopt(
    workspace: Annotated[
        str, typer.Option("--workspace", "-w", help="Only this workspace, by name or resource id.")
    ] = "",
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Write the program for what the options below choose."),
    ] = None,
    training: Annotated[
        str, typer.Option("--training", help="The training web service, by name or id.")
    ] = "",
    predictive: Annotated[
        str, typer.Option("--predictive", help="The predictive web service, by name or id.")
    ] = "",
    endpoint: Annotated[
        str, typer.Option("--endpoint", help="The endpoint to bind; a New service's is called default.")
    ] = "",
    data_version: Annotated[
        str,
        typer.Option("--data-version", metavar="VERSION", help="The data version of the model served now."),
    ] = "",
    revision: Annotated[
        str, typer.Option("--revision", help="What stands for the experiment of a classic training service.")
    ] = "1",
    model_output: Annotated[
        str, typer.Option("--model-output", help="The training service's output for the model.")
    ] = "",
    evaluation_output: Annotated[
        str, typer.Option("--evaluation-output", help="The training service's output for the evaluation.")
    ] = "",
    data_factory: Annotated[
        Path | None,
        typer.Option(
            "--data-factory", metavar="FILE", help="Write program and stack file for a Data Factory pipeline."
        ),
    ] = None,
    linked_services: Annotated[
        list[Path] | None,
        typer.Option(
            "--linked-services", metavar="PATH", help="More of its files, or a folder of them; repeatable."
        ),
    ] = None,
    pipeline: Annotated[
        str, typer.Option("--pipeline", help="The pipeline, where the files hold several.")
    ] = "",
    folder: Annotated[
        Path, typer.Option("-o", metavar="DIR", help="Where program and stack file of a pipeline go.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    stack: Stack = "dev",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the web services that there are already, and write the program that adopts them. Reads only."""
    from cli.services.adoption import Choice, choose, program

    asked = Choice(training, predictive, endpoint, data_version, revision, model_output, evaluation_output)
    if data_factory is not None:
        if write is not None:
            raise CliError(
                "--write and --data-factory are two ways", "leave out --write; -o names the folder"
            )
        files = (data_factory, *(linked_services or ()))
        _carry(_Order(files, pipeline, folder, force, stack, as_json, workspace), asked, overrides(config))
        return
    if linked_services or pipeline:
        raise CliError("there is no pipeline to carry over", "name its file: --data-factory pipeline.json")
    found, _target = _there(stack, overrides(config), workspace)
    if write is None:
        print_json([_workspace_json(one) for one in found]) if as_json else _print(found)
        return
    if write.exists() and not force:
        raise CliError(f"{write} exists", "give another file, or --force to write over it")
    choice = choose(found, asked)
    write.parent.mkdir(parents=True, exist_ok=True)
    write.write_text(program(choice), encoding="utf-8")
    out().print(f"{write}: adopts {choice.endpoint.name} of {choice.predictive.contract.name}", markup=False)
    out().print(
        f"next: set dataVersion to {choice.data_version} (./dev config set dataVersion {choice.data_version}), "
        "then ./dev preview shows what is adopted, and nothing to train or to bind",
        soft_wrap=True,
        markup=False,
    )


@dataclass(frozen=True)
class _Order:
    """What of a Data Factory is carried over, and where to."""

    files: tuple[Path, ...]
    pipeline: str
    folder: Path
    force: bool
    stack: str
    as_json: bool
    workspace: str


def _there(stack: str, config: dict[str, str], workspace: str) -> tuple[list[FoundWorkspace], str]:
    """What web services there are in the target of the stack, and that target's name."""
    from cli.services.registry import open_context
    from clients.inventory import Inventory

    context, target = open_context(stack, config)
    return Inventory(context.target(target), context.clock).workspaces(workspace), target


def _carry(order: _Order, asked: Choice, config: dict[str, str]) -> None:
    """Write the program and the stack's file of a Data Factory pipeline, and say what has no place in them."""
    from cli.console import agreed, is_interactive
    from cli.project import project
    from cli.services.adoption import program
    from cli.services.data_factory.carrying import carry, stack_file
    from cli.services.data_factory.documents import read
    from cli.services.data_factory.pipeline import retraining
    from cli.services.data_factory.values import secrets_in, without

    factory = read(order.files)
    found = retraining(factory, order.pipeline)
    files = [order.folder / "__main__.py", order.folder / f"Pulumi.{order.stack}.yaml"]
    for file in files:
        if file.exists() and not order.force and not (is_interactive() and agreed(f"write over {file}?")):
            raise CliError(f"{file} exists", "give another folder with -o DIR, or --force to write over it")
    there, target = _there(order.stack, config, order.workspace)
    carried = carry(found, there, asked, target)
    secrets = {one for document in factory.found.values() for one in secrets_in(document.properties)}
    texts = (program(carried.chosen), stack_file(project()["name"], carried.config))
    order.folder.mkdir(parents=True, exist_ok=True)
    for file, text in zip(files, texts, strict=True):
        file.write_text(without(text, secrets), encoding="utf-8")
    left = [without(one, secrets) for one in (*factory.mended, *found.left)]
    give = [without(one, secrets) for one in found.give]
    if order.as_json:
        print_json({"files": [str(one) for one in files], "notCarriedOver": left, "toGive": give})
        return
    out().print(
        f"{files[0]}, {files[1]}: do what the pipeline {found.name} does", markup=False, soft_wrap=True
    )
    for title, lines in (("not carried over", left), ("to give", give)):
        for line in lines:
            out().print(f"{title}: {one_line(line)}", markup=False, soft_wrap=True)


def _workspace_json(found: FoundWorkspace) -> dict[str, Any]:
    services = [
        {
            "kind": service.kind,
            "name": service.contract.name,
            "id": service.id,
            "inputs": list(service.contract.inputs),
            "outputs": list(service.contract.outputs),
            "parameters": list(service.contract.parameters),
            "resources": list(service.contract.resources),
            "location": service.location or None,
            "regions": list(service.regions),
            "plan": service.plan or None,
            "readOnly": service.read_only,
            "problem": service.problem or None,
            "endpoints": [
                {
                    "name": endpoint.name,
                    "existing": endpoint.existing,
                    "serves": {one.resource: one.location for one in endpoint.serves},
                }
                for endpoint in service.endpoints
            ],
        }
        for service in found.services
    ]
    return {
        "name": found.name,
        "resource": found.resource,
        "id": found.id or None,
        "location": found.location or None,
        "problem": found.problem or None,
        "services": services,
    }


def _print(found: list[FoundWorkspace]) -> None:
    titles = ("kind", "web service", "endpoint", "trained model", "served from", "id")
    if not found:
        out().print(
            "there is no workspace of Studio, and no New web service; Azure ML v2 is not listed: name it with existing="
        )
    for workspace in found:
        kind = "workspace" if workspace.id else "resource group"
        out().print(f"\n{kind} {workspace.name}  {workspace.resource}", markup=False, soft_wrap=True)
        if workspace.problem:
            warn(f"the classic web services of {workspace.name} can't be listed: {workspace.problem}")
        rows: list[tuple[str, ...]] = []
        for service in workspace.services:
            id_ = "" if service.location else service.id  # a New one's is the group's id with its name
            name = service.contract.name + (" (read-only)" if service.read_only else "")
            places = ", ".join((service.location, *service.regions))
            more = f" in {places}, {service.plan.rpartition('/')[2] or 'plan not known'}"
            kind = service.kind + (more if service.location else "")
            for number, endpoint in enumerate(service.endpoints):
                first = (kind, name) if number == 0 else ("", "")
                models = endpoint.serves or (None,)
                for each in models:
                    model = (each.resource, each.location) if each else ("none", "trains, or has no model")
                    rows.append((*first, endpoint.name, *model, id_ if first[0] else ""))
                    first = ("", "")
            if service.problem:
                warn(f"{name} could not be read: {service.problem}")
        print_table(titles, rows, spare=("trained model", "served from"))
