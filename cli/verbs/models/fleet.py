"""`./dev fleet …`: the members of a stack's fleet."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.console import out, print_json, print_table
from cli.errors import CliError
from cli.options import AsJson, Stack
from cli.times import local, title, utc

_KEY_DIGITS = 12
FleetStack = Annotated[str, typer.Option("--stack", "-s", help="The stack whose fleet it is.")]
Member = Annotated[str, typer.Argument(help="The member's name.")]


def status(
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those without the model that they are to have.")
    ] = False,
    stack: FleetStack = "fleet",
    as_json: AsJson = False,
) -> None:
    """Show where each member of the fleet is: its state, the run that it serves, and why it failed."""
    from cli.services.fleets import fleet_of
    from retrain_hooks.fleet.records import is_staging

    found = fleet_of(stack).records.standings()
    rows = [
        {
            "member": one.member,
            "state": one.state,
            "endpoint": one.endpoint,
            "url": one.url or None,
            "address": one.address or None,
            "key": one.key or None,
            "error": one.error or None,
        }
        for name, one in sorted(found.items())
        if not is_staging(name) and (one.error or one.state == "unfinished" or not failed)
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("member", "state", "run", "endpoint", "why"), [_cells(row) for row in rows], spare=("endpoint",)
        )
    else:
        out().print("no member failed" if failed else "the fleet has no members yet: ./dev up makes them")


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["member"],
        row["state"],
        (row["key"] or "")[:_KEY_DIGITS],
        row["endpoint"],
        row["error"] or "",
    ]


def explain(member: Member, stack: FleetStack = "fleet", as_json: AsJson = False) -> None:
    """Show all that is on record of a member, and what the next update would do to it."""
    from dataclasses import asdict

    from cli.services.fleets import fleet_of

    fleet = fleet_of(stack)
    plan = fleet.plan()
    found = fleet.records.find(member)
    change = next((str(one) for one in plan.changes if one.member == member), None)
    if found is None and change is None:
        raise _unknown(member, [one.member for one in plan.changes])
    record = asdict(found.value) if found else {}
    if as_json:
        print_json({"next": change, **record})
        return
    standing = record.get("standing", {})
    promotion = record.get("promotion", {})
    lines = {
        "state": standing.get("state", "not begun"),
        "why": record.get("error"),
        "remedy": record.get("remedy"),
        "endpoint": standing.get("endpoint"),
        "url": standing.get("url"),
        "serves": standing.get("address"),
        "run": standing.get("key"),
        "data version": record.get("data_version"),
        "verdict": promotion.get("verdict"),
        **{
            f"rule {number}": rule.get("reason")
            for number, rule in enumerate(promotion.get("rules") or [], start=1)
        },
        "last update": local(record.get("at") or ""),
        "seconds": record.get("seconds"),
        "next update": change,
    }
    for name, value in lines.items():
        if value:
            out().print(f"{name:<14} {value}", markup=False, soft_wrap=True)


def retry(member: Member, stack: FleetStack = "fleet") -> None:
    """Let the next update try a failed member again, though nothing of it has changed."""
    from dataclasses import replace

    from cli.services.fleets import fleet_of

    records = fleet_of(stack).records
    found = records.find(member)
    if found is None:
        raise _unknown(member, list(records.standings()))
    standing = replace(found.value.standing, state="unfinished")
    records.save(found, replace(found.value, standing=standing))
    out().print(f"{member} goes on with the next ./dev up -s {stack}", markup=False)


def runs(stack: Stack, *, as_json: bool) -> None:
    """Show the run that each member of the stack's fleet serves, and how it was measured."""
    from cli.services.fleets import fleet_of
    from retrain_hooks.fleet.records import is_staging

    rows = [
        {
            "member": record.standing.member,
            "state": record.standing.state,
            "key": record.standing.key or None,
            "dataVersion": record.data_version or None,
            "address": record.standing.address or None,
            "metrics": record.model.get("metrics") or {},
            "seconds": record.model.get("seconds"),
            "at": utc(record.at),
        }
        for record in fleet_of(stack).records.all()
        if not is_staging(record.standing.member)
    ]
    if as_json:
        print_json(rows)
        return
    titles = ("member", "state", "run", "data version", "metric", "seconds", title("when"))
    print_table(titles, [_run_cells(row) for row in rows], spare=("seconds",))


def _run_cells(row: dict[str, Any]) -> list[str]:
    from tasks import measured_as

    task, seconds = measured_as(row["metrics"]), row["seconds"]
    value = row["metrics"].get(task.headline) if task else None
    return [
        row["member"],
        row["state"],
        (row["key"] or "")[:_KEY_DIGITS],
        row["dataVersion"] or "",
        f"{task.headline} {value:.3f}" if task and isinstance(value, float) else "",
        f"{seconds:.1f}" if isinstance(seconds, float) else "",
        local(row["at"]),
    ]


def _unknown(member: str, names: list[str]) -> CliError:
    from clients.names import nearest

    return CliError(
        f"the fleet has no member {member!r}", f"see ./dev fleet status; {nearest(member, names)}"
    )
