"""YAML files read field by field, each with its line: what is not known is refused, never ignored."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from clients.errors import ExperimentInvalid
from clients.names import nearest, shown

Scalar = str | int | float | bool

_READ = {
    "tag:yaml.org,2002:bool": "bool",
    "tag:yaml.org,2002:int": "int",
    "tag:yaml.org,2002:float": "float",
    "tag:yaml.org,2002:null": "null",
}
_BOUNDLESS = 2**53


@dataclass(frozen=True)
class Value:
    """A value of a file, and where it is written."""

    node: yaml.Node = field(repr=False)
    loader: yaml.SafeLoader = field(repr=False)
    file: str
    name: str

    @property
    def place(self) -> str:
        """File and line, such as ``experiments/wine/job.yml:12``."""
        return f"{self.file}:{self.node.start_mark.line + 1}"

    @property
    def read(self) -> str:
        """What YAML reads: null, bool, int, float, str, list or mapping."""
        if isinstance(self.node, yaml.ScalarNode):
            return _READ.get(self.node.tag, "str")
        return "list" if isinstance(self.node, yaml.SequenceNode) else "mapping"

    def invalid(self, what: str, *, remedy: str) -> ExperimentInvalid:
        """That something is wrong here."""
        return ExperimentInvalid(f"{self.place}: {what}", remedy)

    def wrong(self, wanted: str) -> ExperimentInvalid:
        """That the value is not what is wanted."""
        return self.invalid(f"`{self.name}` is not {wanted}", remedy=f"write {wanted}")

    def text(self, wanted: str = "a text") -> str:
        """A text, or what a number or truth value is written as. Raises ExperimentInvalid where it is empty or a list."""
        if not isinstance(self.node, yaml.ScalarNode) or self.read == "null" or not self.node.value.strip():
            raise self.wrong(wanted)
        return str(self.node.value).strip()

    def choice(self, among: Collection[str]) -> str:
        """One of these words, in whatever case."""
        found = {each.casefold(): each for each in among}.get(self.text().casefold())
        if found is None:
            raise self.wrong("one of " + ", ".join(among))
        return found

    def integer(self, least: int = 0, most: int = _BOUNDLESS) -> int:
        """A whole number in a range."""
        wanted = f"a whole number of at least {least}" + (
            f" and at most {most}" if most != _BOUNDLESS else ""
        )
        found = self.scalar() if self.read == "int" else None
        if not isinstance(found, int) or not least <= found <= most:
            raise self.wrong(wanted)
        return found

    def boolean(self) -> bool:
        """True or false."""
        if self.read != "bool":
            raise self.wrong("true or false")
        return bool(self.scalar())

    def scalar(self) -> Scalar:
        """A text, a finite number or a truth value."""
        wanted = "a text, a number or a truth value"
        if not isinstance(self.node, yaml.ScalarNode) or self.read == "null":
            raise self.wrong(wanted)
        try:
            found = getattr(self.loader, f"construct_yaml_{self.read}")(self.node)
        except ValueError:
            raise self.wrong(wanted) from None
        if isinstance(found, float) and not math.isfinite(found):
            raise self.wrong(wanted)
        return found  # type: ignore[no-any-return]

    def items(self) -> list[Value]:
        """The values of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("a list")
        return [Value(each, self.loader, self.file, self.name) for each in self.node.value]

    def fields(self) -> Fields:
        """The fields of a mapping."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong("a mapping of fields")
        self.loader.flatten_mapping(self.node)
        found: dict[str, Value] = {}
        for key, node in self.node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.wrong("a mapping of fields")
            found[str(key.value)] = Value(node, self.loader, self.file, str(key.value))
        return Fields(self, found)

    def texts(self) -> dict[str, str]:
        """A mapping of names to texts; numbers and truth values as they are written."""
        return {name: value.written() for name, value in self.fields()}

    def written(self) -> str:
        """A text as it is written, which may be empty."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wrong("a text")
        return "" if self.read == "null" else str(self.node.value)


@dataclass(frozen=True)
class Fields:
    """The fields of a mapping by name."""

    of: Value
    values: dict[str, Value]

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        return iter(self.values.items())

    def only(self, known: Collection[str], told: str = "is not supported") -> Fields:
        """Refuse fields that are not *known*. Raises ExperimentInvalid with the field's line and the nearest known one."""
        for name, value in self:
            if name not in known:
                raise value.invalid(
                    f"the field `{shown(name)}` {told}; {nearest(name, known)}",
                    remedy="leave it out, or write a field that there is",
                )
        return self

    def get(self, name: str) -> Value | None:
        """A field's value; None where it is not there, or null."""
        found = self.values.get(name)
        return None if found is None or found.read == "null" else found

    def need(self, name: str, what: str) -> Value:
        """A field that has to be there: *what* says what is written in it."""
        found = self.get(name)
        if found is None:
            raise self.of.invalid(f"`{name}` is missing", remedy=f"write `{name}: {what}`")
        return found

    def text(self, name: str) -> str:
        """A text; empty where it is not there."""
        found = self.get(name)
        return found.text() if found else ""

    def texts(self, name: str) -> dict[str, str]:
        """A mapping of texts; empty where it is not there."""
        found = self.get(name)
        return found.texts() if found else {}

    def integer(self, name: str, least: int = 0) -> int | None:
        """A whole number; None where it is not there."""
        found = self.get(name)
        return found.integer(least) if found else None

    def each(self, name: str, read: Callable[[str, Value], Any]) -> dict[str, Any]:
        """What *read* makes of each entry of a mapping, by name."""
        found = self.get(name)
        return {entry: read(entry, value) for entry, value in found.fields()} if found else {}


def read_yaml(path: Path, file: str) -> Value:
    """The mapping that a YAML file holds; *file* is what the file is called in messages.

    Raises ExperimentInvalid for what cannot be read, is not YAML, or is another value.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8-sig"))
        node = loader.get_single_node()
    except FileNotFoundError:
        raise ExperimentInvalid(f"there is no {file}", "create it: docs/own-code.md shows one") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark else file
        why = getattr(error, "problem", None) or str(error) or type(error).__name__
        raise ExperimentInvalid(f"{place}: this is not YAML: {why}", "correct the file") from None
    if not isinstance(node, yaml.MappingNode):
        raise ExperimentInvalid(f"{file} holds no fields", "correct the file")
    _refuse_repeated(node, file, set())
    return Value(node, loader, file, file)


def _refuse_repeated(node: yaml.Node, file: str, seen: set[int]) -> None:
    """Refuse a field that is there twice, of which YAML would take the last."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    names: set[str] = set()
    for entry in node.value:
        if isinstance(node, yaml.MappingNode):
            key, entry = entry
            if isinstance(key, yaml.ScalarNode):
                if key.value in names:
                    line = key.start_mark.line + 1
                    raise ExperimentInvalid(
                        f"{file}:{line}: `{shown(key.value)}` is there twice", "keep one of them"
                    )
                names.add(key.value)
        _refuse_repeated(entry, file, seen)
