"""Prints values, and the tree of what became of them, as `pulumi preview --diff` does.

Source: `pkg/backend/display/object_diff.go` of Pulumi 3.260.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

import yaml
from rich.text import Text

from backend.values import SECRET_TEXT, UNKNOWN_TEXT, Reference, Secret, Unknown, equal
from engine.property_changes import Change, compare

Key = str | int
_CONTEXT = 2  # unchanged lines shown around a changed one
_STYLES = {"add": "green", "delete": "red", "update": "yellow"}
_MARKS = {"add": "+ ", "delete": "- ", "update": "~ ", "same": "  "}
_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def is_interesting(value: Any) -> bool:
    """Whether an unchanged value is worth a line: nulls and what is empty aren't."""
    return value is not None and not (isinstance(value, str | list | dict) and not value)


Title = Callable[["Printer"], None]


@dataclass(frozen=True)
class Printer:
    """Appends values and changes to a text, four spaces a level; with `mark`, `+`, `-` or `~` before a line's name."""

    out: Text
    indent: int
    kind: str = "same"
    mark: bool = False

    def map(self, props: Mapping[str, Any]) -> None:
        """All entries but the internal ones, names aligned."""
        width = widest(props)
        for key in sorted(props):
            if not key.startswith("__"):
                self.entry(key, width, props[key])

    def entry(self, key: str, width: int, value: Any) -> None:
        """One entry of a map."""
        named(key, width)(self)
        self._value(value)
        self._write("\n")

    def change(self, change: Change, include: Iterable[str] = ()) -> None:
        """What became of a map's entries; only of those to `include`, if any are named."""
        entries = change.entries or {}
        only = set(include) or {str(key) for key in entries}
        keys = [str(key) for key in entries if str(key) in only]
        for key in sorted(keys):
            self.entry_change(key, widest(keys), entries[key])

    def entry_change(self, key: str, width: int, change: Change) -> None:
        """What became of one entry of a map."""
        if change.kind != "same":
            self._changed(change, named(key, width))
        elif is_interesting(change.new):
            replace(self, kind="same", mark=False).entry(key, width, change.new)

    def start(self, text: str) -> None:
        """Begin a line."""
        space = "    " * self.indent
        self._write((space[:-2] + _MARKS[self.kind] if self.mark and space else space) + text)

    def _changed(self, change: Change, title: Title) -> None:
        to = replace(self, kind=change.kind, mark=True)
        if change.kind != "update":
            title(to)
            to._value(change.new if change.kind == "add" else change.old)
            to._write("\n")
        elif change.entries is not None:
            title(to)
            to._changed_entries(change.entries)
        else:
            to._changed_leaf(change.old, change.new, title)

    def _changed_entries(self, entries: Mapping[Key, Change]) -> None:
        as_list = any(isinstance(key, int) for key in entries)
        self._write("[\n" if as_list else "{\n")
        if as_list:
            for index, change in sorted(entries.items()):
                each = replace(self, indent=self.indent + 2)
                if change.kind == "same":
                    plain = replace(each, kind="same", mark=False)
                    _item(index)(plain)
                    plain._value(change.new)
                    plain._write("\n")
                else:
                    each._changed(change, _item(index))
        else:
            replace(self, indent=self.indent + 1).change(Change("update", entries=dict(entries)))
        replace(self, mark=False).start("]\n" if as_list else "}\n")

    def _changed_leaf(self, old: Any, new: Any, title: Title) -> None:
        was, is_ = is_interesting(old), is_interesting(new)
        if (
            was
            and is_
            and not isinstance(old, dict | list | Reference)
            and not isinstance(new, dict | list | Reference)
        ):
            title(self)
            if isinstance(old, str) and isinstance(new, str):
                self._changed_text(old, new)
                return
            replace(self, kind="delete")._value(old)
            self._write(" => ")
            replace(self, kind="add")._value(new)
            self._write("\n")
            return
        for there, kind, value in ((was, "delete", old), (is_, "add", new)):
            if there:
                to = replace(self, kind=kind)
                title(to)
                to._value(value)
                to._write("\n")

    def _changed_text(self, old: str, new: str) -> None:
        before, after = decoded(old), decoded(new)
        if before and after:
            if equal(before[1], after[1]):
                self._changed_text(quoted(old), quoted(new))
                return
            kinds = before[0] if before[0] == after[0] else f"{before[0]} => {after[0]}"
            self._write(f"({kinds}) ")
            change = compare(before[1], after[1])
            if change:
                self._changed(change, lambda _: None)
            else:
                replace(self, kind="same")._value(before[1])
                self._write("\n")
        elif "\n" not in old + new:
            replace(self, kind="delete")._write(quoted(old))
            self._write(" => ")
            replace(self, kind="add")._write(quoted(new) + "\n")
        else:
            self._write("\n")
            replace(self, indent=self.indent + 2)._changed_lines(old.split("\n"), new.split("\n"))

    def _changed_lines(self, old: list[str], new: list[str]) -> None:
        plain = replace(self, kind="same", mark=False)
        parts = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        for place, (what, start, end, from_, to) in enumerate(parts):
            if what == "equal":
                lines = [line for line in old[start:end] if line.strip()]
                head = lines[:_CONTEXT] if place else []
                tail = lines[-_CONTEXT:] if place < len(parts) - 1 else []
                if len(lines) > len(head) + len(tail) + 1:
                    lines = [*head, "...", *tail]
                for line in lines:
                    plain.start(line + "\n")
                continue
            for kind, lines in (("delete", old[start:end]), ("add", new[from_:to])):
                for line in filter(str.strip, lines):
                    replace(self, kind=kind).start(line + "\n")

    def _value(self, value: Any) -> None:
        if isinstance(value, dict | Reference):
            self._map(value)
        elif isinstance(value, list):
            self._write("[\n" if value else "[]")
            for index, each in enumerate(value):
                self.start(f"    [{index}]: ")
                inner = replace(self, indent=self.indent + 1)
                inner._value(each)
                inner._write("\n")
            if value:
                replace(self, mark=False).start("]")
        elif isinstance(value, str) and (content := decoded(value)):
            self._write(f"({content[0]}) ")
            self._value(content[1])
            self._write("\n")
        else:
            self._write(scalar(value))

    def _map(self, value: dict[str, Any] | Reference) -> None:
        if value == {}:
            self._write("{}")
            return
        self._write("{\n")
        inner = replace(self, indent=self.indent + 1)
        if isinstance(value, Reference):
            shown = {"URN": value.urn, "ID": value.id, "PackageVersion": value.version}
            for key, each in shown.items():
                inner.entry(key, 3, each)
        else:
            inner.map(value)
        replace(self, mark=False).start("}")

    def _write(self, text: str) -> None:
        self.out.append(text, _STYLES.get(self.kind, ""))


