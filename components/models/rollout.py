"""How a model reaches its endpoints: in which order, and what it must show on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi


@dataclass(frozen=True)
class Ring:
    """The *endpoints* that get a model together. It bakes there for *bake* (``10m``), in which all *rules* must hold.

    A rule compares what the probe measures (``errors <= 0.01``, ``p95 <= 250`` in milliseconds, ``shift <= 0.2`` against
    the old model's scores), or names a function of the project's (``my_checks:steady``).
    """

    name: str
    endpoints: Sequence[str]
    bake: str = "0"
    rules: Sequence[str] = ()

    def inputs(self) -> dict[str, Any]:
        """As inputs of a ModelBinding."""
        return {
            "name": self.name,
            "endpoints": list(self.endpoints),
            "bake": self.bake,
            "rules": list(self.rules),
        }


@dataclass(frozen=True)
class Rollout:
    """The *rings* in their order, the last one production; none: one endpoint alone.

    Each endpoint is probed with *probe_rows* rows until it answers as the new model, for at most *probe_deadline*, and
    must then stay so for *probe_settle* (durations: ``60s``). With no rows a binding is read back only. Where a kind shares
    calls among models, a new one first answers a copy of *mirror* percent of them, then gets those *steps* (percent) one after the other, each
    of which bakes as its ring does, and
    *keep_previous* models stay deployed without calls, for going back.
    """

    rings: Sequence[Ring] = ()
    probe_rows: int = 50
    probe_deadline: str = "60s"
    probe_settle: str = "1s"
    steps: Sequence[int] = (100,)
    mirror: int = 0
    keep_previous: int = 1

    @classmethod
    def from_config(cls, config: pulumi.Config, endpoint: str | None = None) -> Rollout:
        """From ``rings`` (each a text of one or more endpoints: ``pilot``, ``europe, asia``; none: *endpoint*, or else
        ``endpointName``, alone), ``bake`` and ``bakeRules``, which go for every ring, ``probeRows``, ``probeDeadline``, ``probeSettle``,
        ``steps``, ``mirror`` and ``keepPrevious``.
        """
        bake, rules = config.require("bake"), config.require_object("bakeRules")
        rings = config.require_object("rings") or [endpoint or config.require("endpointName")]
        declared = [[name.strip() for name in ring.split(",")] for ring in rings]
        return cls(
            [Ring("+".join(endpoints), endpoints, bake, rules) for endpoints in declared],
            config.require_int("probeRows"),
            config.require("probeDeadline"),
            config.require("probeSettle"),
            config.require_object("steps"),
            config.require_int("mirror"),
            config.require_int("keepPrevious"),
        )

    def alone(self, endpoint: str) -> Rollout:
        """The same with a ring for *endpoint* alone, where there are no rings."""
        if self.rings:
            return self
        return replace(self, rings=[Ring(endpoint, [endpoint])])

    def renamed(self, names: Mapping[str, str]) -> Rollout:
        """The same with its endpoints called by other *names*; its rings keep theirs."""
        rings = [replace(ring, endpoints=[names[one] for one in ring.endpoints]) for ring in self.rings]
        return replace(self, rings=rings)

    def inputs(self, container: pulumi.Input[str], blobs: pulumi.Input[Sequence[str]]) -> dict[str, Any]:
        """As inputs of a ModelBinding, which is probed with rows of *blobs*."""
        probe = {
            "container": container,
            "blobs": blobs,
            "rows": self.probe_rows,
            "deadline": self.probe_deadline,
            "settle": self.probe_settle,
        }
        return {
            "rings": [ring.inputs() for ring in self.rings],
            "probe": probe if self.probe_rows else None,
            "steps": list(self.steps),
            "mirror": self.mirror,
            "keepPrevious": self.keep_previous,
        }

    @property
    def endpoints(self) -> list[str]:
        """All endpoints, those of the last ring first: its first one is the live one."""
        return [endpoint for ring in reversed(self.rings) for endpoint in ring.endpoints]
