"""Data Factory pipelines in the shapes that its documents and exports have, mistakes and all → program and stack file."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.errors import CliError
from cli.services.adoption import Choice, program
from cli.services.data_factory.carrying import carry, stack_file
from cli.services.data_factory.documents import read
from cli.services.data_factory.pipeline import retraining
from cli.services.data_factory.values import Blob, secrets_in
from clients.inventory import FoundEndpoint, FoundService, FoundWorkspace
from clients.protocols import Contract

WORKSPACE, TRAINING, SCORING = "a" * 32, "b" * 32, "c" * 32
API = f"https://ussouthcentral.services.azureml.net/workspaces/{WORKSPACE}/services"
GROUP = "/subscriptions/s/resourceGroups/g"
NEW = f"{GROUP}/providers/Microsoft.MachineLearning/webServices/prices"
KEY = "s3cretKeyOfSomebody/0123456789=="
ASKED = Choice("", "", "", "", "1", "", "")
Body = dict[str, Any]


def linked(name: str, kind: str, **own: Any) -> Body:
    return {"name": name, "properties": {"type": kind, "typeProperties": own}}


STORE = linked(
    "store",
    "AzureStorage",
    connectionString={"type": "SecureString", "value": f"AccountName=prices;AccountKey={KEY}"},
)
TRAINER = linked("trainer", "AzureML", mlEndpoint=f"{API}/{'d' * 32}/jobs?api-version=2.0", apiKey=KEY)
CLASSIC_SCORER = linked(
    "scorer",
    "AzureML",
    mlEndpoint=f"{API}/{'e' * 32}/jobs",
    apiKey=KEY,
    updateResourceEndpoint=f"https://management.azureml.net/workspaces/{WORKSPACE}/webservices/{SCORING}/endpoints/prod",
)
NEW_SCORER = linked(
    "scorer",
    "AzureML",
    mlEndpoint=f"{API}/{'e' * 32}/jobs",
    apiKey={"type": "SecureString", "value": KEY},
    updateResourceEndpoint=f"https://management.azure.com{NEW}?api-version=2016-05-01-preview. ",
    servicePrincipalId="1" * 32,
    servicePrincipalKey={"type": "SecureString", "value": KEY},
    tenant="example.com",
)


def reference(name: str, kind: str = "LinkedService") -> Body:
    return {"referenceName": name, "type": f"{kind}Reference"}


def at(path: Any) -> Body:
    return {"LinkedServiceName": reference("store"), "FilePath": path}


def v2(path: Any = "data/prices/2013-01.csv", **more: Any) -> Body:
    """A pipeline of version 2."""
    own = {
        "webServiceInputs": {"input1": at(path)},
        "webServiceOutputs": {"model": at("models/new.ilearner"), "report": at("models/report.csv")},
        "globalParameters": {"Rate": "0.1"},
    }
    train = {
        "name": "getModel",
        "type": "AzureMLBatchExecution",
        "linkedServiceName": reference("trainer"),
        "typeProperties": own | more.pop("own", {}),
        "policy": {"timeout": "0.02:00:00", "retry": 2},
    }
    update = {
        "name": "bindModel",
        "type": "AzureMLUpdateResource",
        "linkedServiceName": reference("scorer"),
        "typeProperties": {
            "trainedModelName": "Prices [trained model]",
            "trainedModelLinkedServiceName": reference("store"),
            "trainedModelFilePath": "models/new.ilearner",
        },
        "dependsOn": [{"activity": more.pop("after", "getModel"), "dependencyConditions": ["Succeeded"]}],
    }
    return {"name": "retrain", "properties": {"activities": [train, update, *more.pop("others", ())]} | more}


def v1() -> list[Body]:
    """A pipeline of version 1, with its datasets and their slices."""
    slices = [{"name": "Month", "value": {"type": "DateTime", "date": "SliceStart", "format": "yyyy-MM"}}]
    data = {"folderPath": "data/prices", "fileName": "{Month}.csv", "partitionedBy": slices}
    sets = {
        "rows": data,
        "model": {"folderPath": "out", "fileName": "m.ilearner"},
        "nothing": {"folderPath": "any"},
    }
    activities = [
        {
            "name": "retraining",
            "type": "AzureMLBatchExecution",
            "inputs": [{"name": "rows"}],
            "outputs": [{"name": "model"}],
            "typeProperties": {"webServiceInput": "rows", "webServiceOutputs": {"output1": "model"}},
            "linkedServiceName": "trainer",
            "scheduler": {"frequency": "Month", "interval": 1},
        },
        {
            "name": "AzureML Update Resource",
            "type": "AzureMLUpdateResource",
            "inputs": [{"name": "model"}],
            "outputs": [{"name": "nothing"}],
            "typeProperties": {"trainedModelName": "Prices", "trainedModelDatasetName": "model"},
            "linkedServiceName": "scorer",
        },
    ]
    properties = {"activities": activities, "start": "2016-02-13T00:00:00Z", "end": "2016-02-14T00:00:00Z"}
    return [
        {"name": "pipeline", "properties": properties},
        *(
            {
                "name": name,
                "properties": {"type": "AzureBlob", "linkedServiceName": "store", "typeProperties": own},
            }
            for name, own in sets.items()
        ),
    ]


def there() -> list[FoundWorkspace]:
    """A workspace with what the linked services name."""
    return [
        FoundWorkspace(
            f"{GROUP}/providers/Microsoft.MachineLearning/workspaces/w",
            WORKSPACE,
            "",
            (
                FoundService(
                    "classic",
                    TRAINING,
                    Contract("train", ("input1",), ("model", "report")),
                    (
                        FoundEndpoint(
                            "default", "default", address=f"/workspaces/{WORKSPACE}/services/{'d' * 32}"
                        ),
                    ),
                ),
                FoundService(
                    "classic",
                    SCORING,
                    Contract("score", ("input1",), ("output1",), resources=("Prices",)),
                    (FoundEndpoint("default", "default"), FoundEndpoint("prod", "prod")),
                ),
            ),
        )
    ]


class Written:
    """What is written of some documents, and said besides."""

    def __init__(
        self,
        folder: Path,
        *documents: Any,
        found: list[FoundWorkspace] | None = None,
        asked: Choice = ASKED,
    ) -> None:
        paths = []
        for number, document in enumerate(documents):
            paths.append(folder / f"{number}.json")
            text = document if isinstance(document, str) else json.dumps(document)
            paths[-1].write_text(text, encoding="utf-8")
        factory = read(paths)
        self.found = retraining(factory)
        self.carried = carry(self.found, there() if found is None else found, asked, "local")
        self.program = program(self.carried.chosen)
        self.literals = {
            one.value for one in ast.walk(ast.parse(self.program)) if isinstance(one, ast.Constant)
        }
        self.stack = stack_file("retraining", self.carried.config)
        self.config = {
            key.partition(":")[2]: value for key, value in yaml.safe_load(self.stack)["config"].items()
        }
        self.left = "\n".join([*factory.mended, *self.found.left])
        self.give = "\n".join(self.found.give)
        assert KEY not in self.program + self.stack + self.left + self.give
        assert KEY in secrets_in([one.properties for one in factory.found.values()])


def test_a_pipeline_of_version_2_becomes_a_program_and_a_stack_file(tmp_path):
    """Services by their addresses, ports, data, parameters and the time that a job may take."""
    done = Written(tmp_path, v2(), STORE, TRAINER, CLASSIC_SCORER)
    assert {TRAINING, SCORING, "prod", "model", "report", "data", "Prices [trained model]"} <= done.literals
    assert done.config == {
        "target": "local",
        "dataPath": "prices/{version}.csv",
        "dataVersion": "2013-01",
        "parameters": {"Rate": "0.1"},
        "deadlineMinutes": 120,
    }
    assert "AZURE_CLIENT_SECRET" in done.give
    assert "the connection string of prices" in done.give
    assert "GIVE" not in done.program


def test_a_pipeline_of_version_1_has_datasets_slices_and_a_schedule(tmp_path):
    """What changes with the slice is the version; the schedule and the empty dataset stay behind."""
    done = Written(
        tmp_path,
        *v1(),
        STORE,
        TRAINER,
        CLASSIC_SCORER,
        asked=Choice("", "", "", "2013-05", "1", "", "report"),
    )
    assert done.config["dataPath"] == "prices/{version}.csv"
    assert done.config["dataVersion"] == "2013-05"
    assert {"output1", "report"} <= done.literals
    assert "the schedule of pipeline" in done.left


def test_a_version_that_changes_with_the_time_has_to_be_said(tmp_path):
    """Which one the present model has, only its owner knows."""
    with pytest.raises(CliError, match="data version that the present model"):
        Written(tmp_path, *v1(), STORE, TRAINER, CLASSIC_SCORER)


@pytest.mark.parametrize("after", ["getmodel", "somebody"])
def test_an_order_after_no_activity_is_said_and_goes_by_the_models_file(tmp_path, after):
    """As a sample of the public documents has it."""
    done = Written(tmp_path, v2(after=after), STORE, TRAINER, CLASSIC_SCORER)
    assert f"bindModel depends on '{after}', which is no activity here" in done.left
    assert TRAINING in done.literals


def test_a_new_service_is_named_by_its_resource_id(tmp_path):
    """Not seen in the target, it is named as the documents do; the endpoint is the service itself."""
    done = Written(tmp_path, v2(), STORE, TRAINER, NEW_SCORER)
    assert {NEW, "default"} <= done.literals
    assert "access to the predictive web service of the linked service scorer" in done.give


def test_addresses_that_are_no_addresses_leave_places_to_fill(tmp_path):
    """The documents' own placeholders: the program loads, and each place is named."""
    trainer = linked(
        "trainer", "AzureML", mlEndpoint="https://x/workspaces/xxx/services/--training--/jobs", apiKey=KEY
    )
    scorer = linked(
        "scorer",
        "AzureML",
        mlEndpoint="",
        apiKey=KEY,
        updateResourceEndpoint="https://x/workspaces/xxx/webservices/--scoring--/endpoints/endpoint2",
    )
    done = Written(tmp_path, v2(), STORE, trainer, scorer, found=[])
    assert {"GIVE the training web service", "GIVE the predictive web service", "endpoint2"} <= done.literals
    for part in ("training web service", "predictive web service", "workspace's resource id"):
        assert f"the {part}" in done.give


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/in.csv", ("{version}.csv", "in")),
        ("data/input", ("{version}", "input")),
        ("data/a/@{formatDateTime(utcnow(),'yyyy-MM')}.csv?sig=s3cret", ("a/{version}.csv", "")),
        ("data/a/{Year}-{Month}.csv", ("a/{version}.csv", "")),
        ("https://acc.blob.core.windows.net/data/v1.2.arff", ("{version}.arff", "v1.2")),
    ],
)
def test_the_path_of_a_blob_tells_its_versions(path, expected):
    """What changes with the time, else the file's name."""
    blob = Blob.parse(path)
    assert (blob.container, blob.versioned()) == ("data", expected)


