"""A value that is refused, and the one that its remedy asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graph.identity import identity, resolved_parameters
from retrain_hooks.data.inputs import _path, judge_version
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.host.settings import refuse_unknown
from retrain_hooks.registry.retirement import Wish
from retrain_hooks.registry.run_key import judge_key
from retrain_hooks.services.endpoint import _refuse_name
from tables.joining import join
from tables.reader import head, read
from tests.healing import Told, case

GROUP = "/subscriptions/s/resourceGroups/g"
KEY = "Zm9vYmFy"
PACKAGE = json.loads((Path(__file__).parents[2] / "experiments/flights/training.json").read_text())
CASES = ("act", "wrong", "right")


def table(content: bytes, name: str = "t.csv") -> None:
    read(content, name).check()


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "Write a value for each column in each row, and quote values that hold the delimiter or a line end.",
            table,
            b"a,b\n1,2,3\n",
            b'a,b\n1,"2,3"\n',
        ),
        case(
            "Write the table as text in UTF-8, or in UTF-16 with a byte order mark.",
            table,
            "größe\n1\n".encode("latin-1"),
            "größe\n1\n".encode("utf-16"),
        ),
        case("Give each column a name of its own.", table, b"a,a\n1,2\n", b"a,b\n1,2\n"),
        case(
            'Put a value that holds quotes in quotes, and write each quote in it twice: "5"" disc".',
            table,
            b'a\n"5" disc"\n',
            b'a\n"5"" disc"\n',
        ),
        case(
            "Begin the table with one line that names its columns.",
            lambda data: head(data, "t.csv", whole=False).columns,
            b"a,b,c,d,e",
            b"a\n1\n2",
        ),
        case(
            "Name data versions with the same columns in the same order: one model is trained from all of them.",
            lambda second: join([("1.csv", b"a,b\n1,2\n"), ("2.csv", second)]),
            b"b,a\n1,2\n",
            b"a,b\n1,2\n",
        ),
    ],
)
def test_tables(remedy: Told, act: Callable[[Any], object], wrong: object, right: object) -> None:
    """What is uploaded again as it says is read."""
    remedy.fails(lambda: act(wrong))
    act(right)


def graph_with(**parameters: Any) -> Callable[[Any], object]:
    return lambda given: resolved_parameters({**PACKAGE, "parameters": parameters}, given)


def without(*nodes: str) -> dict[str, Any]:
    kept = {name: node for name, node in PACKAGE["nodes"].items() if node.get("output") not in nodes}
    edges = [edge for edge in PACKAGE["edges"] if edge["to"].partition(".")[0] in kept]
    return {**PACKAGE, "nodes": kept, "edges": edges}


def outputs_of(port: str) -> list[str]:
    fed = {edge["to"] for edge in PACKAGE["edges"] if edge["from"].endswith(f".{port}")}
    return [node["output"] for name, node in PACKAGE["nodes"].items() if name in fed and "output" in node]


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "Connect the port Trained model of a Train Model module to a web service output.",
            identity,
            without(*outputs_of("Trained model")),
            PACKAGE,
        ),
        case(
            "Use one of: {}",
            lambda given: resolved_parameters(PACKAGE, given),
            {"Rate": 1},
            {"Learning rate": 0.2},
        ),
        case("Leave it out.", graph_with(), {"Rate": 1}, {}),
        case(
            "Write {}.",
            lambda given: resolved_parameters(PACKAGE, given),
            {"Learning rate": 7},
            {"Learning rate": 1},
        ),
    ],
)
def test_graphs_and_their_parameters(
    remedy: Told, act: Callable[[Any], object], wrong: object, right: object
) -> None:
    """A definition is corrected where it says, a parameter to what it takes."""
    remedy.fails(lambda: act(wrong))
    act(right)


@dataclass(frozen=True)
class Part(Inputs):
    rows: int = prop("rows", default=1)


@dataclass(frozen=True)
class Everything(Inputs):
    name: str = prop("what it is called")
    on: bool = prop("whether it is on", default=False)
    count: int = prop("how many", default=1, least=1, most=9, unit="rows")
    names: tuple[str, ...] = prop("their names", default=())
    part: Part | None = prop("a part of it", default=None)
    mode: str = prop("how it goes on", default="fail", choices=("fail", "hold"))
    wait: Duration = prop("how long it waits", default=Duration(1))


def inputs(given: dict[str, Any]) -> Everything:
    return Everything.parse({"name": "a"} | given)


@pytest.mark.parametrize(
    CASES,
    [
        case("give it: {}", Everything.parse, {}, {"name": "a"}),
        case("write true or false", inputs, {"on": "yes"}, {"on": True}),
        case("write {}{}, such as 1", inputs, {"count": "many"}, {"count": "1"}),
        case("write a number{}{}: {}", inputs, {"count": 10}, {"count": 9}),
        case("write a list: {}", inputs, {"names": "a"}, {"names": ["a"]}),
        case("write an object: {}", inputs, {"part": 7}, {"part": {"rows": 7}}),
        case("write a text: {}", inputs, {"name": {"a": 1}}, {"name": "a"}),
        case("write {}", inputs, {"mode": "hodl"}, {"mode": "hold"}, at="retrain_hooks/host/inputs.py"),
        case("write a number and a unit, for example 90s or 10m", inputs, {"wait": "soon"}, {"wait": "90s"}),
        case(
            "write {}:{}",
            lambda key: refuse_unknown([key], {"gateRules"}, "flights"),
            "gateRules",
            "flights:gateRules",
            name="no project",
        ),
        case(
            "write {}:{}",
            lambda key: refuse_unknown([key], {"gateRules"}, "flights"),
            "fligths:gateRules",
            "flights:gateRules",
            name="nearly the project",
        ),
        case(
            "write {}:{}, or declare the key in Pulumi.yaml",
            lambda key: refuse_unknown([key], {"gateRules"}, "flights"),
            "flights:gaterules",
            "flights:gateRules",
        ),
        case(
            "write {}:{}, or declare the key in Pulumi.yaml",
            lambda declared: refuse_unknown(["flights:mine"], declared, "flights"),
            {"gateRules"},
            {"gateRules", "mine"},
            name="declared",
        ),
        case("write it like sales/{version}.csv", _path, "flights.csv", "flights/{version}.csv"),
        case(
            "write one, such as 2013-02, or latest, or a window 2013-01..2013-03",
            judge_version,
            " ",
            "2013-01..2013-03",
        ),
        case(
            "write the key that ./dev preview or ./dev runs shows, or its first 7 digits at least",
            judge_key,
            "abc",
            "0123abc",
        ),
        case("give --keep 1 or more", lambda keep: Wish(keep=keep), 0, 1),
        case(
            "set `endpointName` in the stack's config to a name of your own, such as retrained",
            _refuse_name,
            "default",
            "retrained",
        ),
        case("use 1 to 24 lower-case letters and digits", _refuse_name, "Not-This", "notthis1"),
    ],
)
def test_inputs_and_settings(
    remedy: Told, act: Callable[[Any], object], wrong: object, right: object
) -> None:
    """A program's inputs and a stack's settings."""
    remedy.fails(lambda: act(wrong))
    act(right)