def named(key: str, width: int) -> Title:
    """A map's entry's name."""
    return lambda to: to.start(f"{key.ljust(width)}: ")


def _item(index: Key) -> Title:
    return lambda to: replace(to, indent=to.indent - 1).start(f"[{index}]: ")


def widest(keys: Iterable[str]) -> int:
    """The width to which names are aligned: that of the longest, in bytes, as the CLI reckons."""
    return max((len(key.encode()) for key in keys), default=0)


def scalar(value: Any) -> str:
    """A value that has no parts, as Go prints it."""
    if value is None:
        return "<null>"
    if isinstance(value, Secret):
        return SECRET_TEXT
    if isinstance(value, Unknown):
        return UNKNOWN_TEXT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int) or value == math.trunc(value if math.isfinite(value) else 0):
        return f"{value:.0f}" if isinstance(value, float) else str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    digits = Decimal(repr(value))
    if -5 < digits.adjusted() < 6:
        return f"{digits:f}"
    mantissa = digits.scaleb(-digits.adjusted()).normalize()
    return f"{mantissa:f}e{'-' if digits.adjusted() < 0 else '+'}{abs(digits.adjusted()):02d}"


def quoted(text: str) -> str:
    """A text in quotes, as Go's `%q` has it."""
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escaped(c)) for c in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def decoded(text: str) -> tuple[str, Any] | None:
    """What a text that is a JSON or (of several lines) a YAML map or list holds: its format and its content."""
    text = text.strip()
    try:
        if text[:1] in ("{", "["):
            return "json", json.loads(text)
    except ValueError:
        pass
    try:
        if "\n" in text and isinstance(content := yaml.safe_load(text), dict | list):
            return "yaml", content
    except yaml.YAMLError:
        pass
    return None
