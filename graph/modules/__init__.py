"""The modules of an experiment graph: a room for each of Studio's categories, a file a module.

    find(name)    the module of that name; its file alone is imported
    names()       the names of all modules
    room_of(m)    the title of its room
    category(m)   where Studio has a module, such as Data Transformation / Manipulation
    says(m)       what it does, as its class says

A file is called as its module is, in small letters and with `_` for all else: Two-Class Boosted Decision Tree is in
`two_class_boosted_decision_tree.py`. Modules are found by these names: a new one is a new file, and no list has it.
"""

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Mapping
from functools import cache

from graph.spec import Module


def slug(name: str) -> str:
    """What the file of the module of that name is called."""
    return re.sub("[^a-z0-9]+", "_", name.casefold()).strip("_")


def find(name: str) -> Module | None:
    """The module of exactly that name; None where there is none."""
    path = _files().get(slug(name))
    module = _load(path) if path else None
    return module if module and module.name == name else None


@cache
def names() -> tuple[str, ...]:
    """The names of all modules, in order of the alphabet. Imports them all."""
    return tuple(sorted(_load(path).name for path in _files().values()))


def room_of(module: Module) -> str:
    """What its room says of itself."""
    return (sys.modules[type(module).__module__.rpartition(".")[0]].__doc__ or "").strip().rstrip(".")


def category(module: Module) -> str:
    """Where Studio has it: what its room says, without the room's own words."""
    return room_of(module).partition(":")[0]


def says(module: Module) -> str:
    """What it does: the docstring of its class."""
    return inspect.getdoc(type(module)) or ""


@cache
def _files() -> Mapping[str, str]:
    """Where each module is imported from, by the name of its file; nothing is imported for it."""
    rooms = [
        (room.name, f"{folder}/{room.name}") for folder in __path__ for room in pkgutil.iter_modules([folder])
    ]
    return {
        file.name: f"{__name__}.{room}.{file.name}"
        for room, path in rooms
        for file in pkgutil.iter_modules([path])
    }


@cache
def _load(path: str) -> Module:
    """The one class of a file that has a name of Studio's."""
    file = importlib.import_module(path)
    classes = [one for _, one in inspect.getmembers(file, inspect.isclass) if one.__module__ == path]
    (found,) = [one for one in classes if issubclass(one, Module) and "name" in vars(one)]
    return found()
