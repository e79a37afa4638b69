"""The keys of a stack's configuration: those that a project declares, and none that only looks like one.

A key that nothing reads is ignored by every engine without a word: a misspelt gate would not be in force.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from clients.errors import ConfigurationError
from clients.names import likeliest


def refuse_unknown(keys: Iterable[str], declared: Collection[str], project: str, place: str = "") -> None:
    """Raise ConfigurationError for the first of *keys* that is no key of this *project*, with the nearest one.

    *keys* are as in a stack's file, ``project:key``; those of other namespaces, such as ``azure-native:location``, belong
    to others, unless the namespace is nearly the project's. *declared* are the project's own, without it.
    """
    where = f"{place}: " if place else ""
    for full in keys:
        key = full.replace(":config:", ":")
        namespace, colon, name = key.partition(":")
        if not colon:
            raise ConfigurationError(
                f"{where}the configuration key {full!r} names no project",
                f"write {project}:{nearest(full, declared)}",
            )
        if namespace == project:
            if name not in declared:
                raise ConfigurationError(
                    f"{where}there is no configuration key {full!r}",
                    f"write {project}:{nearest(name, declared)}, or declare the key in Pulumi.yaml",
                )
        elif get_close_matches(namespace.casefold(), [project.casefold()], cutoff=0.8):
            raise ConfigurationError(
                f"{where}the configuration key {full!r} is of another project, {namespace!r}",
                f"write {project}:{nearest(name, declared)}",
            )


def nearest(name: str, declared: Collection[str]) -> str:
    """The declared key that *name* is most likely to mean."""
    return likeliest(name, declared) or name


def refuse_alike(declared: Collection[str]) -> None:
    """Raise ConfigurationError where Pulumi.yaml declares one key in two spellings: a program reads one of them only."""
    kept = sorted(declared)
    for position, name in enumerate(kept):
        others = {other.casefold(): other for other in kept[:position]}
        if found := get_close_matches(name.partition("[")[0].casefold(), others, n=1, cutoff=0.93):
            raise ConfigurationError(
                f"Pulumi.yaml declares {name!r} beside {others[found[0]]!r}: one of them is a misspelling",
                "leave out the one that the program does not read",
            )
