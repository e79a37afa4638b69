"""What a fleet takes, and what its verdict does."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.fleet.members.inputs import MembersInputs
from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.host.lifecycle import known
from retrain_hooks.host.references import ExperimentRef, ServiceRef
from retrain_hooks.ownership.claims import OwnerRef
from retrain_hooks.registry.run_key import digest, judge_key

_SHARE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<percent>%)?")


def share(text: str, of: int) -> int:
    """How many of so many a text names: ``5``, or ``10%``, which is rounded up. Raises ConfigurationError."""
    found = _SHARE.fullmatch(text.strip())
    number = float(found["number"]) if found else -1.0
    if (
        found is None
        or (not found["percent"] and not number.is_integer())
        or (found["percent"] and number > 100)
    ):
        raise ConfigurationError(
            f"{text!r} is neither a number of members nor a share of them", "write 5, or 10%"
        )
    return math.ceil(of * number / 100) if found["percent"] else int(number)


def _is_share(text: str) -> None:
    share(text, 1)


def _is_wave(text: str) -> None:
    if share(text, 1000) < 1:
        raise ConfigurationError(f"{text!r} is a wave of no members", "write 5, or 10%")


def pack_group(fleet: str) -> str:
    """What the packs of the fleet with this id are called by, where its members share an endpoint."""
    return f"members-{fleet[:12]}"


@dataclass(frozen=True)
class ScheduleInputs(Inputs):
    """In which order and how many at once: a wave ends when all of its members have, and baked."""

    concurrency: int = prop(
        "how many members are worked on at once at most; fewer while the service asks for patience",
        default=16,
        least=1,
        most=200,
        called="fleetConcurrency",
    )
    waves: tuple[str, ...] = prop(
        "how many members each wave reaches in all: [1, 10%, 100%]; none: all in one",
        default=(),
        judge=_is_wave,
        called="fleetWaves",
    )
    bake: Duration = prop(
        "how long the members of a wave are watched before the next begins",
        default=Duration(0),
        called="fleetBake",
    )
    max_failures: str = prop(
        "how many members may fail, as a number or a share: past that no further member is begun, and the update fails",
        default="0",
        judge=_is_share,
        called="fleetMaxFailures",
    )
    staging: int = prop(
        "how many staging endpoints the members share, where they are scored first",
        default=4,
        least=1,
        most=50,
    )


@dataclass(frozen=True, kw_only=True)
class FleetPlace(Inputs):
    """Where a fleet is, and what it is known by: the inputs of its roster."""

    target: str = prop("where services and blobs are", identity=True)
    service: ServiceRef = prop("the predictive web service", identity=True)
    resource: str = prop("name of the trained model that is replaced", identity=True)
    graph: str = prop("digest of what the predictive service is published from", default="")
    owner: OwnerRef | None = prop("who owns its endpoints; filled in by the component", default=None)
    fleet: str = prop("its id in the registry, as its roster has it", default="")
    online: str = prop(
        "the online endpoint that all members share, of Azure ML v2; empty: each has an endpoint", default=""
    )

    @property
    def shared(self) -> bool:
        """Whether the members share one endpoint, also where that is not made yet."""
        return not known(self.online) or bool(self.online)

    @property
    def placed(self) -> bool:
        """Whether it is known where it is."""
        return known(self.target, self.service, self.resource)

    @property
    def id(self) -> str:
        """The id that it has, or that one which is made now gets; empty where that isn't known yet."""
        if known(self.fleet) and self.fleet:
            return self.fleet
        owner = self.owner
        if not self.placed or owner is None or not known(owner) or not self.service.id:
            return ""
        names = [owner.project, owner.stack, owner.name, owner.lineage]
        return digest([self.target, self.service.id.casefold(), self.resource, *names])[:32]


