"""Steps to carry out, what the program wants of a resource, and small decisions that both rest on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from backend.checkpoint import State
from backend.urns import urn_name
from backend.values import Props, Secret, masked
from engine.events import Step
from engine.property_changes import Diff, to_show


@dataclass
class Goal:
    """What the program wants of a resource, beside the state itself."""

    state: State
    aliases: list[str] = field(default_factory=list)
    delete_before_replace: bool | None = None


@dataclass
class Action:
    """One step to carry out."""

    op: str
    old: State | None
    new: State | None
    diff: Diff | None = None
    keys: list[str] = field(default_factory=list)
    cause: str = ""
    pending_delete: bool = False
    """A replacement whose old resource is deleted at the end (or that has already been deleted: False)."""
    logical: bool = True
    """Whether the step counts in the summary."""
    skipped: bool = False
    """Nothing is done, since the resource isn't targeted: it isn't created, or it is left alone."""
    unmanaged: bool = False
    """Kept as it is because it isn't targeted."""

    @property
    def state(self) -> State:
        """The state the step is about."""
        state = self.new or self.old
        assert state is not None
        return state

    @property
    def before(self) -> State:
        """The old state, of a step that has one."""
        assert self.old is not None
        return self.old

    @property
    def after(self) -> State:
        """The new state, of a step that has one."""
        assert self.new is not None
        return self.new


def dependents(states: list[State], root: State, ignore: Iterable[str]) -> list[State]:
    """All that depends on `root`, directly or not, in the order of the state; children alone don't."""
    ignored = set(ignore)
    found: list[State] = []
    urns = {root.urn}
    for state in states[states.index(root) + 1 :]:
        if state.urn not in ignored and state.needs() & urns:
            found.append(state)
            urns.add(state.urn)
    return found


def delete_order(actions: list[Action], states: list[State]) -> list[list[Action]]:
    """The deletions of some of `states` in waves: no resource before those that depend on it."""
    by_state = {action.state: action for action in actions}
    order: TopologicalSorter[State] = TopologicalSorter()
    before: dict[str, list[State]] = {}
    for state in filter(by_state.__contains__, states):
        order.add(state, *(below for urn in state.depends_on() for below in before.get(urn, ())))
        before.setdefault(state.urn, []).append(state)
    order.prepare()
    waves: list[list[Action]] = []
    while ready := order.get_ready():
        waves.append([by_state[state] for state in ready])
        order.done(*ready)
    return waves[::-1]


def keep_secrets(state: State) -> None:
    """Outputs that the program wants secret, or whose inputs are, are secret."""
    for key, value in state.outputs.items():
        wanted = key != "id" and key in state.additional_secret_outputs
        if (wanted or isinstance(state.inputs.get(key), Secret)) and not isinstance(value, Secret):
            state.outputs[key] = Secret(value)


def because(keys: list[str]) -> str:
    """Why a resource changes."""
    return f"changed: {', '.join(keys)}" if keys else ""


def check_failure(state: State, name: str, reason: str) -> str:
    """What a provider finds wrong with a resource, in the CLI's words."""
    what = f"{state.type} resource '{urn_name(state.urn)}'"
    if not name:
        return f"{what} has a problem: {reason}"
    return f"{what}: property {name} value {masked(state.inputs.get(name))} has a problem: {reason}"


def describe(action: Action) -> Step:
    """The step as the listener sees it."""
    state, old, new = action.state, action.old, action.new
    shown = []
    if action.op != "same":
        shown = to_show(action.diff, old, new, outputs=action.op == "refresh")
    changed = [each.path for each in shown] if action.op == "update" else []
    return Step(
        op=action.op,
        urn=state.urn,
        type=state.type,
        name=urn_name(state.urn),
        old=_shown(old.inputs) if old else None,
        new=_shown(new.inputs) if new else None,
        diff=shown,
        replace_keys=list(action.keys),
        cause=action.cause or because(changed),
        custom=state.custom,
        parent=state.parent,
        before=old,
        after=new,
        compared=action.diff,
    )


def _shown(props: Props) -> Props:
    shown: Props = masked({k: v for k, v in props.items() if not k.startswith("__")})
    return shown
