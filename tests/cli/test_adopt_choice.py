"""Which web services `./dev adopt --write` takes, and the program that it writes of them."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from cli.errors import CliError
from cli.services.adoption import Choice, choose, program
from clients.inventory import FoundEndpoint, FoundService, FoundWorkspace
from clients.protocols import Binding, Contract

GROUP = "/subscriptions/s/resourceGroups/g"
WEB = f"{GROUP}/providers/Microsoft.MachineLearning/webServices"
SERVES = (Binding("House price [trained model]", "c/7.ilearner"),)
TRAINING = FoundService(
    "classic", "1" * 32, Contract("retrain prices", ("input1",), ("output1", "output2")), (FoundEndpoint("default", "default"),)
)  # fmt: skip
PREDICTIVE = FoundService(
    "classic",
    "2" * 32,
    Contract("prices", ("input1",), ("output1",), resources=("House price [trained model]",)),
    (FoundEndpoint("default", "default", SERVES), FoundEndpoint("prod", "prod", SERVES)),
)
NEW = replace(
    PREDICTIVE,
    kind="new",
    id=f"{WEB}/new",
    contract=replace(PREDICTIVE.contract, name="new"),
    endpoints=(FoundEndpoint("default", f"{WEB}/new", SERVES),),
    location="South Central US",
)
FEEDS = {"a": "Trained model", "b": "Evaluation results"}
NEW_TRAINING = FoundService(
    "new", f"{WEB}/train", Contract("train", ("rows",), ("a", "b"), feeds=FEEDS), location="South Central US"
)
ASKED = Choice("", "", "", "2013-01", "1", "output1", "output2")


def there(*services: FoundService) -> list[FoundWorkspace]:
    return [
        FoundWorkspace(f"{GROUP}/providers/Microsoft.MachineLearning/workspaces/w", "9" * 32, "", services)
    ]


def values(text: str) -> set[str]:
    """The literals of a program."""
    return {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}


def test_what_there_is_one_of_need_not_be_named():
    """The default endpoint of a classic service is none that could be bound."""
    chosen = choose(there(TRAINING, PREDICTIVE), ASKED)
    assert (chosen.training, chosen.predictive, chosen.endpoint.name) == (TRAINING, PREDICTIVE, "prod")
    assert chosen.ports == {"model": "output1", "evaluation": "output2"}
    text = program(chosen)
    assert {"1" * 32, "2" * 32, "prod", "2013-01", "output2"} <= values(text)
    assert 'revision="1",' in text


def test_a_new_service_tells_its_ports_and_is_bound_itself():
    """Neither revision nor ports have to be said."""
    chosen = choose(there(NEW_TRAINING, NEW), replace(ASKED, model_output="", evaluation_output=""))
    text = program(chosen)
    assert {f"{WEB}/train", f"{WEB}/new", "default"} <= values(text)
    assert "revision" not in text
    assert "ports=" not in text


@pytest.mark.parametrize(
    ("services", "asked", "cause"),
    [
        ((TRAINING, PREDICTIVE), {"data_version": ""}, "data version that the present model was trained from"),
        ((TRAINING,), {}, "there is no predictive web service"),
        ((PREDICTIVE,), {}, "there is no training web service"),
        ((TRAINING, PREDICTIVE, NEW), {}, "more than one predictive web service: new, prices"),
        ((TRAINING, PREDICTIVE), {"training": "hats"}, "no training web service 'hats'; there is: retrain prices"),
        ((TRAINING, PREDICTIVE), {"endpoint": "default"}, "no endpoint that can be bound 'default'; there is: prod"),
        ((TRAINING, PREDICTIVE), {"model_output": ""}, "does not tell which of its outputs is the model: output1"),
        ((TRAINING, PREDICTIVE), {"model_output": "x"}, "has no output 'x'; it has: output1, output2"),
        ((TRAINING, PREDICTIVE), {"model_output": "output2"}, "model and evaluation are two outputs"),
        ((TRAINING, replace(PREDICTIVE, read_only=True)), {}, "prices is read-only"),
        ((TRAINING, replace(PREDICTIVE, problem="no answer")), {}, "there is no predictive web service"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_asked_for(services, asked, cause):
    """One cause, and the option that settles it."""
    with pytest.raises(CliError, match=cause) as refused:
        choose(there(*services), replace(ASKED, **asked))
    assert refused.value.remedy


def test_any_name_makes_a_program():
    """Quotes, line ends and the like of names stay text."""
    odd = 'a"b\\c """ \n {x} $y'
    training = replace(TRAINING, contract=replace(TRAINING.contract, name=odd))
    chosen = choose(there(training, PREDICTIVE), replace(ASKED, data_version='v$1 "2"', revision="r'\\"))
    assert {'v$1 "2"', "r'\\"} <= values(program(chosen))
