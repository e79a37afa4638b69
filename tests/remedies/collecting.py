"""Every remedy that a user can be told, found in the source; and the tests that say they heal one.

A remedy is an argument called `remedy` (or `sign_in`), by name or by its place, its default, a
variable of that name, or what follows `remedy: ` in a text.
Placeholders are `{}`. What is only handed on (a parameter, another error's) is found where it is written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_TELLING = ("tests", "pages")  # a page shows what others say
ROOMS = tuple(
    sorted(file.parent.name for file in ROOT.glob("*/__init__.py") if file.parent.name not in _NOT_TELLING)
)
MARK = "remedy: "
_NAMES = ("remedy", "sign_in")


@dataclass(frozen=True, order=True)
class Remedy:
    """A remedy's *text*, and the file that says it, *at*."""

    at: str
    text: str

    def __str__(self) -> str:
        return f"{self.at}: {self.text}"


@dataclass
class _Module:
    path: Path
    tree: ast.Module
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    defs: dict[str, ast.AST] = field(default_factory=dict)
    methods: dict[str, ast.AST] = field(default_factory=dict)

    @property
    def at(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


class Source:
    """The shipped modules, as trees."""

    def __init__(self) -> None:
        files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
        self.modules = {_name(file): _module(file) for file in [ROOT / "__main__.py", *files]}
        self.unknown: list[str] = []

    def remedies(self) -> list[Remedy]:
        """All of them; what can't be read as a text is in *unknown* then."""
        found = {one for module in self.modules.values() for one in self._of(module)}
        return sorted(found)

    def _of(self, module: _Module) -> Iterator[Remedy]:
        for scope, node in scoped(module.tree):
            said: list[ast.expr] = []
            if isinstance(node, ast.Call):
                said += self.given(module, node)
                for function, answer in self._in_pairs(module, node):
                    yield from self.texts(module, function, answer)
            elif isinstance(node, ast.FunctionDef):
                said += _default(node)
            elif (isinstance(node, ast.AnnAssign) and _is_called_remedy(node.target) and node.value) or (
                isinstance(node, ast.Assign) and _is_called_remedy(node.targets[0])
            ):
                said.append(node.value)
            elif isinstance(node, ast.Constant | ast.JoinedStr) and MARK in (whole := text_of(node) or ""):
                text = whole.partition(MARK)[2]
                if text and not text.startswith("{}") and not _is_doc(whole):
                    yield Remedy(module.at, text)
            for expression in said:
                yield from self.texts(module, scope, expression)

    def given(self, module: _Module, call: ast.Call) -> list[ast.expr]:
        """What a call passes as a remedy."""
        by_name = [one.value for one in call.keywords if one.arg in _NAMES]
        if by_name:
            return by_name
        at = self.place(module, call.func)
        return [call.args[at]] if at is not None and at < len(call.args) else []

    def _in_pairs(self, module: _Module, call: ast.Call) -> Iterator[tuple[ast.AST, ast.expr]]:
        """What the functions that a call unpacks answer where a remedy is: `Error(*_told(…))`, and in which function."""
        stars = [(at, one.value) for at, one in enumerate(call.args) if isinstance(one, ast.Starred)]
        place = self.place(module, call.func) if stars else None
        if place is None or stars[0][0] > place:
            return
        position, value = stars[0]
        asked = [_called(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)]
        for function in (module.defs[name] for name in asked if name in module.defs):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                    yield function, node.value.elts[place - position]

    def place(self, module: _Module, called: ast.expr) -> int | None:
        """Where the function or class that is called takes its remedy."""
        if isinstance(called, ast.Name):
            return self._place_in(module, called.id)
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            owner = called.value.id
            if owner in ("self", "cls"):
                method = module.methods.get(called.attr)
                return _position(method) if isinstance(method, ast.FunctionDef) else None
            if owner in module.imports:
                package, name = module.imports[owner]
                other = self.modules.get(f"{package}.{name}") or self.modules.get(package)
                return self._place_in(other, called.attr) if other else None
        return None

    def _place_in(self, module: _Module, name: str) -> int | None:
        found = module.defs.get(name)
        if found is None and name in module.imports:
            package, original = module.imports[name]
            other = self.modules.get(package)
            return self._place_in(other, original) if other and other is not module else None
        if isinstance(found, ast.FunctionDef):
            return _position(found)
        if isinstance(found, ast.ClassDef):
            for own in found.body:
                if isinstance(own, ast.FunctionDef) and own.name == "__init__":
                    return _position(own)
            fields = [own for own in found.body if isinstance(own, ast.AnnAssign)]
            places = [i for i, own in enumerate(fields) if _is_called_remedy(own.target)]
            inherited = (self.place(module, base) for base in found.bases)
            return places[0] if places else next((one for one in inherited if one is not None), None)
        return None

    def texts(self, module: _Module, scope: ast.AST, said: ast.expr) -> Iterator[Remedy]:
        """Every text that an expression may stand for; what can't be read is in *unknown* then."""
        text = text_of(said)
        if text is not None:
            if text:
                yield Remedy(module.at, text)
        elif isinstance(said, ast.IfExp):
            yield from self.texts(module, scope, said.body)
            yield from self.texts(module, scope, said.orelse)
        elif isinstance(said, ast.BoolOp | ast.Dict):
            for one in said.values:
                yield from self.texts(module, scope, one)
        elif isinstance(said, ast.Subscript) and isinstance(said.value, ast.Name):
            for value in assigned(module.tree, said.value.id):  # a table; else one of what others said
                yield from self.texts(module, scope, value)
        elif isinstance(said, ast.Name):
            yield from self._named(module, scope, said.id)
        elif isinstance(said, ast.Call) and _called(said.func) == "one_line":
            yield from self.texts(module, scope, said.args[0])
        elif isinstance(said, ast.Call) and isinstance(said.func, ast.Name) and not _is_handed_on(said):
            yield from self._returned(module, said.func.id)
        elif isinstance(said, ast.Call) and isinstance(table := getattr(said.func, "value", None), ast.Dict):
            for value in (table, *said.args[1:]):  # {…}.get(code, otherwise)
                yield from self.texts(module, scope, value)
        elif (
            isinstance(said, ast.Call) and isinstance(said.func, ast.Attribute) and said.func.attr == "format"
        ):
            yield from self.texts(module, scope, said.func.value)
        elif not _is_handed_on(said):
            self.unknown.append(f"{module.at}:{said.lineno} {ast.unparse(said)}")

    def _named(self, module: _Module, scope: ast.AST, name: str) -> Iterator[Remedy]:
        """What a name stands for: in its function, in its module, where it is imported from. A parameter stands for
        what callers give.
        """
        here = list(assigned(scope, name))
        if here:
            for value in here:
                yield from self.texts(module, scope, value)
        elif isinstance(scope, ast.FunctionDef | ast.Lambda) and name in _parameters(scope) + _unpacked(
            scope
        ):
            return
        elif top := list(assigned(module.tree, name)):
            for value in top:
                yield from self.texts(module, module.tree, value)
        elif name in module.imports and module.imports[name][0] in self.modules:
            package, original = module.imports[name]
            yield from self._named(self.modules[package], self.modules[package].tree, original)
        else:
            self.unknown.append(f"{module.at}: {name}")

    def _returned(self, module: _Module, name: str) -> Iterator[Remedy]:
        found = module.defs.get(name)
        if found is None and name in module.imports and module.imports[name][0] in self.modules:
            module = self.modules[module.imports[name][0]]
            found = module.defs.get(name)
        if not isinstance(found, ast.FunctionDef):
            self.unknown.append(f"{module.at}: {name}()")
            return
        for node in ast.walk(found):
            if isinstance(node, ast.Return) and node.value is not None:
                yield from self.texts(module, found, node.value)


def healing() -> list[tuple[str, str, str]]:
    """What the tests say they heal: (the test's file and line, the remedy's text, `at` where it is given)."""
    found = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        text = file.read_text()
        if "heals(" not in text and "case(" not in text:
            continue
        tree = ast.parse(text)
        constants: dict[str, str] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign):
                target, value = node.targets[0], node.value
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = value.elts if isinstance(value, ast.Tuple) else [value]
                pairs = zip(names, values, strict=False)
                constants |= {
                    one.id: text_of(found) or "" for one, found in pairs if isinstance(one, ast.Name)
                }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node.func) in ("heals", "case"):
                places = [one.value for one in node.keywords if one.arg == "at"]
                where = [constants[one.id] if isinstance(one, ast.Name) else text_of(one) for one in places]
                line = f"{file.relative_to(ROOT).as_posix()}:{node.lineno}"
                given = node.args[:1] if _called(node.func) == "case" else node.args
                texts = [text_of(one) for one in given]
                found += [(line, one, (where and where[0]) or "") for one in texts if one is not None]
    return found


