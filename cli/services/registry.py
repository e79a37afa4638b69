"""The ledger of runs and what belongs to it, as the verbs reach it: the target of a stack, without its program."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cli.stacks.resources import OURS

if TYPE_CHECKING:
    from clients.protocols import Binding
    from clients.storage import Container
    from retrain_hooks.host.lifecycle import Context
    from retrain_hooks.registry.ledger import Ledger
    from retrain_hooks.registry.markers import InUse, Marker

TRAINING = f"{OURS}StudioWebService"


class _Unhurried:
    """Progress and guard of a verb: nothing to tell, nobody to stop it but Ctrl-C."""

    def status(self, message: str) -> None:
        """Say nothing."""

    def info(self, message: str) -> None:
        """Say nothing."""

    def check(self) -> None:
        """Go on."""


@dataclass(frozen=True)
class Registry:
    """The registry of the target called *target*."""

    context: Context
    target: str

    @property
    def container(self) -> Container:
        """The container itself."""
        return self.context.registry(self.target)

    @property
    def ledger(self) -> Ledger:
        """The ledger in it."""
        from retrain_hooks.registry.ledger import Ledger

        return Ledger(self.container)

    def in_use(self) -> InUse:
        """What endpoints serve, by markers and by asking the services."""
        from retrain_hooks.registry.markers import in_use

        return in_use(self.container, self._served)

    def _served(self, marker: Marker) -> dict[str, list[Binding]]:
        return self.context.services(marker.target, asdict(marker) | {"id": marker.service}).served(
            marker.service
        )


def open_registry(stack: str) -> Registry:
    """The registry that a stack's configuration names; starts the local cloud where it is the target."""
    return Registry(*open_context(stack, {}))


def registry_of(target: str) -> Registry:
    """The registry of a target that is there already."""
    from retrain_hooks.host.lifecycle import Context

    return Registry(Context(_Unhurried(), _Unhurried()), target)


def open_context(stack: str, overrides: dict[str, str]) -> tuple[Context, str]:
    """How a verb reaches the services of a stack's target, and that target's name; starts the local cloud if it is that."""
    from cli.project import LOCAL_TARGET, project, stack_config
    from cli.runners import environment
    from cli.stacks.names import known

    stack = known(stack, deployed=True)
    environment(stack, overrides)
    target = stack_config(stack, overrides).get(f"{project()['name']}:target", LOCAL_TARGET)
    found = registry_of(str(target))
    return found.context, found.target


def workspace_of(stack: str) -> dict[str, str] | None:
    """The workspace that a stack's jobs run in, as its state has it; None where it has none yet.

    An interrupted first update has no outputs, but resources, so that these are looked at.
    """
    from cli.errors import CliError
    from cli.project import backend_of

    backend = backend_of(stack)
    if backend is None:
        raise CliError(
            f"the state of {stack} is not on this machine, so its jobs can't be told from others'",
            "use ./dev cancel without --jobs, and cancel the job at the service",
        )
    for resource in backend.deployment().get("resources") or []:
        outputs: dict[str, Any] = resource.get("outputs") or {}
        if resource.get("type") == TRAINING and outputs.get("part") == "training":
            return dict(outputs["workspace"])
    return None
