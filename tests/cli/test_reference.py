"""Pages and schemas say what the code declares, and schemas take and refuse what the code takes and refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from cli.project import ROOT, project
from cli.reference import configuration, metrics, modules, resources, schemas, verbs
from graph import GraphError, parse_experiment
from graph.errors import ModuleFailure
from graph.modules import find, names, slug
from graph.package import read_package
from graph.spec import Parameter
from localcloud.server.api_table import short
from retrain_hooks import providers
from retrain_hooks.host.settings import refuse_unknown
from tests.e2e import wire
from tests.remedies import page as errors
from tests.remedies.collecting import Source

GRAPH = jsonschema.Draft7Validator(schemas.experiment())
STACK = jsonschema.Draft7Validator(schemas.stack())
FLIGHTS = ROOT / "experiments" / "flights"
Change = Callable[[dict[str, Any]], object]


def test_the_reference_of_resources_is_up_to_date() -> None:
    """It is rendered from the typed inputs; ./dev docs resources writes it anew."""
    assert resources.PAGE.read_text(encoding="utf-8") == resources.page()


def test_every_resource_is_described() -> None:
    """A lineage takes nothing; all others say what they take."""
    declared = {name.removesuffix("Provider") for name in vars(providers) if name.endswith("Provider")}
    missing = {
        name
        for name in declared - {"Lineage", "Resource", "_", "TrainedModel", "DataVersion"}
        if f"## {name}\n" not in resources.page()
    }
    assert missing == set()


def test_the_pages_of_modules_are_up_to_date() -> None:
    """A page a room, each module in one, and the index; ./dev docs modules writes them anew."""
    pages = {page.name: page.read_text(encoding="utf-8") for page in modules.FOLDER.glob("*.md")}
    assert pages == modules.pages()
    index = modules.INDEX.read_text(encoding="utf-8")
    assert index == modules.index(index)
    assert {name for name in names() if f"[{name}](modules/" not in index} == set()


def test_the_page_of_metrics_is_up_to_date() -> None:
    """It is rendered from the tasks; ./dev docs metrics writes it anew."""
    assert metrics.PAGE.read_text(encoding="utf-8") == metrics.page()


@pytest.mark.parametrize("reference", [verbs, configuration, errors], ids=lambda one: one.PAGE.stem)
def test_the_references_of_verbs_keys_and_errors_are_up_to_date(reference: Any) -> None:
    """They are rendered from what is declared; ./dev docs cli configuration errors writes them anew."""
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_every_key_of_a_stack_has_a_topic_and_an_example_that_holds() -> None:
    """A new key has to be given both; what a stack's file may not have is no example."""
    examples = [item for topic in configuration.TOPICS.values() for item in topic.examples.items()]
    own = [key for key, _ in examples]
    assert sorted(own) == sorted(project()["config"])
    for key, value in examples:
        STACK.validate({"config": {f"{project()['name']}:{key}": value}})


def test_every_verb_says_what_it_takes() -> None:
    """Each verb has its section, each option and argument its line with a text."""
    page = verbs.page()
    assert not re.findall(r"^\|.*\|  \|$", page, re.MULTILINE)
    assert {f"./dev {name}" for name in ("up", "data put", "cloud start")} <= set(
        re.findall(r"^#+ (.*)$", page, re.M)
    )


def test_every_call_on_the_page_of_the_wire_is_one_that_the_local_cloud_answers() -> None:
    """Operations that were renamed are read off the journal anew: ./dev docs wire."""
    answered = {f"{one.method} {short(one.path)}" for one in wire.operations()}
    told = wire.PAGE.read_text(encoding="utf-8").partition("## Blobs")[0]
    calls = re.findall(r"^\| `([A-Z]+ [^`]+)`", told, re.MULTILINE)
    assert len(calls) > 50
    assert [
        call for call in calls if call not in answered and not call.endswith("/score of the endpoint")
    ] == []


def test_every_remedy_is_on_the_page_of_errors() -> None:
    """As many as the source has."""
    source = Source()
    assert {remedy for _, remedy in errors.errors(source)} == set(source.remedies())


def test_the_schemas_are_up_to_date() -> None:
    """They are made from modules and configuration, and are schemas; ./dev docs schemas writes them anew."""
    for name, text in schemas.schemas().items():
        assert (schemas.FOLDER / name).read_text(encoding="utf-8") == text
        jsonschema.Draft7Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("path", sorted(ROOT.glob("experiments/*/*ing.json")), ids=str)
def test_the_experiments_of_the_repository_are_valid(path: Path) -> None:
    """Each graph that there is."""
    GRAPH.validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=str)
def test_the_stack_files_of_the_repository_are_valid(path: Path) -> None:
    """Each stack's file that there is."""
    STACK.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _set(node: str, parameter: str, value: Any) -> Change:
    return lambda package: package["nodes"][node].setdefault("parameters", {}).update({parameter: value})


