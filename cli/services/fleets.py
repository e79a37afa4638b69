"""The fleets of a stack, as the verbs reach them: by its state and the registry, without its program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.errors import CliError
from cli.stacks.resources import of_kind

if TYPE_CHECKING:
    from retrain_hooks.fleet.inputs import FleetInputs
    from retrain_hooks.fleet.planning.plan import Plan
    from retrain_hooks.fleet.records import MemberRecords
    from retrain_hooks.host.lifecycle import Context


@dataclass(frozen=True)
class DeployedFleet:
    """A fleet as the stack's last update left it: its *inputs*, and how its services are reached."""

    context: Context
    inputs: FleetInputs

    @property
    def records(self) -> MemberRecords:
        """Its members' records."""
        from retrain_hooks.fleet.records import MemberRecords

        return MemberRecords(self.context.registry(self.inputs.target), self.inputs.fleet)

    def plan(self) -> Plan:
        """What an update would do to its members, as they were declared last."""
        from retrain_hooks.fleet.planning.planned import planned

        return planned(self.context, self.inputs)[0]


def fleet_of(stack: str) -> DeployedFleet:
    """The stack's fleet. Raises CliError where it has none, or more than one, or its state is elsewhere."""
    from cli.services.registry import open_context

    context, _target = open_context(stack, {})
    return deployed_fleet(stack, context)


def deployed_fleet(stack: str, context: Context) -> DeployedFleet:
    """The stack's fleet, whose services are reached through *context*. Raises CliError as `fleet_of` does."""
    from cli.project import backend_of
    from retrain_hooks.fleet.inputs import FleetInputs

    backend = backend_of(stack)
    if backend is None:
        raise CliError(
            f"the state of {stack} is not on this machine, so its fleet can't be looked up",
            "see the stack's outputs: ./dev output",
        )
    found = of_kind(backend.deployment().get("resources") or [], "Fleet")
    if len(found) != 1:
        raise CliError(
            f"the stack {stack} has {len(found) or 'no'} fleet{'s' * (len(found) > 1)}",
            "name a stack with one, such as: -s fleet; ./dev up makes it",
        )
    return DeployedFleet(context, FleetInputs.parse(found[0], recorded=True))
