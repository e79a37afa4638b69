"""What determines a model, and nothing else: the digest of a training graph."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import GraphError, parse_experiment
from graph.identity import identity, parameters, resolved_parameters
from graph.learning.untrained import Learner
from graph.spec import REQUIRED, Parameter
from tests.graph.graphs import (
    BY_NAME,
    FEATURES,
    FLIGHTS,
    Definition,
    compared,
    edited,
    learner,
    set_,
    small,
    two_models,
)

# Never change one: models that exist are found by it. A new feature gets a new row.
RECORDED: dict[str, tuple[str, dict[str, str]]] = {
    "flights": (
        "b70e27dc643fffe62b80946ce2643963f409ab28abd973fab8e8e3ebe338136d",
        {
            "Random seed": "0",
            "Number of trees constructed": "200",
            "Learning rate": "0.1",
            "Maximum number of leaves per tree": "32",
        },
    ),
    "small": ("e9da01d5af79c87b7cbb9507f464e7e3fd29765a94eaa2f2424e368e753b9943", {}),
    "two inputs, a resource, a comparison": (
        "abeaf544315c6d346cff1fd31a1989c4111628a220cc949fc0649a90434d4fb1",
        {},
    ),
    "two models": ("7c481c3fbe0651c884bb8cae56f3dedae5250d365f820cfbfa3d419c31fc4ff4", {}),
    "Two-Class Boosted Decision Tree": (
        "af0f48196f4386a971f9a12294afe0a04bd4721e43f8b91e6bd842d5c9794f95",
        {},
    ),
    "Boosted Decision Tree Regression": (
        "06705efe10cc1fed5e019e04ffbbd8896acef76ef03da088d0c493df1a8d41a8",
        {},
    ),
    "Two-Class Logistic Regression": ("55b0d2a5f716c4073ddc76510b13512755117844cc91a4e03e86c1b8197f1267", {}),
    "whole number": ("0d14cdfb1c0e1fad6a95ddfb7d57059a7d2adf502aa74d8bfe6eb66593fd45ba", {}),
    "fraction": ("a72a158d5e79612ea017668926b1f6d92631a266934d29bc08efad40c429b5be", {}),
    "small number": ("a658c58cb47eeec12f2d7035daba99bfc6425d57e6c38e44d34a8519deae1e56", {}),
    "truth value": ("2d64b53b2025135656176a7697d16b988cd89fccdf2d821d7f3db2c2698fa1de", {}),
    "columns": ("271c47ae73103659f11b5d187556acfec10830ce57f337a441ff23aa46e2c310", {}),
    "columns by rules": ("f45d852e540de8cd9d38c1049d32f8e1e99ecdde06fd4db1e3ace4513a952aa7", {}),
    "columns not of ASCII": ("72e64742913388b5da1d9205f65dae13271d902dcc0907f8fca0e5b1cc4d0040", {}),
    "choice": ("e96db2acb2ff54b30d68e3bc6b8c6947979b52ad26189f1ad2927c4b7835abc3", {}),
    "text": ("49f7cffd645324eaf20e51a159adc3cfba03bf24ff92baae53da483488f85e22", {}),
    "large number": ("99edce9f14feeb5e86af8368232084a407b785f0d37781b7c1747d76680db75b", {}),
    "first port": ("e0e8e16ed400b6c396e976c86a2511f2670ebd0fde8d1a48a5d42750ef30e2a7", {}),
    "second port": ("a545aca409c90acaec5cb31f3fdce8175cf20782253a89ff888d8cb1d9d306a4", {}),
    "Int parameter": ("c05131d322594bb5901602fa1d95590455a7bafc4a9b819178ae0882436b71df", {"P": "1"}),
    "Float parameter": ("c1c4b467c7a42e8be2ea18a7d6b446cc2e824c6563c9629a6ed608b9cb38396b", {"P": "0.25"}),
    "Boolean parameter": ("16bab70dc4596f4f1c2429e526db04d8ed01beb87ed8ca247dc0aaf490c1e18c", {"P": "true"}),
    "Enumerated parameter": (
        "6a39172deb07b14e172f2e70cd8f229013278aff65e6e9360c5d4467035f36d6",
        {"P": "Replace with mean"},
    ),
    "String parameter": ("f0ce21a3c8205d63b23677345f02e52ef63dc1bb35f9d1e3775902b70146e173", {"P": "a"}),
    "ColumnPicker parameter": (
        "ae4986db235eae221758eda1eb002f48803d00443a99d17f4c2ba44a5901d385",
        {"P": '{"isFilter":true,"rules":[{"columns":["a","b"],"exclude":false,"ruleType":"ColumnNames"}]}'},
    ),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_an_identity_once_given_is_kept(feature: str) -> None:
    """Another digest for the same graph would train everything anew."""
    definition = FEATURES[feature]
    given = {name: "0.25" for name, one in parameters(definition).items() if one.default is None}
    assert (identity(definition), resolved_parameters(definition, given)) == RECORDED[feature]


def test_what_was_recorded_is_all_different() -> None:
    """Each feature is seen by the digest."""
    assert len({digest for digest, _ in RECORDED.values()}) == len(RECORDED) == len(FEATURES)


LEARNERS = json.loads((Path(__file__).parent / "identities.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", [name for name, one in BY_NAME.items() if isinstance(one, Learner) and not one.inputs]
)
def test_what_a_learner_is_trained_with_by_default_is_kept(name: str) -> None:
    """A parameter that is added to one is `later`; a new learner gets its row in the file. Never change one."""
    assert identity(learner(name)) == LEARNERS[name]


def test_a_parameter_that_a_module_got_later_counts_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that were trained before it are found again; another value of it is another model."""
    later = Parameter("Threads", "Int", 1, later=True)
    module = type(BY_NAME["Linear Regression"])
    monkeypatch.setattr(module, "parameters", (*module.parameters, later))
    assert identity(small()) == RECORDED["small"][0]
    assert identity(edited(set_("learner", "Threads", 1), small())) == RECORDED["small"][0]
    assert identity(edited(set_("learner", "Threads", 2), small())) != RECORDED["small"][0]


