"""The inputs of a binding: the model, the rings that get it one after the other, and how its endpoints are probed.

::

    rings: [pilot, "europe, asia", production]     three rings, the second of two endpoints
    bake:  10m                                      how long each is watched before the next
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.binding.bake_rules import BakeRule
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.host.lifecycle import known
from retrain_hooks.ownership.claims import OwnerRef
from retrain_hooks.serving.endpoints import Place


@dataclass(frozen=True)
class RingInputs(Inputs):
    """The endpoints that get a model together, watched while it bakes, in which every rule must hold."""

    endpoints: tuple[str, ...] = prop("names of the endpoints")
    name: str = prop("what the ring is called; its first endpoint's name where none is given", default="")
    bake: Duration = prop(
        "how long it is watched before the next ring gets the model", default=Duration(0), called="bake"
    )
    rules: tuple[str, ...] = prop(
        "what must hold while it bakes: measure op number, or module:function of the project",
        default=(),
        judge=BakeRule.parse,
        called="bakeRules",
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The endpoints, as their service knows them."""
        return tuple(name.strip() if isinstance(name, str) else name for name in self.endpoints)

    @property
    def title(self) -> str:
        """What the ring is called."""
        return self.name or self.names[0]

    @cached_property
    def bake_rules(self) -> tuple[BakeRule, ...]:
        """The rules as they are judged by."""
        return tuple(BakeRule.parse(rule) for rule in self.rules)


@dataclass(frozen=True)
class ProbeInputs(Inputs):
    """How an endpoint is probed until it answers as the new model."""

    blobs: tuple[str, ...] = prop("names of the blobs that its rows are taken from")
    container: str | None = prop("container that they are in", default=None)
    rows: int = prop(
        "with how many rows; 0 reads a binding back only", default=0, least=0, unit="rows", called="probeRows"
    )
    deadline: Duration = prop(
        "how long an endpoint may take to answer as the new model",
        default=Duration(60),
        called="probeDeadline",
    )
    settle: Duration = prop("how long it must then stay so", default=Duration(1), called="probeSettle")


@dataclass(frozen=True, kw_only=True)
class ModelBindingInputs(Place):
    """A binding: which model endpoints serve."""

    address: str = prop("path of the model in the registry container; empty: none has passed its gate yet")
    sha256: str = prop("SHA-256 of the model; empty where it is not known", default="")
    rings: tuple[RingInputs, ...] = prop(
        "the rings in their order, the last with the live endpoint; none: that endpoint alone", default=()
    )
    steps: tuple[int, ...] = prop(
        "shares of the calls (percent) that the model gets one after the other, where the kind shares them; the last is 100",
        default=(100,),
        least=1,
        most=100,
        called="steps",
    )
    mirror: int = prop(
        "percent of the calls that the model answers a copy of, before it gets any, where the kind shares them",
        default=0,
        least=0,
        most=50,
        called="mirror",
    )
    keep_previous: int = prop(
        "how many models stay deployed without calls, for going back in seconds",
        default=1,
        least=0,
        most=18,
        called="keepPrevious",
    )
    probe: ProbeInputs | None = prop("how they are probed; none: a binding is read back only", default=None)
    owner: OwnerRef | None = prop("who binds it; filled in by the component", default=None)
    found: Mapping[str, Any] = prop(
        "what endpoints serve by their names, where that is not what the last update says",
        default={},
        output=True,
    )
    bound: str = prop(
        "location of the model, as the live endpoint's service answered it", default="", output=True
    )
    serving: Mapping[str, Any] = prop("the address that was seen, by endpoint", default={}, output=True)
    run: Mapping[str, Any] = prop(
        "the run of the model that is served, as it is on record: runKey, dataVersion, metrics",
        default={},
        output=True,
    )
    incarnation: str = prop("which create made it", default="", output=True)
    probed: int = prop("on how many rows it was seen", default=0, output=True)

    def validate(self) -> None:
        """Refuse rings and steps that cannot be gone through."""
        if known(self.steps):
            refuse_steps(self.steps)
        if known(self.rings):
            refuse_rings(self.stages, self.staging if known(self.staging) else "")
            if known(self.endpoint) and self.endpoint not in self.endpoints:
                raise ConfigurationError(
                    f"rings: the live endpoint {self.endpoint!r} is in none of them",
                    "let the last ring begin with it",
                )

    @property
    def stages(self) -> tuple[RingInputs, ...]:
        """The rings; the live endpoint alone where none are declared."""
        return self.rings or (RingInputs((self.endpoint,), self.endpoint),)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """All endpoints in the order of their rings."""
        return tuple(name for ring in self.stages for name in ring.names)


def refuse_steps(steps: tuple[int, ...]) -> None:
    """Raise ConfigurationError for shares that don't rise, or don't end with all calls."""
    if not steps or steps[-1] != 100 or any(one >= other for one, other in pairwise(steps)):
        raise ConfigurationError(
            f"steps: {list(steps)} does not rise to 100",
            "write shares in percent that rise, such as [10, 50, 100]",
        )


def refuse_rings(rings: tuple[RingInputs, ...], staging: str = "") -> None:
    """Raise ConfigurationError for rings without an endpoint, or with one in two places or the *staging* one, or with the
    same name.
    """
    for ring in rings:
        if not ring.names or not all(ring.names):
            raise ConfigurationError(
                f"rings: the ring {ring.name!r} has no endpoint", "name one or more endpoints for it"
            )
    names = [_one(name) for ring in rings for name in ring.names]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(
            f"rings: the endpoint {doubled[0]!r} is in more than one place", "name each endpoint once"
        )
    if _one(staging) in names:
        raise ConfigurationError(
            f"rings: the endpoint {staging!r} is the staging endpoint, where a model is scored first",
            "give one of the two another name",
        )
    titles = [ring.title for ring in rings]
    if doubled := sorted({title for title in titles if titles.count(title) > 1}):
        raise ConfigurationError(
            f"rings: two rings are called {doubled[0]!r}", "give each ring a name of its own"
        )


def _one(name: str) -> str:
    """A name by which endpoints that a service takes for one are the same."""
    return name.strip().casefold() if isinstance(name, str) else name