@cache
def _module(file: Path) -> _Module:
    module = _Module(file, ast.parse(file.read_text()))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            module.imports |= {one.asname or one.name: (node.module, one.name) for one in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name != "__init__":
            (module.defs if node in module.tree.body else module.methods)[node.name] = node
    return module


def _name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def scoped(tree: ast.AST, scope: ast.AST | None = None) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Every node with the function (or module) that it is in."""
    scope = scope or tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(tree, ast.JoinedStr) and isinstance(child, ast.Constant):
            continue
        yield scope, child
        yield from scoped(child, child if isinstance(child, ast.FunctionDef | ast.Lambda) else scope)


def assigned(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    nodes = scope.body if isinstance(scope, ast.Module) else list(ast.walk(scope))
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield node.value
                elif isinstance(target, ast.Tuple):
                    yield from _from_tuple(target, node.value, name)
        elif (
            isinstance(node, ast.AnnAssign | ast.NamedExpr)
            and node.value
            and isinstance(node.target, ast.Name)
            and node.target.id == name
        ):
            yield node.value


def _from_tuple(target: ast.Tuple, value: ast.expr, name: str) -> Iterator[ast.expr]:
    names = [one.id if isinstance(one, ast.Name) else "" for one in target.elts]
    if name not in names:
        return
    place = names.index(name)
    for node in ast.walk(value):
        if isinstance(node, ast.Tuple) and len(node.elts) == len(names):
            yield node.elts[place]


def _unpacked(function: ast.AST) -> list[str]:
    """The names that take a part of what somebody said: `cause, _, remedy = error.partition(…)`."""
    targets = [node.targets[0] for node in ast.walk(function) if isinstance(node, ast.Assign)]
    return [
        one.id
        for each in targets
        if isinstance(each, ast.Tuple)
        for one in each.elts
        if isinstance(one, ast.Name)
    ]


def _parameters(function: ast.FunctionDef | ast.Lambda) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def _position(function: ast.FunctionDef) -> int | None:
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    if "remedy" not in names:
        return 99 if "remedy" in _parameters(function) else None
    return names.index("remedy") - (names[0] in ("self", "cls"))


def _default(function: ast.FunctionDef) -> list[ast.expr]:
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    by_name = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
    return [by_name[name] for name in _NAMES if name in by_name]


def text_of(node: ast.expr | ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else "" if node.value is None else None
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(one) or "{}" if isinstance(one, ast.Constant) else "{}" for one in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = (text_of(node.left), text_of(node.right))
        return "".join("{}" if one is None else one for one in parts) if any(parts) else None
    return None


def _called(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _is_called_remedy(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id in _NAMES


def _is_handed_on(said: ast.expr) -> bool:
    """Another error's, what another process has said, or one's own from when it was made."""
    if isinstance(said, ast.Subscript) and isinstance(said.value, ast.Subscript):
        return True
    if isinstance(said, ast.Call) and _called(said.func) == "getattr":
        return any(text_of(one) in _NAMES for one in said.args)
    if isinstance(said, ast.Call) and isinstance(said.func, ast.Attribute) and said.func.attr == "get":
        return isinstance(said.func.value, ast.Attribute)  # what was kept of another
    return isinstance(said, ast.Attribute) and said.attr.strip("_") in _NAMES


def _is_doc(text: str) -> bool:
    return text.startswith("A failure with a cause and a remedy")