def shuffled(chance: random.Random, of: dict[str, Any]) -> dict[str, Any]:
    items = list(of.items())
    chance.shuffle(items)
    return dict(items)


def end(names: dict[str, str], text: str) -> str:
    node, dot, port = text.partition(".")
    return names[node] + dot + port


def rewritten(definition: Definition, chance: random.Random) -> Definition:
    """The same graph with other names, another order, more words, and more beside it."""
    d = copy.deepcopy(definition)
    fresh = [f"n{number}" for number in range(len(d["nodes"]))]
    chance.shuffle(fresh)
    names = dict(zip(d["nodes"], fresh, strict=True))
    d["nodes"] = {names[node]: body for node, body in d["nodes"].items()}
    for edge in d["edges"]:
        edge["from"], edge["to"] = end(names, edge["from"]), end(names, edge["to"])
    for parameter in d.get("parameters", {}).values():
        parameter["description"] = "said otherwise"
        for link in parameter["links"]:
            link["node"] = names[link["node"]]
        chance.shuffle(parameter["links"])
    first = next(node for node, body in d["nodes"].items() if "input" in body)
    d["nodes"] |= {
        "aside": {"module": "Clean Missing Data", "parameters": {"Replacement value": str(chance.random())}},
        "shown": {"output": "rows"},
    }
    d["edges"] += [{"from": first, "to": "aside"}, {"from": "aside", "to": "shown"}]
    d["parameters"] = d.get("parameters", {}) | {
        "aside": {
            "type": "Float",
            "default": "0.5",
            "links": [{"node": "aside", "parameter": "Minimum missing value ratio"}],
        }
    }
    chance.shuffle(d["edges"])
    d["nodes"], d["parameters"] = shuffled(chance, d["nodes"]), shuffled(chance, d["parameters"])
    return d | {"name": "otherwise", "description": str(chance.random())}


def spelt(parameter: Parameter, value: Any, chance: random.Random) -> Any:
    """Another way to write *value*."""
    ways = [value]
    match parameter.type:
        case "Int" | "Float":
            ways += [str(value), f" {value} ", float(value)]
            if parameter.type == "Float":
                ways += [f"{float(value):.17g}", f"{float(value):.17e}"]
        case "Boolean":
            ways += [str(value), str(value).lower(), str(value).upper()]
        case "Enumerated":
            ways += [value.upper(), f" {value.lower()} "]
        case "ColumnPicker" if value is not None:
            names = [name for rule in value.rules for name in rule.columns]
            ways = [value.text()]
            if names and not any(rule.all_columns or rule.exclude for rule in value.rules):
                single = [{"ruleType": "ColumnNames", "columns": [name], "exclude": False} for name in names]
                ways += [names, [*names, names[0]], ", ".join(names), {"rules": single}]
    return chance.choice(ways)


