"""What a model must show while it bakes on the endpoints of a ring.

::

    rule = measure op number                        errors <= 0.01, p95 <= 250, shift <= 0.2
         | module:function                          a check of one's own
    measure = errors   the share of probes that failed
            | p95      milliseconds in which 95 % of the probes were answered
            | shift    mean absolute difference between the scores of the new model and the old one: of probabilities
                       (of several classes each), of a regression's numbers, of the distances to clusters
"""

from __future__ import annotations

import importlib
import math
import operator
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

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
class BakeRule:
    """One condition on what was observed: a comparison, or a function of one's own that answers True."""

    text: str
    judge: Callable[[Observation], str] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: object) -> BakeRule:
        """Read a rule. Raises ConfigurationError saying how one is written, or that there is no such function."""
        if isinstance(text, str) and (found := _RULE.fullmatch(text)) and found["measure"] in MEASURES:
            return cls(text.strip(), _comparison(found["measure"], found["op"], float(found["number"])))
        if isinstance(text, str) and (found := _CHECK.fullmatch(text)):
            return cls(text.strip(), _check(found["module"], found["function"]))
        raise ConfigurationError(f"{text!r} is not a rule of a ring", _EXAMPLE)


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
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module of the user's may fail in any way when it is imported
        raise ConfigurationError(
            f"{f'{module}:{function}'!r} does not name a function: {type(error).__name__}: {error}",
            f"write def {function}(seen) into {module.replace('.', '/')}.py in the project",
        ) from None

    def judge(seen: Observation) -> str:
        try:
            answer = check(seen)
        except KeyboardInterrupt:
            raise  # that is the person at the terminal
        except BaseException as error:  # whatever else a function does, the model is not let through
            return f"{module}:{function} failed: {type(error).__name__}: {error}"
        if answer is True:
            return ""
        return f"{module}:{function} says {answer!r}"

    return judge