FAULTS: dict[str, tuple[Change, str]] = {
    "an unknown module": (lambda p: p["nodes"]["train"].update(module="Train Everything"), "train"),
    "an unknown parameter": (_set("learner", "Learning speed", 1), "learner"),
    "a number out of range": (_set("learner", "Maximum number of leaves per tree", 1), "learner"),
    "a text for a number": (_set("learner", "Learning rate", "fast"), "learner"),
    "a choice that there is not": (_set("split", "Splitting mode", "Split Columns"), "split"),
    "no truth value": (_set("split", "Randomized split", 1), "split"),
    "no columns": (_set("columns", "Select columns", []), "columns"),
    "an unknown member of a node": (lambda p: p["nodes"]["flights"].update(kind="x"), "flights"),
    "an unknown type": (lambda p: p["nodes"]["flights"].update(types={"a": "Text"}), "flights"),
    "a node of two kinds": (lambda p: p["nodes"]["flights"].update(output="x"), "flights"),
    "an edge without an end": (lambda p: p["edges"][0].pop("to"), "edges"),
    "an unknown member": (lambda p: p.update(version=1), "version"),
    "no nodes": (lambda p: p.update(nodes={}), "nodes"),
    "an unknown type of a parameter": (lambda p: _first(p).update(type="Text"), ""),
    "a parameter without links": (lambda p: _first(p).update(links=[]), ""),
}


def _first(package: dict[str, Any]) -> Any:
    return next(iter(package["parameters"].values()))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_graph_is_refused_for_is_marked_at_the_same_place(fault: str) -> None:
    """The schema's error lies in the node, edge or parameter that `experiment check` names."""
    package = json.loads((FLIGHTS / "training.json").read_text(encoding="utf-8"))
    change, place = FAULTS[fault]
    change(package)
    with pytest.raises(GraphError) as refused:
        parse_experiment(package)
    place = place or next(iter(package["parameters"]))
    assert refused.value.target.partition(".")[0] == place
    found = [[*map(str, each.absolute_path), each.message] for each in GRAPH.iter_errors(package)]
    assert found
    assert all(place in "\n".join(each) for each in found), found


def _values(parameter: Parameter) -> Iterator[Any]:
    """Good and bad values of a parameter, near its ends above all."""
    yield from (
        None,
        True,
        "true",
        " FALSE ",
        0,
        1,
        -1,
        2.5,
        3.0,
        "7",
        "1e2",
        "x",
        "",
        [],
        ["a"],
        [1],
        "a, b",
        {},
    )
    for end in (parameter.minimum, parameter.maximum, parameter.above):
        if end is not None:
            yield from (end, end - 1, end + 1)
    for choice in parameter.allowed:
        yield from (choice, choice.upper(), f" {choice.lower()} ", f"{choice}s")
    yield {"rules": [{"ruleType": "AllColumns"}]}
    yield {"rules": [{"ruleType": "Columns"}]}


@pytest.mark.parametrize("name", names())
def test_a_modules_parameters_are_judged_alike(name: str) -> None:
    """What a schema refuses is refused by the graph, and what the graph refuses, but for the range of a text, by the schema."""
    module = find(name)
    assert module is not None
    definitions = GRAPH.schema["definitions"]
    judge = GRAPH.evolve(schema={**definitions[slug(name)], "definitions": definitions})
    for parameter in module.parameters:
        for value in _values(parameter):
            try:
                parameter.parse(value)
                taken = True
            except ModuleFailure:
                taken = False
            valid = judge.is_valid({parameter.name: value})
            if valid != taken:
                bounded = isinstance(value, str | list) and parameter.type not in ("Boolean", "Enumerated")
                assert valid, (parameter.name, value)
                assert bounded, (parameter.name, value)


def test_a_schema_in_a_file_changes_nothing() -> None:
    """`$schema` is read over: the package, and what follows from it, is the same."""
    text = (FLIGHTS / "training.json").read_text(encoding="utf-8")
    told = text.replace("{", '{"$schema": "../../schemas/experiment.json",', 1)
    assert read_package(told) == read_package(text)
    assert parse_experiment(json.loads(told)) == parse_experiment(json.loads(text))
    GRAPH.validate(json.loads(told))


@pytest.mark.parametrize(
    ("settings", "valid"),
    [
        ({"retraining:gateRules": ["auc >= 0.6"], "retraining:seed": 3}, True),
        ({"retraining:seed": "3", "azure-native:location": "westeurope"}, True),
        ({"retraining:dataVersion": 2013, "retraining:kind": "new", "retraining:task": ""}, True),
        ({"retraining:kind": "azure"}, False),
        ({"retraining:seed": "three"}, False),
        ({"retraining:gateRules": "auc >= 0.6"}, False),
        ({"retraining:fleetConcurrency": 0}, False),
        ({"retraining:watchPolicy": "always"}, False),
    ],
)
def test_a_stacks_settings_are_judged(settings: dict[str, Any], valid: bool) -> None:
    """By type, choices and bounds; keys of other namespaces belong to others."""
    assert STACK.is_valid({"config": settings}) is valid


def test_a_stacks_key_that_there_is_not_is_marked() -> None:
    """As an update refuses it; what Pulumi itself writes beside the configuration is let be."""
    wrong = {"config": {"retraining:gateRule": []}, "encryptionsalt": "v1:x"}
    with pytest.raises(Exception, match="gateRule"):
        refuse_unknown(wrong["config"], {"gateRules"}, "retraining")  # type: ignore[arg-type]
    (error,) = STACK.iter_errors(wrong)
    assert "'retraining:gateRule'" in error.message
