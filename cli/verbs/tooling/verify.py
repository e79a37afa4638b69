"""`./dev verify-azure`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, print_json, say
from cli.errors import FAILED, CliError
from cli.options import AsJson, Config, Stack, overrides


def verify_azure(
    stack: Stack = "dev",
    group: Annotated[
        str, typer.Option("--resource-group", "-g", help="A group that is there: roles in it count, too.")
    ] = "",
    size: Annotated[
        str, typer.Option("--vm-size", help="The machines whose quota is looked at.")
    ] = "Standard_DS3_v2",
    deploy: Annotated[
        bool,
        typer.Option(
            "--deploy", help="Walk the whole way, too: deploy a throw-away stack, score, destroy it."
        ),
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check what a stack needs of Azure: sign-in, roles, providers, region, quotas. Changes nothing without --deploy."""
    from cli.project import LOCAL_TARGET, project, stack_config
    from cli.runners import environment
    from cli.services.azure.checks import Checks, Wanted
    from cli.services.azure.needs import NEEDS
    from cli.stacks.names import known
    from clients.credentials import resolve_target

    stack, given = known(stack), overrides(config)
    environment(stack, given)
    found = stack_config(stack, given)
    own = project()["name"]
    kind, location = (str(found.get(f"{own}:{name}") or "") for name in ("kind", "location"))
    if kind not in NEEDS:
        raise CliError(f"{kind!r} is no kind of web service", f"use one of: {', '.join(NEEDS)}")
    name = str(found.get(f"{own}:target", LOCAL_TARGET))
    subscription = str(found.get("azure-native:subscriptionId") or "")
    findings = []
    for one in Checks(resolve_target(name), Wanted(kind, location, subscription, group, size)).all():
        findings.append(one)
        if not as_json:
            out().print(
                f"{'ok  ' if one.ok else 'FAIL'}  {one.what:<12}  {one.says}", markup=False, soft_wrap=True
            )
            if not one.ok:
                out().print(f"      {one.remedy}", markup=False, soft_wrap=True)
    good = all(one.ok for one in findings)
    steps: list[tuple[str, float]] = []
    if deploy and good:
        from cli.services.azure.walk import Walk

        def done(step: str, seconds: float) -> None:
            steps.append((step, seconds))
            say(f"{step} took {seconds:.1f} s")

        Walk(stack, name, given, done).take()
    if as_json:
        told = [{"check": one.what, "ok": one.ok, "says": one.says, "remedy": one.remedy} for one in findings]
        print_json({"checks": told, "steps": [{"step": step, "seconds": took} for step, took in steps]})
    for step, took in steps if not as_json else ():
        out().print(f"ok    {step:<12}  {took:.1f} s", markup=False)
    if not good:
        raise typer.Exit(FAILED)