def test_what_is_computed_or_secret_is_named_and_not_written(tmp_path):
    """Expressions, passwords, other activities, loops, triggers, further inputs."""
    own = {
        "webServiceInputs": {"input1": at("@pipeline().parameters.rows"), "input2": at("data/more.csv")},
        "globalParameters": {
            "Rate": {"value": "@pipeline().parameters.rate", "type": "Expression"},
            "Query": "$$Text.Format('SELECT {0}', WindowStart)",
            "Server user account password": "hunter22",
            "Store": f"AccountName=a;AccountKey={KEY}",
        },
    }
    trigger = {
        "name": "monthly",
        "properties": {
            "type": "ScheduleTrigger",
            "pipelines": [{"pipelineReference": reference("retrain", "Pipeline")}],
        },
    }
    copy = {"name": "copyRows", "type": "Copy", "typeProperties": {}}
    parameters = {
        "rows": {"type": "String", "defaultValue": "data/a/1.csv"},
        "rate": {"type": "Float", "defaultValue": 0.2},
    }
    pipeline = v2(own=own, parameters=parameters, others=[copy])
    pipeline["properties"]["activities"] = [
        {
            "name": "each",
            "type": "ForEach",
            "typeProperties": {"activities": pipeline["properties"]["activities"]},
        }
    ]
    done = Written(tmp_path, pipeline, STORE, TRAINER, CLASSIC_SCORER, trigger)
    assert (done.config["dataPath"], done.config["parameters"]) == ("a/{version}.csv", {"Rate": 0.2})
    for said in ("'Query'", "input2", "copyRows (Copy)", "each (ForEach)", "monthly (ScheduleTrigger)"):
        assert said in done.left
    assert "'Server user account password'" in done.give
    assert "hunter22" not in done.stack + done.left + done.give


