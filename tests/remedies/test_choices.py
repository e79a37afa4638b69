"""A choice that is refused, of versions, rings, rules and runs, and the one that its remedy asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients.credentials import resolve_target
from clients.existing import ExistingService, ExistingWorkspace, endpoint_name
from clients.storage.account import StorageAccount, judge
from retrain_hooks.binding.bake_rules import BakeRule
from retrain_hooks.binding.inputs import ModelBindingInputs
from retrain_hooks.data.versions import choose
from retrain_hooks.experiments.package import load
from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.gate.measuring.labels import Label
from retrain_hooks.gate.rules import MetricRule
from retrain_hooks.notifications.channels import channel_of
from retrain_hooks.registry.catalogue import find
from retrain_hooks.registry.ledger import Ledger, Run
from tests.healing import Told, case
from tests.remedies.test_values import PACKAGE, outputs_of, without
from tests.unit.fakes import MemoryContainer

GROUP = "/subscriptions/s/resourceGroups/g"
NEW = f"{GROUP}/providers/Microsoft.MachineLearning/webServices/prices"
KEY = "Zm9vYmFy"
ACCOUNT = f"AccountName=flights;AccountKey={KEY};EndpointSuffix=core.windows.net"
CASES = ("act", "wrong", "right")


def versions(*there: str) -> Callable[[Any], object]:
    return lambda version: choose(version, there, "flights")


def called(names: list[str]) -> object:
    return choose("latest", names, "flights")


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "write it like 2013-01..2013-03, the earlier end first",
            versions("2013-01", "2013-02"),
            "2013-02..2013-01",
            "2013-01..2013-02",
        ),
        case("set both ends to data versions that exist", versions("1", "2", "3"), "1..4", "1..3"),
        case(
            "write it like 2013-01..2013-03, or name one data version",
            versions("2013-01", "test"),
            "2013-01..test",
            "2013-01",
        ),
        case(
            "name the data version that is meant instead, or write all of them alike",
            versions("12-2012", "01-2013"),
            "latest",
            "01-2013",
            name="the one that is meant",
        ),
        case(
            "name the data version that is meant instead, or write all of them alike",
            called,
            ["1", "01"],
            ["01", "02"],
            name="all alike",
        ),
    ],
)
def test_data_versions(remedy: Told, act: Callable[[Any], object], wrong: object, right: object) -> None:
    """One that is named as it says is found."""
    remedy.fails(lambda: act(wrong))
    assert act(right).names  # type: ignore[attr-defined]


SERVICE = {"id": "1" * 32, "workspace": {"resource": f"{GROUP}/x/y", "id": "2" * 32}, "kind": "classic"}


def rings(*rings: dict[str, Any], endpoint: str = "live") -> dict[str, Any]:
    return {
        "target": "local",
        "service": SERVICE,
        "resource": "m",
        "stagingEndpoint": "staging",
        "address": "",
        "endpointName": endpoint,
        "rings": rings,
    }


def ring(*endpoints: str, name: str = "") -> dict[str, Any]:
    return {"endpoints": endpoints, "name": name}


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "name each endpoint once",
            ModelBindingInputs.parse,
            rings(ring("a", "A"), ring("live")),
            rings(ring("a"), ring("live")),
        ),
        case(
            "give one of the two another name",
            ModelBindingInputs.parse,
            rings(ring("Staging"), ring("live")),
            rings(ring("pilot"), ring("live")),
        ),
        case(
            "give each ring a name of its own",
            ModelBindingInputs.parse,
            rings(ring("a", name="r"), ring("live", name="r")),
            rings(ring("a", name="r"), ring("live", name="s")),
        ),
        case(
            "name one or more endpoints for it",
            ModelBindingInputs.parse,
            rings(ring(name="r"), ring("live")),
            rings(ring("pilot", name="r"), ring("live")),
        ),
        case(
            "let the last ring begin with it",
            ModelBindingInputs.parse,
            rings(ring("pilot"), endpoint="live"),
            rings(ring("pilot"), ring("live")),
        ),
        case(
            "write shares in percent that rise, such as [10, 50, 100]",
            lambda steps: ModelBindingInputs.parse({**rings(ring("live")), "steps": steps}),
            (50, 50, 100),
            (10, 50, 100),
        ),
        case(
            "write it like errors <= 0.01, p95 <= 250, shift <= 0.2, or like my_checks:steady",
            BakeRule.parse,
            "errors < few",
            "errors <= 0.01",
        ),
    ],
)
def test_rings(remedy: Told, act: Callable[[Any], object], wrong: object, right: object) -> None:
    """Rings that can be gone through."""
    remedy.fails(lambda: act(wrong))
    act(right)


@pytest.mark.heals("write def {}(seen) into {}.py in the project")
def test_a_check_of_ones_own(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that it names, with the function that it names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    remedy.fails(lambda: BakeRule.parse("checks_of_mine:steady"))
    Path("checks_of_mine.py").write_text("def steady(seen):\n    return True\n")
    assert BakeRule.parse("checks_of_mine:steady").judge(None) == ""  # type: ignore[arg-type]


def gate(*rules: str) -> GateInputs:
    return GateInputs.parse({"rules": rules})


COLUMNS = ["arr_delay", "carrier"]


def label(rule: str) -> None:
    found = Label.parse(rule)
    found.find(COLUMNS, "flights 2013-03")
    found.find_value({"UA", "AA"}, "flights 2013-03")


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "write it like auc >= 0.65, or like auc >= champion - 0.01",
            MetricRule.parse,
            "auc is good",
            "auc >= champion - 0.01",
            name="no rule",
        ),
        case(
            "write it like auc >= 0.65, or like auc >= champion - 0.01",
            MetricRule.parse,
            "area >= 0.65",
            "auc >= 0.65",
            name="no metric",
        ),
        case(
            "write it like auc >= 0.65, or like auc >= champion - 0.01",
            MetricRule.parse,
            "auc >= champion - 1",
            "auc >= champion - 0.01",
            name="it cannot differ by so much",
        ),
        case("{}: a share is written 0.65, not 65", MetricRule.parse, "auc >= 65", "auc >= 0.65"),
        case(
            "compare a metric with the same metric of the champion",
            MetricRule.parse,
            "auc >= champion.accuracy",
            "auc >= champion.auc",
        ),
        case(
            "write it like delay >= 15, or like Diagnosis == malignant",
            label,
            "arr_delay=>15",
            "arr_delay >= 15",
        ),
        case(
            "correct the gate's label, or the holdout's path and version",
            label,
            "Arr_Delay >= 15",
            "arr_delay >= 15",
        ),
        case(
            "correct the gate's label, or the holdout's path and version",
            label,
            "carrier == Ua",
            "carrier == UA",
            name="no such value",
        ),
    ],
)
def test_gates(remedy: Told, act: Callable[[Any], object], wrong: object, right: object) -> None:
    """Rules and labels."""
    remedy.fails(lambda: act(wrong))
    act(right)


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "give each one of webhook, webhookFrom, file or command, and at most events and seconds beside it",
            channel_of,
            {"file": "a", "webhook": "https://a"},
            {"file": "a", "events": ["bound"], "seconds": 3},
        ),
        case("write the address, path or command as a text", channel_of, {"file": 7}, {"file": "7"}),
        case(
            "list some of: {}",
            channel_of,
            {"file": "a", "events": ["born"]},
            {"file": "a", "events": ["bound"]},
        ),
        case(
            "give seconds, at most 60", channel_of, {"file": "a", "seconds": 61}, {"file": "a", "seconds": 60}
        ),
        case(
            'write it as ["./notify.sh", "an argument"]',
            channel_of,
            {"command": "./notify.sh"},
            {"command": ["./notify.sh"]},
        ),
        case(
            "give a web address",
            channel_of,
            {"webhook": "hooks.example"},
            {"webhook": "https://hooks.example"},
        ),
    ],
)
def test_notifications(remedy: Told, act: Callable[[Any], object], wrong: object, right: object) -> None:
    """Entries of `notifications`."""
    remedy.fails(lambda: act(wrong))
    act(right)


@pytest.mark.heals("give its url, or the name of the environment variable that holds it")
def test_a_webhook_of_a_program(remedy: Told) -> None:
    """Either of the two."""
    from retrain_hooks.notifications.channels import Webhook

    remedy.fails(lambda: Webhook(url="https://a", url_from="A"))
    assert Webhook(url="https://a")
    assert Webhook(url_from="A")


def packaged(folder: Path) -> Callable[[Any], object]:
    def act(given: Any) -> object:
        part, definition = given
        file = folder / "experiments" / "mine" / f"{part}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        if definition is not None:
            file.write_text(definition if isinstance(definition, str) else json.dumps(definition))
        return load("mine", part, folder).reference()

    return act


def predictive(*more: dict[str, Any]) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = [
        {"input": "input1"},
        {"module": "Score Model"},
        {"output": "output1"},
        *more,
    ]
    edges = [("n0", "n1.Dataset"), ("n1", "n2"), ("n3", "n1.Trained model")]
    return {
        "name": "mine",
        "nodes": {f"n{at}": node for at, node in enumerate(nodes)},
        "edges": [{"from": one, "to": other} for one, other in edges],
    }


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(
            ("training", without(*outputs_of("Trained model"))),
            ("training", PACKAGE),
            marks=pytest.mark.heals(
                "connect the port `Trained model` of a Train Model module to a web service output"
            ),
        ),
        pytest.param(
            ("training", without(*outputs_of("Evaluation results"))),
            ("training", PACKAGE),
            marks=pytest.mark.heals(
                "connect the port `Evaluation results` of an Evaluate Model module to a web service output"
            ),
        ),
        pytest.param(
            ("training", "{"),
            ("training", PACKAGE),
            marks=pytest.mark.heals("correct the file", at="retrain_hooks/experiments/package.py"),
        ),
        pytest.param(
            ("training", None),
            ("training", PACKAGE),
            marks=pytest.mark.heals("create experiments/{}/{}.json or name one that exists"),
        ),
        pytest.param(
            ("training", {"nodes": {}}),
            ("training", PACKAGE),
            marks=pytest.mark.heals("give it nodes and edges"),
        ),
        pytest.param(
            ("predictive", predictive({"trainedModel": "m"}, {"input": "input2"})),
            ("predictive", predictive({"trainedModel": "m"})),
            marks=pytest.mark.heals('give it one node {"input": "input1"}, where the data enters'),
        ),
        pytest.param(
            ("predictive", predictive()),
            ("predictive", predictive({"trainedModel": "m [trained model]"})),
            marks=pytest.mark.heals(
                'give it one node {"trainedModel": "… [trained model]"} that feeds Score Model'
            ),
        ),
    ],
)
def test_experiments(remedy: Told, tmp_path: Path, wrong: object, right: object) -> None:
    """A package that is corrected as it says can do its part."""
    act = packaged(tmp_path)
    remedy.fails(lambda: act(wrong))
    act(right)


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "give a New service's resource id, a classic one's management URL (…/workspaces/ID/webservices/ID) or its id of 32 hex digits; ./dev adopt lists them",
            ExistingService.parse,
            "flights",
            "1" * 32,
        ),
        case(
            "give a resource id, /subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearning/workspaces/NAME",
            ExistingWorkspace.parse,
            "flights",
            f"{GROUP}/providers/Microsoft.MachineLearning/workspaces/flights",
        ),
        case(
            "give …/webservices/ID/endpoints/NAME or the name of a classic endpoint, or the resource id of the New service",
            lambda text: endpoint_name(text, NEW),
            "1" * 32,
            NEW,
        ),
        case(
            "set `target` in the stack's config to local or environment",
            lambda name: resolve_target(name, {"RETRAIN_STORAGE_CONNECTION_STRING": ACCOUNT}),
            "azure",
            "environment",
        ),
        case(
            "set it in the environment",
            lambda env: resolve_target("environment", env),
            {},
            {"RETRAIN_STORAGE_CONNECTION_STRING": ACCOUNT},
        ),
        case(
            "set RETRAIN_STUDIO_URL, or use web services of kind new",
            lambda env: resolve_target(
                "environment", {"RETRAIN_STORAGE_CONNECTION_STRING": ACCOUNT} | env
            ).studio("w"),
            {},
            {"RETRAIN_STUDIO_URL": "http://studio"},
        ),
        case(
            "copy the whole of it from the storage account's access keys: AccountName, AccountKey, EndpointSuffix",
            judge,
            "AccountName=flights",
            ACCOUNT,
        ),
        case(
            "New web services read models with the account's key: give a connection string with one",
            StorageAccount.parse,
            "AccountName=flights;SharedAccessSignature=sv=1",
            ACCOUNT,
        ),
    ],
)
def test_what_is_there_and_where(
    remedy: Told, act: Callable[[Any], object], wrong: object, right: object
) -> None:
    """Ids of services, targets, connection strings."""
    remedy.fails(lambda: act(wrong))
    act(right)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(
            "xyz", "0a1", marks=pytest.mark.heals("give the first digits of a key that ./dev runs shows")
        ),
        pytest.param("0a", "0a1", marks=pytest.mark.heals("give more digits")),
        pytest.param(
            "ff",
            "0a1",
            marks=pytest.mark.heals(
                "see ./dev runs for those that there are", at="retrain_hooks/registry/catalogue.py"
            ),
        ),
    ],
)
def test_runs_by_their_keys(remedy: Told, wrong: str, right: str) -> None:
    """The first digits of a key that is on record, enough of them."""
    ledger = Ledger(MemoryContainer())
    for key in ("0a1" + "0" * 61, "0a2" + "0" * 61):
        ledger.plan(Run(key, "flights", {}, planned_at="2026-01-01T00:00:00+00:00"))
    remedy.fails(lambda: find(ledger, wrong))
    assert find(ledger, right).key.startswith(right)