@dataclass(frozen=True, kw_only=True)
class FleetInputs(FleetPlace):
    """Many endpoints of one predictive web service, each with a model of its own from one training web service."""

    training: ServiceRef = prop("the training web service")
    experiment: ExperimentRef = prop("what the training web service runs")
    source: str = prop(
        "the folder below experiments/ whose graph it runs; empty where it was there before", default=""
    )
    members: MembersInputs = prop("who the members are, and where the data of each is")
    missing: str = prop(
        "what becomes of a member that was found, and has no data any more: it stays as it is, or leaves",
        default="stays",
        choices=("stays", "leaves"),
    )
    path: str = prop(
        "where the data is: sales/{version}.csv; {member} stands for the member", called="dataPath"
    )
    version: str = prop("the data version: a literal, latest, or a window", called="dataVersion")
    container: str = prop("the container, where it is not the target's data container", default="")
    parameters: Mapping[str, Any] = prop("web-service parameters of all members", default={})
    seed: int = prop("random seed of split and learner", default=0, least=0, most=2**31 - 1)
    force: str = prop("any other text asks for new runs of the same inputs", default="")
    gate: GateInputs = prop("what a member's model must show")
    holdout: str = prop(
        "the data version that a member's models are judged on, in its own data; empty: each run's own evaluation",
        default="",
        called="holdoutDataVersion",
    )
    probe_rows: int = prop(
        "with how many rows an endpoint is probed; 0 reads a binding back only",
        default=20,
        least=0,
        called="probeRows",
    )
    probe_deadline: Duration = prop(
        "how long an endpoint may take to answer as the new model",
        default=Duration(60),
        called="probeDeadline",
    )
    probe_settle: Duration = prop("how long it must then stay so", default=Duration(0), called="probeSettle")
    schedule: ScheduleInputs = prop("in which order, and how many at once", default=ScheduleInputs())
    max_jobs: int | None = prop("training jobs that one update may start", default=None, least=0)
    cancel_jobs: bool = prop("whether an interrupted update cancels its jobs", default=False)
    deadline_minutes: int = prop(
        "how long one run may take", default=60, least=1, most=43_200, unit="minutes"
    )
    expect: str = prop(
        "the only plan (its digest, or the first 7 digits or more) that an update may carry out",
        default="",
        judge=judge_key,
        called="expectPlan",
    )
    found: str = prop("digest of all members and their data", default="", output=True)
    plan: tuple[str, ...] = prop("what an update would do, a line a kind of change", default=(), output=True)
    plan_key: str = prop("digest of what an update would do; empty for nothing", default="", output=True)
    counts: Mapping[str, Any] = prop(
        "how many members there are, by where they stand", default={}, output=True
    )
    leaves: tuple[str, ...] = prop(
        "the members that an update would let go of, with their endpoints", default=(), output=True
    )
    stuck: tuple[str, ...] = prop(
        "the members that an update would leave without their models, and why", default=(), output=True
    )
    failed: tuple[str, ...] = prop(
        "the members that ended without their models, and why", default=(), output=True
    )
    stands: str = prop("digest of where all members are", default="", output=True)
    addresses: str = prop(
        "where each member's endpoint answers: a JSON object of texts", default="", output=True
    )

    def validate(self) -> None:
        """Refuse a gate that waits for a person: a fleet's models are approved as a plan."""
        if known(self.gate) and self.gate.approval:
            raise ConfigurationError(
                "gateApproval: a fleet has no approval a member",
                "approve its plan: set expectPlan to the plan's digest",
            )

    @property
    def keeps_missing(self) -> bool:
        """Whether a member that is found no more keeps its endpoint: nobody said that it is to go."""
        named = self.members.list is not None or self.members.file
        return not named and self.missing == "stays"


@dataclass(frozen=True)
class FleetVerdictInputs(Inputs):
    """What a fleet came to, and how much of it may fail."""

    counts: Mapping[str, Any] = prop("how many members there are, by where they stand")
    failed: tuple[str, ...] = prop("the members that are not as they are to be, and why", default=())
    max_failures: str = prop(
        "how many members may fail, as a number or a share", default="0", judge=_is_share
    )
