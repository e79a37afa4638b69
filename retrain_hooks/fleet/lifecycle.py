"""The fleet: N endpoints of one web service, each with a model of its own, driven by one resource.

It never fails for a member. The verdict after it (``verdict.py``) does, where more have failed than are declared to.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from clients.errors import ConfigurationError, RetrainError, UpdateCancelled
from retrain_hooks.experiments.published import is_own_code
from retrain_hooks.fleet.inputs import FleetInputs
from retrain_hooks.fleet.members.sources import Found, verify, write_slices
from retrain_hooks.fleet.planning.plan import Plan, Planner
from retrain_hooks.fleet.planning.planned import planned
from retrain_hooks.fleet.planning.wishes import Wish
from retrain_hooks.fleet.records import Standing
from retrain_hooks.fleet.scheduling.scheduler import Report, Scheduler
from retrain_hooks.fleet.working.bake import watch
from retrain_hooks.fleet.working.packing import Packer
from retrain_hooks.fleet.working.quiet import quietly
from retrain_hooks.fleet.working.retiring import Retirer
from retrain_hooks.fleet.working.work import Worker
from retrain_hooks.gate.settling import settled
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.registry.run_key import digest

# The environment variable by which each member's part of the plan is told.
EACH_MEMBER = "RETRAIN_FLEET_MEMBERS"
_READERS = 8
_SHOWN = 20


class FleetLifecycle:
    """Finds the members, says what would be done to each, and does it (inputs: FleetInputs).

    Outputs: ``counts``, ``failed`` and ``addresses``.
    """

    inputs = FleetInputs

    def __init__(self, context: Context) -> None:
        self._context = context
        self._quiet = quietly(context)

    def check(self, new: Props, old: Props) -> Props:
        """Add ``fleet``, ``found``, ``plan`` and ``planKey``. Never writes.

        Raises ConfigurationError where nobody is a member, for a table without the column, and for a plan that was not
        expected.
        """
        wanted = FleetInputs.parse(new)
        if not known(
            wanted.target, wanted.members, wanted.path, wanted.version, wanted.gate, wanted.parameters
        ):
            return new
        _refuse_what_cannot_be_shared(wanted)
        settled(wanted.gate, wanted.source, holdout=bool(wanted.holdout))
        wanted, plan, found = self._plan(wanted, old)
        self._tell(plan, found)
        if wanted.expect and not plan.key.startswith(wanted.expect) and plan.key:
            raise ConfigurationError(
                f"the fleet's plan is {plan.key}, not the expected {wanted.expect}",
                "look at ./dev preview for what changed, and approve the plan that it shows",
            )
        said = replace(
            wanted,
            found=found.digest,
            plan=tuple(plan.lines),
            plan_key=plan.key,
            leaves=tuple(_screen(plan.leavers)),
            stuck=tuple(_screen(_told({each.member: each.why for each in plan.stuck}))),
            stands=_stands(plan.standings, plan.wishes),
        )
        return {**new, **{name: value for name, value in said.props().items() if name in _SAID}}

    def _tell(self, plan: Plan, found: Found) -> None:
        """What there is to know of a plan; each member's part of it where that is asked for."""
        lines = [*found.notes, *plan.lines, *_screen(_told({each.member: each.why for each in plan.stuck}))]
        if os.environ.get(EACH_MEMBER):
            lines = [*found.notes, *plan.lines, *(str(change) for change in plan.changes)]
        for line in lines:
            self._context.progress.info(f"fleet: {line}")
        if plan.key:
            self._context.progress.info(f"fleet: the plan is {plan.key[:12]}")

    def _plan(
        self, wanted: FleetInputs, old: Props, *, addresses: bool = True
    ) -> tuple[FleetInputs, Plan, Found]:
        before = FleetInputs.parse(old, recorded=True) if old else None
        here = before is not None and not wanted.moved(before)
        wanted = replace(wanted, fleet=before.fleet if before and here and before.fleet else wanted.id)
        plan, found = planned(self._quiet, wanted, addresses=addresses)
        return wanted, plan, found

    def diff(self, old: Props, new: Props) -> Diff:
        """Something to do is a change, and so is what an interrupted update did and could not say; another web service is
        another fleet.
        """
        before, now = FleetInputs.parse(old, recorded=True), FleetInputs.parse(new, recorded=True)
        replaces = now.moved(before)
        said = (before.stuck, before.stands) != (now.stuck, now.stands)
        return Diff(bool(replaces) or bool(now.plan_key) or said, replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Carry out the plan."""
        wanted = FleetInputs.parse(new)
        return f"{wanted.service.id}/fleets/{wanted.id}", self._carry_out(new, {})

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Carry out the plan."""
        return self._carry_out(new, old)

    def _carry_out(self, new: Props, old: Props) -> Props:
        declared = FleetInputs.parse(new)
        wanted, plan, found = self._plan(declared, old, addresses=False)
        if declared.found and declared.found != found.digest:
            raise ConfigurationError(
                "the members of the fleet, or their data, have changed since this update was planned",
                "run ./dev preview to see what it would do, then run the update again",
            )
        worker = Worker(self._quiet, wanted)
        packer = Packer(self._quiet, wanted, self._context.progress) if wanted.shared else None
        due = [plan.wishes[change.member] for change in plan.due]
        unread = self._read_data(wanted, due)

        def work(wish: Wish) -> str:
            return unread.get(wish.name) or worker.carry_out(wish).error

        def bind(wishes: Sequence[Wish]) -> dict[str, str]:
            return packer.bind(wishes) if packer is not None and wishes else {}

        def bake(wishes: Sequence[Wish]) -> dict[str, str]:
            return watch(self._quiet, wanted, wishes)

        schedule = wanted.schedule
        numbers = {"members": len(plan.wishes), "already": len(plan.stuck)}
        mended = self._each(worker.restore, plan.deviating) | self._retire(wanted, plan.in_the_way)
        report = Scheduler(self._context, schedule, work, bind, bake, **numbers).run(due)
        leavers = [] if report.why else plan.leavers
        unbound = packer.bind(without=leavers) if packer is not None else {}
        mended |= unbound or self._retire(wanted, leavers)
        report.failed.update(mended)
        return self._outputs(new, wanted, plan, report)

    def _read_data(self, wanted: FleetInputs, due: Sequence[Wish]) -> dict[str, str]:
        """Read once what members are trained from and judged on, and cut tables into their slices; why some can't be read."""
        read = [one for wish in due for one in (wish.member, wish.held_out) if one is not None]
        write_slices(self._quiet, wanted.target, read)
        return verify(self._quiet, wanted.target, read)

    def _retire(self, wanted: FleetInputs, leavers: Sequence[str]) -> dict[str, str]:
        retirer = Retirer(self._quiet, wanted)

        def retire(name: str) -> str:
            try:
                retirer.retire(name)
            except UpdateCancelled:
                raise
            except RetrainError as error:
                return error.cause
            return ""

        return {f"{name} (leaves)": error for name, error in self._each(retire, leavers).items()}

    @staticmethod
    def _each(do: Callable[[str], str], names: Sequence[str]) -> dict[str, str]:
        """Do it for all members *names*; what went wrong, by name."""
        with ThreadPoolExecutor(_READERS, "fleet") as pool:
            came_to = dict(zip(names, pool.map(do, names), strict=True))
        return {name: error for name, error in came_to.items() if error}

    def _outputs(self, new: Props, wanted: FleetInputs, plan: Plan, report: Report) -> Props:
        """What came of all members, by their records. A member that stays as it is without its model is *stuck*."""
        standings = Planner(self._quiet, wanted).standings()
        wishes = plan.wishes
        ended = {
            name: one.error for name, one in standings.items() if name in wishes and one.state == "failed"
        }
        stuck = ended | {change.member: change.why for change in plan.stuck}
        states = Counter(one.state for name, one in standings.items() if name in wishes and name not in stuck)
        failed = report.failed | stuck
        urls = {name: one.url for name, one in standings.items() if one.url and name in wishes}
        return {
            **new,
            "fleet": wanted.fleet,
            "counts": {"members": len(wishes), **dict(sorted(states.items())), "failed": len(failed)},
            "failed": _screen([*filter(None, [report.why]), *_told(failed)]),
            "stuck": _screen(_told(stuck)),
            "stands": _stands(standings, wishes),
            "leaves": [],
            "addresses": json.dumps(urls, sort_keys=True),
        }

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded fleet; what its members serve now is found by ``check``."""
        return old, {name: value for name, value in old.items() if name not in ("counts", "addresses")}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing: what the members have is its roster's to delete."""


def _refuse_what_cannot_be_shared(wanted: FleetInputs) -> None:
    """Raise ConfigurationError for what members that share an endpoint can't have."""
    if not wanted.shared:
        return
    if wanted.holdout:
        raise ConfigurationError(
            "holdoutDataVersion: members that share an endpoint of Azure ML v2 are judged by what their runs measured",
            "leave out holdoutDataVersion, or set `kind` to classic or new",
        )
    if is_own_code(wanted.source):
        raise ConfigurationError(
            f"the experiment {wanted.source!r} is own code, whose scoring script serves one model, and members share a deployment",
            "name an experiment that is a graph, or declare an Endpoint for each member",
        )


_SAID = ("fleet", "found", "plan", "planKey", "leaves", "stuck", "stands")


def _stands(standings: Mapping[str, Standing], wishes: Mapping[str, Wish]) -> str:
    """The digest of what an update says of its members: where each is, and where it answers."""
    told = [[name, one.state, one.url] for name, one in sorted(standings.items()) if name in wishes]
    return digest(told)[:16]


def _told(failed: Mapping[str, str]) -> list[str]:
    return [f"{name}: {why}" for name, why in sorted(failed.items())]


def _screen(lines: Sequence[str]) -> list[str]:
    """As many lines as one screen has."""
    more = [f"and {len(lines) - _SHOWN:,} more: see ./dev fleet status"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]
