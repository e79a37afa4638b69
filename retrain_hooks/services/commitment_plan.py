"""A commitment plan: without one nobody may create a New web service. Resource Manager, api-version 2016-05-01-preview."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clients.arm.resource_manager import ResourceManager
from clients.errors import Conflict
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.host.references import ResourceId
from retrain_hooks.ownership import things
from retrain_hooks.ownership.claims import Claims, OwnerRef, to_write
from retrain_hooks.registry.owners import Thing

_API_VERSION = "2016-05-01-preview"


@dataclass(frozen=True)
class CommitmentPlanInputs(Inputs):
    """The plan that New web services are billed to."""

    target: str = prop("name of the target", identity=True)
    group: ResourceId = prop("ARM id of the resource group that it is in", identity=True)
    location: str = prop("Azure region", identity=True)
    name: str = prop("its name; a default name once given stays", default="", identity=True)
    default_name: str = prop("the name that a new one gets where none is given", default="")
    sku: str = prop("its size", default="S1")
    owner: OwnerRef | None = prop("who owns it; filled in by the component", default=None)
    plan: str = prop("ARM id of the plan", default="", output=True)
    incarnation: str = prop("which create made it", default="", output=True)
    remark: str = prop("whom its mark names, where that is to be this owner", default="", output=True)

    @property
    def thing(self) -> Thing:
        """The plan as Resource Manager knows it."""
        return things.commitment_plan(self.group, self.name)


class CommitmentPlanLifecycle:
    """Creates a commitment plan in a resource group (inputs: CommitmentPlanInputs)."""

    inputs = CommitmentPlanInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add name and ARM id. Refuses what another owns: raises ConfigurationError."""
        wanted = CommitmentPlanInputs.parse(new)
        before = CommitmentPlanInputs.parse(old, recorded=True) if old else None
        if not wanted.name:
            wanted = replace(wanted, name=before.name if before and before.name else wanted.default_name)
        if not known(wanted.group, wanted.name, wanted.target):
            return wanted.props()
        here = before is not None and not wanted.moved(before)
        there = self._manager(wanted).find(wanted.thing.id) is not None
        remark = self._claims(wanted, before).refuse(wanted.thing, there=there, ours=here)
        return replace(
            wanted,
            plan=before.plan if before and here and before.plan else wanted.thing.id,
            remark=things.GONE if here and not there else remark,
        ).props()

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or place is another plan; another size is changed in place."""
        before, wanted = (
            CommitmentPlanInputs.parse(old, recorded=True),
            CommitmentPlanInputs.parse(new, recorded=True),
        )
        replaces = wanted.moved(before)
        changed = before.sku != wanted.sku or to_write(wanted.remark, before.incarnation)
        return Diff(bool(replaces) or changed, replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Create it; again: as it is."""
        wanted = CommitmentPlanInputs.parse(new)
        there = self._manager(wanted).find(wanted.thing.id) is not None
        incarnation = self._claims(wanted, None).take({wanted.thing: there})
        self._put(wanted)
        return wanted.thing.id, replace(
            wanted, plan=wanted.thing.id, incarnation=incarnation, remark=""
        ).props()

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Change its size, or move its mark alone."""
        before, wanted = (
            CommitmentPlanInputs.parse(old, recorded=True),
            CommitmentPlanInputs.parse(new, recorded=True),
        )
        incarnation = self._claims(wanted, before).take({wanted.thing: False}, before.incarnation)
        if before.sku != wanted.sku or self._manager(wanted).find(wanted.thing.id) is None:
            self._put(wanted)
        return replace(wanted, plan=id_, incarnation=incarnation, remark="").props()

    def _put(self, wanted: CommitmentPlanInputs) -> None:
        body = {"location": wanted.location, "sku": {"name": wanted.sku, "tier": "Standard", "capacity": 1}}
        self._context.guard.check()
        self._manager(wanted).put(wanted.thing.id, body, f"the commitment plan {wanted.name!r}")

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded plan with its present size, or None where it is gone."""
        found = self._manager(CommitmentPlanInputs.parse(old, recorded=True)).find(id_)
        if found is None:
            return None
        now = old | {"sku": (found.get("sku") or {}).get("name") or old["sku"]}
        return now, now

    def delete(self, id_: str, old: Props) -> None:
        """Delete it, unless it was taken over since; the services that it pays for go first."""
        recorded = CommitmentPlanInputs.parse(old, recorded=True)
        self._context.guard.check()
        claims = self._claims(recorded, None)
        if not claims.may_delete(recorded.thing, recorded.incarnation):
            self._context.progress.info(
                f"the commitment plan {recorded.name!r} stays: it was taken over since"
            )
            return
        what = f"the commitment plan {recorded.name!r}"
        try:
            self._manager(recorded).delete(id_, what)
        except Conflict as error:
            users = self._users(recorded, id_)
            if not users:
                raise
            raise Conflict(
                f"{what} pays for {' and '.join(users)}",
                "delete what it pays for, or move that to another plan, then run the update again",
                status=error.status,
                code=error.code,
                request_id=error.request_id,
            ) from None
        claims.release(recorded.thing, recorded.incarnation)

    def _users(self, recorded: CommitmentPlanInputs, id_: str) -> list[str]:
        """What the plan pays for: ARM ids."""
        paid = self._manager(recorded).list(f"{id_}/commitmentAssociations")
        return sorted(str(one["properties"]["associatedResourceId"]) for one in paid)

    def _manager(self, inputs: CommitmentPlanInputs) -> ResourceManager:
        return self._context.resource_manager(inputs.target, _API_VERSION)

    def _claims(self, inputs: CommitmentPlanInputs, before: CommitmentPlanInputs | None) -> Claims:
        return Claims(self._context, inputs.target, inputs.owner, before.owner if before else None)
