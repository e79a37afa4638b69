"""The triggers that a stack declares: its configuration's list `triggers`, and the kinds that there are.

::

    triggers:
      - {cron: "0 3 * * *", zone: Europe/Berlin}
      - {newData: {every: 15m}}
      - {age: 30d, force: true}
      - {schedule: "0 3 * * SUN", name: sundays}

An entry is an object with the name of one kind; what that kind takes stands below it or beside it. ``force: true`` beside
it asks for a new run also where the same inputs were trained before. A kind is a module of this room.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from clients.errors import ConfigurationError
from clients.names import likeliest
from retrain_hooks.host.inputs import Inputs
from retrain_hooks.triggers.trigger import Decision, Scene

POLICIES = ("auto", "ask", "never")
_FORCE = "force"


@dataclass(frozen=True)
class Kind:
    """One kind of trigger: the module of this room that is called *name* in a configuration."""

    name: str
    settings: type[Inputs]
    look: Callable[[Any, Scene], Any]
    decide: Callable[[Any, Any, datetime], Decision]


@dataclass(frozen=True)
class Declared:
    """A trigger as a stack declares it; *force* asks for a new run of equal inputs."""

    kind: Kind
    settings: Inputs
    force: bool = False

    @cached_property
    def name(self) -> str:
        """What it is called: its kind, and its own name where it has one, else what it says, in one form."""
        if own := getattr(self.settings, "name", ""):
            return f"{self.kind.name} {own}"
        return f"{self.kind.name} {json.dumps(self.settings.props(), sort_keys=True, ensure_ascii=False)}"

    def decide(self, scene: Scene) -> Decision:
        """Look, and decide. Raises RetrainError where what there is to see can't be read."""
        return self.kind.decide(self.settings, self.kind.look(self.settings, scene), scene.now)


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name: the modules of this room that have a NAME."""
    room = importlib.import_module(__package__ or "")
    modules = [
        importlib.import_module(f"{__package__}.{one.name}") for one in pkgutil.iter_modules(room.__path__)
    ]
    return {
        module.NAME: Kind(module.NAME, module.Settings, module.look, module.decide)
        for module in modules
        if hasattr(module, "NAME")
    }


def declared(entries: Any) -> tuple[Declared, ...]:
    """The triggers that a configuration's list declares. Raises ConfigurationError for an entry that is none."""
    if not isinstance(entries, list):
        raise ConfigurationError(
            f"triggers: {entries!r} is not a list", "write a list, such as [{newData: {every: 15m}}]"
        )
    found: dict[str, Declared] = {}
    for position, entry in enumerate(entries):
        try:
            one = _declared(entry)
        except ConfigurationError as error:
            raise ConfigurationError(f"triggers[{position}]: {error.cause}", error.remedy) from None
        if one.name in found:
            raise ConfigurationError(
                f"triggers[{position}]: {one.name} is declared twice", "leave out one of the two"
            )
        found[one.name] = one
    return tuple(found.values())


def judge_policy(policy: Any) -> str:
    """The configuration's `watchPolicy`. Raises ConfigurationError for what is none."""
    if policy not in POLICIES:
        raise ConfigurationError(
            f"watchPolicy: {policy!r} is not one of {', '.join(POLICIES)}",
            "write auto (apply), ask (leave a plan to approve) or never (only say)",
        )
    return str(policy)


def judge_settings(config: Mapping[str, Any]) -> None:
    """Refuse what is wrong with the `triggers` and the `watchPolicy` of a *config* (by key). Raises ConfigurationError."""
    if "triggers" in config:
        declared(config["triggers"])
    if "watchPolicy" in config:
        judge_policy(config["watchPolicy"])


def _declared(entry: Any) -> Declared:
    named = [key for key in entry if key in kinds()] if isinstance(entry, Mapping) else []
    if len(named) != 1:
        near = (
            "".join(likeliest(str(key), kinds(), 0.6) or "" for key in entry)[:40]
            if isinstance(entry, Mapping)
            else ""
        )
        hint = f" (the nearest is {near})" if near in kinds() else ""
        raise ConfigurationError(
            f"{entry!r} names {len(named) or 'none'} of the kinds of trigger{hint}",
            f"name one of {', '.join(sorted(kinds()))} in each entry",
        )
    kind = kinds()[named[0]]
    value, beside = entry[kind.name], {key: entry[key] for key in entry if key != kind.name}
    properties = [row.name for row in kind.settings.table()]
    given = (dict(value) if isinstance(value, Mapping) else {properties[0]: value}) | beside
    force = given.pop(_FORCE, False)
    if not isinstance(force, bool):
        raise ConfigurationError(
            f"{_FORCE}: {force!r} is neither true nor false", "write force: true, or leave it out"
        )
    if unknown := [key for key in given if key not in properties]:
        raise ConfigurationError(
            f"{kind.name} knows no {unknown[0]!r}",
            f"leave it out, or write one of {', '.join([*properties, _FORCE])}",
        )
    return Declared(kind, kind.settings.parse(given), force)
