"""The verdict on a fleet: an update in which more members failed than are declared to is red, and says which and why."""

from __future__ import annotations

from clients.errors import FleetError
from retrain_hooks.fleet.inputs import FleetVerdictInputs, share
from retrain_hooks.host.lifecycle import Context, Diff, Props


class FleetVerdictLifecycle:
    """Fails where more members failed than may (inputs: FleetVerdictInputs). It makes nothing."""

    inputs = FleetVerdictInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """The inputs as they are. Raises ConfigurationError for a limit that is none."""
        FleetVerdictInputs.parse(new)
        return new

    def diff(self, old: Props, new: Props) -> Diff:
        """Other failures, or another limit, are judged anew."""
        return Diff(any(old.get(name) != new.get(name) for name in ("counts", "failed", "maxFailures")))

    def create(self, new: Props) -> tuple[str, Props]:
        """Judge. Raises FleetError, with the members and why each failed."""
        return "verdict", self._judge(new)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Judge. Raises FleetError, with the members and why each failed."""
        return self._judge(new)

    def _judge(self, new: Props) -> Props:
        wanted = FleetVerdictInputs.parse(new)
        members, failed = (int(wanted.counts.get(name, 0)) for name in ("members", "failed"))
        bearable = share(wanted.max_failures, members)
        if failed > bearable:
            raise FleetError(
                f"{failed:,} of {members:,} members failed, {bearable:,} may: {'; '.join(wanted.failed)}",
                "see ./dev fleet status; what served before still serves. Correct their data, or let more of them fail "
                "(fleetMaxFailures), and run the update again; ./dev fleet retry MEMBER tries one again as it is",
            )
        return new

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded verdict."""
        return old, old

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted."""
