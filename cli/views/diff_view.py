"""A run as `pulumi … --diff` shows it: each changed resource with its properties as a tree, old => new, and its outputs.

Source: `pkg/backend/display/diff.go` and `object_diff.go` of Pulumi 3.260.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rich.text import Text

from backend.urns import is_stack, split_reference, urn_name
from backend.values import UNKNOWN_WIRE, Unknown
from cli.views.operations import PAST, SYMBOLS
from cli.views.property_tree import Printer, is_interesting, quoted, widest
from engine.property_changes import Change, compare, of_details

if TYPE_CHECKING:
    from engine.events import Result, Step

# What an operation is for the colours and marks of properties.
_KINDS: dict[str, Literal["add", "delete", "update"]] = {
    **dict.fromkeys(("create", "create-replacement"), "add"),
    **dict.fromkeys(("delete", "delete-replaced", "discard", "discard-replaced"), "delete"),
    **dict.fromkeys(("update", "replace", "refresh", "remove-pending-replace"), "update"),
}
_UNCOUNTED = {"same", "read", "discard", "read-replacement"}
_HIDDEN = {
    "create-replacement",
    "delete-replaced",
    "read-replacement",
    "discard-replaced",
    "remove-pending-replace",
}
_RETAINED = {"delete", "replace", "create-replacement", "delete-replaced"}


@dataclass
class DiffView:
    """What to print for each event of a run; `verb` is preview, up, refresh or destroy, of which a `preview` may be shown."""

    verb: str
    stack: str
    preview: bool = False
    seen: dict[str, Step] = field(default_factory=dict)
    refreshed: set[str] = field(default_factory=set)
    begun: dict[str, Text] = field(default_factory=dict)
    failures: int = 0

    def started(self, step: Step) -> None:
        """A step begins: what it changes is kept until it has ended, since others end in the meantime."""
        self.seen[step.urn] = step
        if step.op == "refresh":
            self.refreshed.add(step.urn)
            return
        self.refreshed.discard(step.urn)
        if _is_shown(step, step.op):
            self.begun[step.urn] = self._step(step)

    def failed(self, step: Step) -> Text:
        """A step has failed: what it was to change."""
        self.failures += 1
        return self.begun.pop(step.urn, Text())

    def finished(self, step: Step) -> Text:
        """A step has ended: what it changed, its outputs, and what a refresh found."""
        text = self.begun.pop(step.urn, Text())
        refresh = step.urn in self.refreshed
        op = step.op
        if refresh:
            op = "refresh" if self.verb != "refresh" else "same" if op == "refresh" else op
        if not (step.custom or refresh or op == "delete" or self.preview) or not _is_shown(step, op):
            return text
        if refresh and op == "update":
            return self._step(step, refresh=True)
        return text.append_text(self._outputs(step, op, refresh=refresh))

    def outputs_set(self, step: Step) -> Text:
        """A component or the stack has its outputs."""
        return self._outputs(step, step.op) if _is_shown(step, step.op) else Text()

    def summary(self, result: Result) -> Text:
        """How many resources were changed in which way."""
        text = Text("Resources:\n", style="")
        counts = {op: count for op, count in result.changes.items() if count and op not in _UNCOUNTED}
        for op, (mark, style) in SYMBOLS.items():
            if op in counts:
                done = f"to {op}" if result.preview else PAST[op]
                text.append(f"    {mark}{counts[op]} {done}\n", style)
        total = sum(counts.values())
        pieces = [f"{total} change{'s' if total > 1 else ''}"] if len(counts) > 1 else []
        if same := result.changes.get("same"):
            pieces.append(f"{same} unchanged")
        if pieces:
            text.append(f"    {'. '.join(pieces)}\n")
        if self.failures:
            text.append(f"    {self.failures} errored\n", "red")
        if not result.preview:
            text.append(f"\nDuration: {_duration(math.ceil(result.duration))}\n")
        return text

    def _indent(self, step: Step) -> int:
        indent, parent = 0, self.seen.get(step.parent)
        while parent is not None:
            indent += _is_shown(parent, parent.op)
            parent = self.seen.get(parent.parent)
        return indent

    def _step(self, step: Step, *, refresh: bool = False) -> Text:
        text = Text()
        self._head(text, step, step.op)
        if step.op != "same":
            _properties(
                Printer(text, self._indent(step) + 1, _KINDS.get(step.op, "same")), step, refresh=refresh
            )
        return text

    def _head(self, text: Text, step: Step, op: str) -> None:
        """The lines before the properties: operation, id, URN, provider."""
        old, new = step.before, step.after
        mark, kind = SYMBOLS[op][0], _KINDS.get(op, "same")
        indent = self._indent(step)
        locked = (old is not None and old.protect, new is not None and new.protect)
        lock = " 🔓" if locked == (True, False) and new else " 🔒" if any(locked) else ""
        retained = "[retain]" if old is not None and old.retain_on_delete and op in _RETAINED else ""
        Printer(text, indent, kind).start(f"{mark}{step.type}: ({op}{retained}){lock}\n")
        plain = Printer(
            text, indent + 1, kind if op in ("create", "delete", "delete-replaced", "discard") else "same"
        )
        if old is not None and old.id:
            plain.start(f"[id={old.id}]\n")
        plain.start(f"[urn={quoted(step.urn)[1:-1]}]\n".replace("\\\\", "\\").replace('\\"', '"'))
        state = new or old
        provider = state.provider if state is not None else ""
        if not provider or not step.custom:
            return
        if old is not None and new is not None and old.provider != new.provider:
            urn, id_ = split_reference(new.provider)
            now = f"{urn}::[unknown]" if id_ == UNKNOWN_WIRE else new.provider
            Printer(text, indent + 1, "update").start(f"[provider: {old.provider} => {now}]\n")
        elif urn_name(split_reference(provider)[0]) != "default":
            plain.start(f"[provider={provider}]\n")

    def _outputs(self, step: Step, op: str, *, refresh: bool = False) -> Text:
        text, shown = Text(), Text()
        printer = Printer(shown, self._indent(step) + 1, _KINDS.get(op, "same"))
        if not self.preview or refresh or op in ("read", "read-replacement") or is_stack(step.urn):
            _outputs(printer, step, preview=self.preview, refresh=refresh)
        if refresh and (op != "refresh" or shown or is_stack(step.urn)):
            self._head(text, step, op)
        if shown:
            Printer(text, printer.indent, printer.kind).start("--outputs:--\n")
        return text.append_text(shown)


def _is_shown(step: Step, op: str) -> bool:
    if is_stack(step.urn):
        return True
    if op == "same":
        return (
            step.before is not None and step.after is not None and step.before.protect != step.after.protect
        )
    return op not in _HIDDEN


def _properties(to: Printer, step: Step, *, refresh: bool) -> None:
    old, new, diff = step.before, step.after, step.compared
    if old is None or new is None:
        state = new or old
        if state is not None:
            to.map(state.outputs if new is not None and new.outputs else state.inputs)
        return
    marked = Printer(to.out, to.indent, mark=True)
    if diff is not None and diff.details is not None:
        listed = of_details(
            diff.details,
            lambda d: (
                old.inputs if d.input else old.outputs,
                new.outputs if refresh and not d.input else new.inputs,
            ),
        )
        if diff.details:
            marked.change(listed)
        else:
            marked.map(old.inputs)
        return
    before, after = (old.outputs, new.outputs) if new.outputs else (old.inputs, new.inputs)
    if change := compare(before, after):
        marked.change(change, include=diff.changed_keys if diff and not new.outputs else ())
    else:
        marked.map(after)


def _outputs(to: Printer, step: Step, *, preview: bool, refresh: bool) -> None:
    """What differs from the inputs, or where there was an old state from the old outputs."""
    old, new = step.before, step.after
    root = is_stack(step.urn)
    if old is not None and old.init_errors:
        return
    inputs, outputs = (new.inputs, new.outputs) if new is not None else ({}, {})
    change = compare(old.outputs, outputs) if old is not None else None
    if preview and root and change is not None:
        _drop_unknown(change)
    if old is not None and change is None and (preview or not root):
        return
    entries: dict[str | int, Change] = (change.entries or {}) if change else {}
    keys = sorted(str(key) for key in entries) if change else sorted(outputs)
    for key in keys:
        if change is None and (key.startswith("__") or not is_interesting(outputs[key])):
            continue
        if key in inputs and not refresh and compare(outputs.get(key), inputs[key]) is None:
            continue
        if change is None:
            to.entry(key, widest(keys), outputs[key])
        elif entries[key].kind != "same" or (root and not preview):
            to.entry_change(key, widest(keys), entries[key])


def _drop_unknown(change: Change) -> None:
    """A preview doesn't say of the stack's outputs that they become unknown, nor of a resource among them that it is one."""
    entries = change.entries or {}
    resource = entries.pop("@isPulumiResource", None)
    for key, each in list(entries.items()):
        if resource and each.kind == "add" and isinstance(each.new, Unknown):
            del entries[key]
        elif each.kind == "update":
            _drop_unknown(each)
            if isinstance(each.new, Unknown):
                del entries[key]


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{seconds}s"