def explicit(definition: Definition, chance: random.Random) -> Definition:
    """Every parameter written out, each in some way."""
    d = copy.deepcopy(definition)
    for step in parse_experiment(definition).steps:
        written = d["nodes"][step.id].setdefault("parameters", {})
        for parameter in step.module.parameters:
            value = step.parameters[parameter.name]
            if value is not REQUIRED and value is not None:
                written[parameter.name] = spelt(parameter, value, chance)
    return d


@given(feature=st.sampled_from(sorted(FEATURES)), seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_nothing_else_counts(feature: str, seed: int) -> None:
    """Names, order, words, ways of writing, explicit defaults and unconnected nodes leave the identity as it is."""
    chance, definition = random.Random(seed), FEATURES[feature]
    same = rewritten(explicit(definition, chance), chance)
    assert identity(same) == identity(definition)
    given = {name: "0.25" for name, one in parameters(definition).items() if one.default is None}
    assert resolved_parameters(same, given) == resolved_parameters(definition, given)


def test_names_of_the_only_input_and_output_do_not_count() -> None:
    """The name under which data comes in or a model goes out says nothing of the model."""
    renamed = small(data={"input": "rows"}, model={"output": "trained"})
    assert identity(renamed) == identity(small())
    twice = small(again={"output": "again"})
    twice["edges"].append({"from": "train", "to": "again"})
    assert identity(twice) == identity(small())


def exchanged(d: Definition, kind: str) -> None:
    first, second = (body for body in d["nodes"].values() if kind in body)
    first[kind], second[kind] = second[kind], first[kind]


def test_which_of_several_counts() -> None:
    """Where there are two inputs or two models, their names say which is which."""
    assert identity(edited(lambda d: exchanged(d, "input"), compared())) != identity(compared())
    assert identity(edited(lambda d: exchanged(d, "output"), two_models())) != identity(two_models())


def changes() -> dict[str, Callable[[Definition], Any]]:
    """Another value for each parameter of each node of the flights experiment that no web service parameter sets."""
    experiment = parse_experiment(FLIGHTS)
    by_link = {link for parameter in experiment.parameters.values() for link in parameter.links}
    found: dict[str, Callable[[Definition], Any]] = {}
    for step in experiment.steps:
        for parameter in step.module.parameters:
            value = step.parameters[parameter.name]
            if (step.id, parameter.name) in by_link or len(parameter.allowed) == 1:
                continue
            match parameter.type:
                case "Int":
                    value = value + 1
                case "Float":
                    value = value / 2 + 0.125
                case "Boolean":
                    value = not value
                case "Enumerated":
                    value = next(choice for choice in parameter.allowed if choice != value)
                case "ColumnPicker":
                    value = ["month"]
                case "IntRange" | "FloatRange":
                    value = list(value)[1:]
                case _:
                    value += "x"
            found[f"{step.id}.{parameter.name}"] = set_(step.id, parameter.name, value)
    return found


CHANGES = changes() | {
    "order of columns": set_(
        "columns",
        "Select columns",
        FLIGHTS["nodes"]["columns"]["parameters"]["Select columns"][::-1],
    ),
    "another learner": lambda d: d["nodes"]["learner"].update(module="Boosted Decision Tree Regression"),
    "the other part of the split": lambda d: d["edges"][8].update({"from": "split.Results dataset2"}),
    "a step left out": lambda d: d["edges"][2].update({"from": "columns"}),
    "no evaluation": lambda d: (d["nodes"].pop("evaluation"), d["edges"].pop()),
    "a parameter that nothing sets from outside": lambda d: d["parameters"].pop("Learning rate"),
    "another name of a parameter": lambda d: d["parameters"].update(
        rate=d["parameters"].pop("Learning rate")
    ),
    "two parameters exchanged": lambda d: [
        d["parameters"][name]["links"][0].update(parameter=other)
        for name, other in {
            "Number of trees constructed": "Maximum number of leaves per tree",
            "Maximum number of leaves per tree": "Number of trees constructed",
        }.items()
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_determines_the_model_counts(change: str) -> None:
    """Each parameter, module and edge that the model or its evaluation depends on."""
    assert identity(edited(CHANGES[change])) != identity(FLIGHTS)


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (edited(lambda d: d["nodes"]["score"].update(module="Score")), 'there is no module "Score"'),
        (edited(lambda d: d["nodes"].pop("evaluate")), 'no node "evaluate"'),
        (
            edited(lambda d: (d["nodes"].pop("model"), d["edges"].pop(-2))),
            "no web service output for a trained model",
        ),
    ],
)
def test_what_cannot_be_trained_has_no_identity(definition: Definition, says: str) -> None:
    """It is refused as it is when it is published."""
    with pytest.raises(GraphError, match=says):
        identity(definition)
