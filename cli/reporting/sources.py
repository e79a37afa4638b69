"""Where the facts of a report are: the stack's state, and the registry of its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.errors import CliError
from cli.stacks.resources import of_kind

if TYPE_CHECKING:
    from cli.services.registry import Registry
    from retrain_hooks.fleet.inputs import FleetInputs
    from retrain_hooks.fleet.records import Standing
    from retrain_hooks.gate.inputs import PromotionInputs
    from retrain_hooks.registry.ledger import Run
    from retrain_hooks.registry.records import Unreadable
    from retrain_hooks.registry.summaries import Summary


@dataclass(frozen=True)
class Sources:
    """Where the facts are: the *stack*, and the *registry* of its target."""

    stack: str
    registry: Registry

    @cached_property
    def resources(self) -> list[Mapping[str, Any]]:
        """The stack's resources, as its state has them; none where that is not on this machine."""
        from cli.project import backend_of

        backend = backend_of(self.stack)
        return list(backend.deployment().get("resources") or []) if backend else []

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """The outputs of the resources of a kind."""
        return of_kind(self.resources, kind)

    @cached_property
    def promotion(self) -> PromotionInputs | None:
        """The gate of the stack's endpoint."""
        from retrain_hooks.gate.inputs import PromotionInputs

        found = self.of("Promotion")
        return PromotionInputs.parse(found[0], recorded=True) if found else None

    @cached_property
    def binding(self) -> Mapping[str, Any]:
        """The stack's binding."""
        found = self.of("ModelBinding")
        return found[0] if found else {}

    @cached_property
    def runs(self) -> list[Run]:
        """The runs of the stack's experiment, the oldest first."""
        from retrain_hooks.registry.catalogue import distinct, newest_first
        from retrain_hooks.registry.records import Unreadable

        found = [run for run in self.registry.ledger.runs() if not isinstance(run, Unreadable)]
        own = [run for run in found if self._is_own(run.experiment)]
        return list(reversed(newest_first(distinct(own))))

    @cached_property
    def fleet(self) -> FleetInputs | None:
        """The stack's fleet, where it has one."""
        from retrain_hooks.fleet.inputs import FleetInputs

        found = self.of("Fleet")
        return FleetInputs.parse(found[0], recorded=True) if found else None

    @cached_property
    def members(self) -> list[Standing]:
        """The members of the stack's fleet, by name; none where it has no fleet."""
        from retrain_hooks.fleet.records import MemberRecords, is_staging

        if self.fleet is None:
            return []
        found = MemberRecords(self.registry.container, self.fleet.fleet).standings()
        return [one for name, one in sorted(found.items()) if not is_staging(name)]

    @cached_property
    def summaries(self) -> list[Summary]:
        """The same as one listing tells them."""
        from retrain_hooks.registry.catalogue import distinct
        from retrain_hooks.registry.records import Unreadable

        found = [run for run in self._on_record if not isinstance(run, Unreadable)]
        own = [run for run in found if self._is_own(run.experiment)]
        if self.members:
            keys = {one.key for one in self.members}
            own = [run for run in own if run.key in keys]
        else:
            own = [run for run in own if not run.member]
        return sorted(distinct(own), key=lambda run: (run.when, run.key))

    def _is_own(self, experiment: str) -> bool:
        if self.members:
            return True
        names = {str((each.get("experiment") or {}).get("name")) for each in self.of("TrainedModel")}
        return not names or experiment in names

    @cached_property
    def damaged(self) -> list[str]:
        """Why records can't be read, those of other experiments among them."""
        from retrain_hooks.registry.records import Unreadable

        return [run.cause for run in self._on_record if isinstance(run, Unreadable)]

    @cached_property
    def _on_record(self) -> list[Summary | Unreadable]:
        return list(self.registry.ledger.summaries())

    def run(self, prefix: str) -> Run:
        """The run whose key begins so. Raises ConfigurationError."""
        from retrain_hooks.registry.catalogue import find

        return find(self.registry.ledger, prefix.lower())


def sources_of(stack: str) -> Sources:
    """The sources of a stack that was deployed. Raises CliError."""
    from cli.services.registry import open_registry
    from cli.stacks.names import known

    name = known(stack, deployed=True)
    found = Sources(name, open_registry(name))
    if not found.summaries:
        raise CliError("there are no runs yet, so there is nothing to report", f"./dev up -s {name}")
    return found
