"""Rings: the order in which endpoints get a new model, and what each must show before the next gets it.

::

    rings: [pilot, "europe, asia", production]     three rings, the second of two endpoints
    bake:  10m                                      how long each is watched before the next
    rule = measure op number                        errors <= 0.01, p95 <= 250, shift <= 0.2
         | module:function                          a check of one's own
    measure = errors   the share of probes that failed
            | p95      milliseconds in which 95 % of the probes were answered
            | shift    mean absolute difference between the scores of the new model and the old one
"""

from __future__ import annotations

import importlib
import math
import operator
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clients.errors import ConfigurationError

MEASURES = ("errors", "p95", "shift")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}
_RULE = re.compile(r"\s*(?P<measure>\w+)\s*(?P<op><=|<|>=|>)\s*(?P<number>\d+\.?\d*|\.\d+)\s*")
_CHECK = re.compile(r"\s*(?P<module>[\w.]+):(?P<function>\w+)\s*")
_DURATION = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h)?\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_EXAMPLE = "write it like errors <= 0.01, p95 <= 250, shift <= 0.2, or like my_checks:steady"


@dataclass(frozen=True)
class Observation:
    """What was seen of a new model on one endpoint while it baked; what a check of one's own is called with.

    *errors* is a share, *p95* in milliseconds, *shift* in units of the score; NaN where it can't be told.
    """

    ring: str
    endpoint: str
    address: str
    looks: int
    errors: float
    p95: float
    shift: float
    scores: tuple[float, ...] = ()
    old_scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One condition on what was observed: a comparison, or a function of one's own that answers True."""

    text: str
    judge: Callable[[Observation], str] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: object) -> Rule:
        """Read a rule. Raises ConfigurationError saying how one is written, or that there is no such function."""
        if isinstance(text, str) and (found := _RULE.fullmatch(text)) and found["measure"] in MEASURES:
            return cls(text.strip(), _comparison(found["measure"], found["op"], float(found["number"])))
        if isinstance(text, str) and (found := _CHECK.fullmatch(text)):
            return cls(text.strip(), _check(found["module"], found["function"]))
        raise ConfigurationError(f"{text!r} is no rule of a ring", _EXAMPLE)


def _comparison(measure: str, op: str, number: float) -> Callable[[Observation], str]:
    def judge(seen: Observation) -> str:
        value = float(asdict(seen)[measure])
        if math.isfinite(value) and _OPERATORS[op](value, number):
            return ""
        what = f"{value:.4g}" if math.isfinite(value) else "not known"
        return f"{measure} is {what}, not {op} {number:g}"

    return judge


def _check(module: str, function: str) -> Callable[[Observation], str]:
    """A function of the project's: True lets the model through, a text says why not, and so does an exception."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        check = getattr(importlib.import_module(module), function)
        if not callable(check):
            raise TypeError(f"{function} is {check!r}")
    except Exception as error:  # a module of the user's may fail in any way when it is imported
        raise ConfigurationError(
            f"the rule {module}:{function} names no function: {type(error).__name__}: {error}",
            f"write def {function}(seen) into {module.replace('.', '/')}.py in the project",
        ) from None

    def judge(seen: Observation) -> str:
        try:
            answer = check(seen)
        except Exception as error:  # whatever a function of the user's does, the model is not let through
            return f"{module}:{function} failed: {type(error).__name__}: {error}"
        if answer is True:
            return ""
        return f"{module}:{function} says {answer!r}"

    return judge


@dataclass(frozen=True)
class Ring:
    """The *endpoints* that get a model together, watched for *bake* seconds, in which every rule must hold."""

    name: str
    endpoints: tuple[str, ...]
    bake: float = 0.0
    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, props: Mapping[str, Any]) -> Ring:
        """Read ``{name, endpoints, bake, rules}``. Raises ConfigurationError."""
        endpoints = endpoints_of([props])
        if not all(endpoints) or not endpoints:
            raise ConfigurationError(
                f"the ring {props.get('name')!r} has no endpoint", "name one or more endpoints for it"
            )
        rules = tuple(Rule.parse(rule) for rule in props.get("rules") or ())
        return cls(str(props.get("name") or endpoints[0]), endpoints, duration(props.get("bake") or 0), rules)


def parse_rings(declared: Any) -> tuple[Ring, ...]:
    """All rings of a rollout, in order. Raises ConfigurationError, also where an endpoint is in two of them."""
    rings = tuple(Ring.parse(props) for props in declared)
    names = endpoints_of(declared)
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(
            f"the endpoint {doubled[0]!r} is in more than one place of the rings", "name each endpoint once"
        )
    if len({ring.name for ring in rings}) != len(rings):
        raise ConfigurationError("two rings have the same name", "give each ring a name of its own")
    return rings


def endpoints_of(declared: Any) -> tuple[str, ...]:
    """The endpoints of declared rings in their order, whatever their rules: a check may be gone, its endpoints are not."""
    return tuple(str(name).strip() for props in declared for name in props.get("endpoints") or ())


def duration(text: Any) -> float:
    """Seconds of ``10m``, ``90s``, ``1.5h`` or a number. Raises ConfigurationError."""
    found = _DURATION.fullmatch(str(text))
    if found is None:
        raise ConfigurationError(f"{text!r} is no duration", "write it like 30s, 10m or 1h")
    return float(found["number"]) * _SECONDS[found["unit"]]
