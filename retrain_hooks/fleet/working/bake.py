"""The bake of a wave: its members are watched before the next wave begins."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from clients.poller import Pace, wait
from retrain_hooks.fleet.inputs import FleetInputs
from retrain_hooks.fleet.planning.plan import Planner
from retrain_hooks.fleet.planning.wishes import Wish
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.serving import probe

_LOOKS = 20
_READERS = 8


def watch(context: Context, fleet: FleetInputs, wishes: Sequence[Wish]) -> dict[str, str]:
    """Watch members for as long as they bake; why some failed, by their names.

    Now and then one listing tells whether they still serve what they were given, and at the end each answers its probe.
    """
    failed: dict[str, str] = {}

    def look(waited: float) -> bool | None:
        context.guard.check()
        if deviating := Planner(context, fleet).deviating([wish.name for wish in wishes]):
            failed.update(
                dict.fromkeys(deviating, "its endpoint went back to another model while its wave baked")
            )
            return True
        return True if waited >= fleet.schedule.bake else None

    step = max(0.05, fleet.schedule.bake / _LOOKS)
    what, deadline = "the bake of a wave", 2 * fleet.schedule.bake + 60
    wait(look, what=what, deadline=deadline, clock=context.clock, pace=Pace(shortest=step, longest=step))
    probed = [wish for wish in wishes if wish.probe_rows and wish.name not in failed]
    with ThreadPoolExecutor(_READERS, "fleet-bake") as readers:
        errors = readers.map(lambda wish: _error(context, fleet, wish), probed)
        failed |= {wish.name: error for wish, error in zip(probed, errors, strict=True) if error}
    return failed


def _error(context: Context, fleet: FleetInputs, wish: Wish) -> str:
    """Why a member's endpoint does not answer its probe; empty where it does."""
    reference = wish.holdout or wish.member.data
    assert reference is not None
    rows = probe.read_rows(context.data(fleet.target, reference.container), reference.blobs, wish.probe_rows)
    if not rows:
        return ""
    services = context.services(fleet.target, fleet.service.props())
    seen = probe.look(lambda: services.scoring(fleet.service.id, wish.home), rows, context.clock)
    return f"it answers no probe after its bake: {seen.error}" if seen.error else ""