def test_an_arm_template_holds_it_all(tmp_path):
    """An export: names are computed, values are parameters with defaults, secrets have none."""

    def resource(kind: str, body: Body) -> Body:
        name = f"[concat(parameters('factoryName'), '/{body['name']}')]"
        return {
            "type": f"Microsoft.DataFactory/factories/{kind}",
            "name": name,
            "properties": body["properties"],
        }

    scorer = json.loads(json.dumps(CLASSIC_SCORER).replace(KEY, "[parameters('scorer_apiKey')]"))
    template = {
        "parameters": {
            "factoryName": {"type": "string", "defaultValue": "prices"},
            "scorer_apiKey": {"type": "secureString", "defaultValue": KEY},
            "rate": {"type": "string", "defaultValue": "0.3"},
        },
        "variables": {"factoryId": "[concat('Microsoft.DataFactory/factories/', parameters('factoryName'))]"},
        "resources": [
            resource("pipelines", v2(own={"globalParameters": {"Rate": "[parameters('rate')]"}})),
            *(resource("linkedServices", one) for one in (STORE, TRAINER, scorer)),
        ],
    }
    done = Written(tmp_path, template)
    assert {TRAINING, SCORING, "prod"} <= done.literals
    assert done.config["parameters"] == {"Rate": "0.3"}


