"""What happens to a stack's names: renamed, aliased, declared twice, lost, protected; and that nothing is taken from others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import stamina

from clients.clock import SystemClock
from clients.storage import Container
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import in_use
from retrain_hooks.registry.retirement import Pruner, Wish
from tests.chaos import program
from tests.chaos.blobs import Blobs
from tests.chaos.engine import Changes, State
from tests.chaos.histories import RENAMED, Step, Strike, Update
from tests.chaos.late import Late
from tests.chaos.record import Stack
from tests.chaos.world import ACCOUNT

# What an alias may write: marks of owners and of bindings.
_MARKS = ("/owners/", "/bound/")
Seen = dict[str, tuple[str | None, tuple[str, ...]]]


class Moves(Blobs):
    """The moves of owners; a Player has the rest."""

    if TYPE_CHECKING:
        stacks: dict[str, Stack]
        places: dict[str, tuple[dict[str, str], str]]
        gate: program.Gate
        _faulty: bool
        _late: list[Late]

        def update(
            self, stack: Stack, strikes: tuple[Strike, ...] = (), boundary: int | None = None
        ) -> bool: ...
        def foresee(self, stack: Stack, config: program.Config) -> Changes | None: ...
        def endpoint(self, stack: Stack) -> dict[str, Any] | None: ...
        def bound(self, stack: Stack) -> str | None: ...
        def _settle(self) -> None: ...
        def _writes(self) -> Counter[str]: ...

    def config(self, stack: Stack, update: Update) -> program.Config:
        """What *update* declares of its stack."""
        return program.Config(
            update.version,
            force=update.force,
            gate=self.gate,
            component=stack.component,
            alias=stack.former,
        )

    # What others have

    def others(self, step: Step) -> Seen:
        """What the stacks have that *step* does not touch; nothing while faults or late requests would tell otherwise."""
        touched = {step.choice, *(update.stack for update in step.updates)}
        rest = [name for name in self.stacks if name not in touched]
        if not rest or self._faulty or not touched & set(self.stacks):
            return {}
        if not all(late.arrived for late in self._late):
            return {}
        self._settle()
        return {name: self._seen(self.stacks[name]) for name in rest}

    def unharmed(self, before: Seen, step: Step) -> None:
        """Whether what others had *before* is as it was."""
        if not before or self._faulty:
            return
        self.record.figures["stacks that others left alone"] += len(before)
        for name, seen in before.items():
            if (now := self._seen(self.stacks[name])) != seen:
                self.record.violate("taken", f"{step.kind} changed stack {name}: {seen} → {now}")

    def _seen(self, stack: Stack) -> tuple[str | None, tuple[str, ...]]:
        services = [each["outputs"].get("service") for each in stack.state.resources.values()]
        there = [service["id"] for service in services if service and self.world.exists(service)]
        return self.bound(stack), tuple(there)

    # Moves

    def _rename(self, step: Step) -> None:
        """Without an alias: refused, and nothing is written."""
        [update] = step.updates
        stack = self.stacks[update.stack]
        config = replace(self.config(stack, update), component="elsewhere", alias=None)
        self.record.figures["renamed without an alias"] += 1
        self._refused(stack, config, "a component renamed without an alias")

    def _protect(self, step: Step) -> None:
        """What replaces a protected endpoint, or the service under it, is refused before anything is written."""
        [update] = step.updates
        stack = self.stacks[update.stack]
        config = replace(self.config(stack, update), protect=True, change=step.choice)
        self.record.figures["replacements under a protected endpoint"] += 1
        known = self.endpoint(stack)
        moved = known and stack.config.change != step.choice
        if moved:
            self._refused(stack, config, f"another {step.choice} under a protected endpoint")

    def _refused(self, stack: Stack, config: program.Config, what: str) -> None:
        """An update looks ahead first: a preview that fails ends it before its first write (which is checked there)."""
        if self.endpoint(stack) and not stack.ending and self.foresee(stack, config) is not None:
            self.record.violate("taken", f"{what} was not refused")

    def _alias(self, step: Step) -> None:
        """With an alias: the marks move, and nothing else does."""
        [update] = step.updates
        stack = self.stacks[update.stack]
        quiet = self._quiet(stack, update)
        before = self._writes()
        stack.former, stack.component = stack.component, _other(stack.component)
        stack.config = self.config(stack, update)
        self.record.figures["renamed with an alias"] += 1
        done = self.update(stack, update.strikes, update.boundary)
        if not done and quiet and not self._faulty:
            done = self.update(stack)
        if quiet and done:
            extra = self._writes() - before
            if wrote := [line for line in extra if not any(mark in line for mark in _MARKS)]:
                self.record.violate("taken", f"an alias wrote {wrote}")

    def _checkout(self, step: Step) -> None:
        """Another checkout with a state of its own: refused; or asked to take over, without a job or a binding."""
        [update] = step.updates
        stack = self.stacks[update.stack]
        quiet = self._quiet(stack, update)
        if "claim" not in stack.state.resources or stack.taking_over:
            return
        first, reported, stack.reported = stack.state, stack.reported, None
        stack.state = State(first.path.with_suffix(".other.json"))
        self.record.figures["second checkouts"] += 1
        if self.foresee(stack, stack.config) is not None:
            self.record.violate("taken", "a second checkout was not refused")
        if step.choice == "refused" or not quiet:
            stack.state, stack.reported = first, reported
            return
        self.record.figures["second checkouts that took over"] += 1
        before = self._writes()
        stack.taking_over = True
        done = self.update(stack, update.strikes, update.boundary)
        if not done and not self._faulty:
            done = self.update(stack)
        if done:
            extra = self._writes() - before
            if wrote := [line for line in extra if "PATCH" in line or "/jobs" in line]:
                self.record.violate("taken", f"a checkout that took over trained or bound: {wrote}")
        if "claim" in stack.state.resources:
            self._is_refused(stack, first)

    def _is_refused(self, stack: Stack, state: State) -> None:
        """The checkout whose state it was has nothing any more."""
        there, stack.state, stack.taking_over = stack.state, state, False
        if self.foresee(stack, stack.config) is not None:
            self.record.violate("taken", "the checkout that was taken over from was not refused")
        stack.state = there

    def _respell(self, step: Step) -> None:
        """The workspace's id in other letters: it is the same workspace."""
        stack, now = self._now(step)
        places = stack.declared.workspaces
        spelt = tuple(
            place | {"resource": place["resource"].replace("resourceGroups", "resourcegroups")}
            for place in places
        )
        stack.declared = replace(stack.declared, workspaces=spelt)
        self.record.figures["ids respelt"] += 1
        self._same(stack, now, "an id spelt otherwise")
        stack.declared = replace(stack.declared, workspaces=places)

    def _tag(self, step: Step) -> None:
        """Somebody tags the workspace, who tries again where a fault hits it: nothing of ours changes."""
        stack, now = self._now(step)
        resource = stack.declared.workspaces[0]["resource"]
        for attempt in stamina.retry_context(on=httpx.HTTPError, attempts=20, wait_max=0.05):
            with attempt:
                found = self.world.arm("GET", resource, "2019-10-01")
                self.world.arm("PUT", resource, "2019-10-01", found | {"tags": {"somebody": "else"}})
        self.record.figures["tags from outside"] += 1
        self._same(stack, now, "a tag on the workspace")

    def _second(self, step: Step) -> None:
        """Two bindings of one endpoint, one deleted, then a prune: what is served stays."""
        [update] = step.updates
        stack = self.stacks[update.stack]
        stack.config = replace(self.config(stack, update), second=True)
        self.record.figures["second bindings"] += 1
        self.update(stack, update.strikes, update.boundary)
        if self._quiet(stack, update):
            self._prune()

    def _prune(self) -> None:
        """Retire all models but the newest that no marker names."""
        cloud = self.world.cloud()
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.world.key};"
            f"BlobEndpoint={cloud['azurite']};"
        )
        self._settle()
        registry = Container(connection, self.registry, "")
        pruner = Pruner(Ledger(registry), lambda: in_use(registry, lambda _marker: {}), SystemClock())
        self.record.figures["prunes"] += 1
        for run in pruner.carry_out(pruner.plan(Wish(1))):
            self.record.damaged.add(run.address)
        for stack in self.stacks.values():
            location = self.bound(stack)
            if location and self.world.download(self.registry, location.partition("/")[2]) is None:
                self.record.violate("taken", f"a prune retired what stack {stack.name} serves: {location}")

    # What is said

    def _quiet(self, stack: Stack, update: Update) -> bool:
        """Bring the stack to what *update* declares; whether nothing is left to do."""
        stack.config = self.config(stack, update)
        if self._faulty or not self.update(stack):
            return False
        return self.update(stack)

    def _now(self, step: Step) -> tuple[Stack, Changes | None]:
        [update] = step.updates
        stack = self.stacks[update.stack]
        stack.config = replace(self.config(stack, update), change=stack.config.change)
        return stack, self.foresee(stack, stack.config)

    def _same(self, stack: Stack, before: Changes | None, what: str) -> None:
        """Whether a preview says what it said *before*."""
        if before is None or self._faulty:
            return
        now = self.foresee(stack, stack.config)
        if now is None or now.operations != before.operations:
            told = now and now.operations
            self.record.violate("taken", f"{what} changed a preview: {before.operations} → {told}")


def _other(component: str) -> str:
    return "" if component else RENAMED
