"""The kinds of changes to a world, a function each: drawn, done and undone, with the names of what differs then.

A change of configuration is an option of the update, and is told of as such beside what it comes to.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.worlds.house import OTHER, VERSION, House

_MODEL = frozenset(("model", "bindings", "steps"))
EDITED, APPLIED = "edited", "applied"
STACK = "the stack"


def _nothing() -> None:
    """Where options are all."""


@dataclass(frozen=True)
class Change:
    """What is done to the world, and undone; an update is refused by the `names` (one of `a|b`), and may name what is in `also`."""

    names: frozenset[str]
    also: frozenset[str] = frozenset()
    arguments: tuple[str, ...] = ()
    do: Callable[[], object] = _nothing
    undo: Callable[[], object] = _nothing


def configured(*settings: str, names: tuple[str, ...] = (), also: frozenset[str] = frozenset()) -> Change:
    """Options of the update."""
    arguments = tuple(part for each in settings for part in ("-c", each))
    return Change(frozenset(("configuration", *names)), also, arguments)


def edit(path: Path, change: Callable[[str], str], *names: str, also: frozenset[str] = frozenset()) -> Change:
    """A file of the checkout with other text."""
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before, path
    write = partial(path.write_text, encoding="utf-8")
    return Change(frozenset(names), also, do=partial(write, after), undo=partial(write, before))


def data(house: House, rng: random.Random) -> Change:
    """The data version has other bytes."""
    name = f"flights/{VERSION}.csv"
    before = bytes(house.blob("data", name).download_blob().readall())
    lines = before.splitlines(keepends=True)
    del lines[rng.randrange(1, len(lines))]
    return Change(
        frozenset(("data",)),
        _MODEL,
        do=partial(house.upload, name, b"".join(lines)),
        undo=partial(house.upload, name, before),
    )


def version(_house: House, rng: random.Random) -> Change:
    """Another version of the data is asked for."""
    wanted = rng.choice((OTHER, f"{OTHER}..{VERSION}", "2013-01"))
    return configured(
        f"dataVersion={wanted}", names=("data",), also=_MODEL | {"champion", "rules", "parameters"}
    )


def champion(house: House, _rng: random.Random) -> Change:
    """Somebody has bound another model."""
    return Change(
        frozenset(("champion|bindings",)),  # where no candidate is judged any more, there is the binding
        frozenset(("champion", "bindings", "steps")),
        do=partial(house.bind, house.earlier),
        undo=partial(house.bind, house.bound),
    )


def rules(_house: House, rng: random.Random) -> Change:
    """The gate is another."""
    setting = rng.choice(
        (
            f'gateRules=["auc >= 0.{rng.randrange(300, 649)}"]',
            f"gateMinimumRows={rng.randrange(2, 5000)}",
            "gateOnRejected=hold",
            "gateApproval=true",
        )
    )
    return configured(setting, names=("rules",), also=frozenset(("steps", "bindings")))


def holdout(_house: House, rng: random.Random) -> Change:
    """Candidates are judged on other rows."""
    wanted = rng.choice(("2013-01", OTHER))
    also = frozenset(("steps", "champion", "rules"))
    return configured(f"holdoutDataVersion={wanted}", names=("holdout",), also=also)


def code(house: House, rng: random.Random) -> Change:
    """The experiment is another."""
    path = house.checkout.root / "experiments/flights/training.json"
    leaf = re.compile(r'("Minimum number of samples per leaf node": )20')
    return edit(path, partial(leaf.sub, rf"\g<1>{rng.randrange(2, 19)}"), "code", also=_MODEL)


def parameters(_house: House, rng: random.Random) -> Change:
    """The web service's parameters are others."""
    given = json.dumps({"Learning rate": f"0.0{rng.randrange(1, 99)}"})
    return configured(f"parameters={given}", names=("parameters",), also=_MODEL)


def bindings(_house: House, rng: random.Random) -> Change:
    """Endpoints are bound one after the other, and watched."""
    wanted = rng.sample(("pilot", "europe", "asia"), rng.randrange(1, 3))
    rings = json.dumps([*wanted, "retrained"])
    more = [f"bake={rng.randrange(1, 9)}s"] * rng.randrange(2)
    return configured(f"rings={rings}", *more, names=("bindings",), also=frozenset(("steps", "champion")))


def state(house: House, _rng: random.Random) -> Change:
    """Somebody has updated the stack since."""
    before, later = house.state.read_bytes(), house.later.read_bytes()
    return Change(
        frozenset(("state",)),
        frozenset(("steps",)),
        do=partial(house.state.write_bytes, later),
        undo=partial(house.state.write_bytes, before),
    )


def tool(house: House, rng: random.Random) -> Change:
    """Another release, or one whose code is another."""
    root = house.checkout.root
    if rng.randrange(2):
        number = re.compile(r'^(version = ")[^"]+', re.MULTILINE)
        new = rf"\g<1>{rng.randrange(1, 9)}.{rng.randrange(99)}.1"
        return edit(root / "pyproject.toml", partial(number.sub, new, count=1), "the tool's version")
    rooms = ("components", "clients", "retrain_hooks/gate", "tasks", "graph", "tables")
    file = rng.choice(sorted((root / rng.choice(rooms)).glob("*.py")))
    return edit(file, lambda text: f"{text}\n# {rng.random()}\n", "the tool's version")


def program(house: House, rng: random.Random) -> Change:
    """The program is another."""
    file = house.checkout.root / rng.choice(("__main__.py", "Pulumi.yaml"))
    return edit(file, lambda text: f"{text}\n# {rng.random()}\n", "the program")


def configuration(_house: House, rng: random.Random) -> Change:
    """A setting that nothing else is named by."""
    number = rng.randrange(61, 99)  # no default
    setting = rng.choice(
        (
            f"ownerEmail=team-{number}@example.com",
            f"deadlineMinutes={number}",
            f"maxJobs={number}",
            f"probeRows={number}",
            f"ratePerHour={number}.5",
            "watchPolicy=never",
        )
    )
    return configured(setting, also=frozenset(("bindings", "steps")))


def applied(house: House, _rng: random.Random) -> Change:
    """Another machine has carried the plan out."""
    key = house.contract(house.plan).key
    begin = partial(house.applied().begin, key, "dev", "2026-11-28T09:00:00Z")
    return Change(frozenset((APPLIED,)), do=begin, undo=partial(house.forget, key))


def another_stack(_house: House, _rng: random.Random) -> Change:
    """The plan is carried to another stack."""
    return Change(frozenset((STACK,)), arguments=("-s", "other"))


def edited(house: House, rng: random.Random) -> Change:
    """Somebody has edited the file: some digit or letter in it is another."""

    def change(text: str) -> str:
        at = rng.choice([each.start() for each in re.finditer(r"[0-9a-f]", text)])
        other = rng.choice([each for each in "0123456789abcdef" if each != text[at]])
        return text[:at] + other + text[at + 1 :]

    return edit(house.plan, change, EDITED)


KINDS: tuple[Callable[[House, random.Random], Change], ...] = (
    *(data, version, champion, rules, holdout, code, parameters, bindings, state, tool, program),
    *(configuration, applied, another_stack, edited),
)
# Another version has other bytes in any case, and may be that of the holdout, which is no declaration.
APART = ({data, version}, {holdout, version})