def test_comments_and_commas_that_are_no_json_are_passed_over_and_said(tmp_path):
    """With their lines; in a text they are none."""
    text = json.dumps(v2("data/a//b,}.csv"), indent=1).replace('"retry": 2', '"retry": 2, // twice')
    done = Written(tmp_path, f"/* mine */\n{text},", STORE, TRAINER, CLASSIC_SCORER)
    assert "0.json, line 1: a comment" in done.left
    assert done.left.count("a comma before the end") == 2
    assert done.config["dataVersion"] == "b,}"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('{"name": "a",\n "properties": {\n  "type": "x"\n }\n "more": 1\n}', r"line 4: not JSON"),
        ('{"name": "a",\n "properties": {', r"line 2: not JSON"),
        ('"typeProperties": {}', "line 1: not JSON"),
        ("[1]", "holds no resource"),
        ('{"a": 1}', "holds no resource"),
        ("[" * 100_000, "nested too deep|not JSON"),
        (json.dumps(STORE), "hold no pipeline"),
        ('{"name": "p", "properties": {"activities": []}}', "updates a model"),
    ],
)
def test_a_file_that_is_none_is_one_line_of_cause(tmp_path, text, cause):
    """With the file and its line; never what is in it."""
    (tmp_path / "p.json").write_text(text, encoding="utf-8")
    with pytest.raises(CliError, match=cause) as caught:
        retraining(read([tmp_path / "p.json"]))
    assert caught.value.remedy
    assert "\n" not in caught.value.cause


def test_what_is_not_among_the_files_is_named(tmp_path):
    """A pipeline by itself, as people have it first."""
    done = None
    (tmp_path / "p.json").write_text(json.dumps(v2()), encoding="utf-8")
    done = retraining(read([tmp_path / "p.json"]))
    for name in ("trainer", "scorer", "store"):
        assert (
            f"the linked service {name} is not among the files: add its file with --linked-services"
            in done.give
        )
