"""Adopting what exists, through ``./dev``: listed, written as a program, quiet, retrained, back, and left alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from cli.cloud.azurite import node
from clients.storage import Container
from clients.studio_data_plane.references import written
from localcloud.studio.web_services.schema import canonical
from tests.e2e.checkout import Checkout, Done, jobs, writes
from tests.npm.conftest import HOME, install

pytestmark = pytest.mark.cloud

EMBEDDED = ("--engine", "embedded")
RESOURCE = "Flight delay [trained model]"


@dataclass
class Chapter:
    """One command, and what it asked of the cloud."""

    done: Done
    journal: list[dict[str, Any]]

    @property
    def writes(self) -> list[str]:
        """What it wrote outside of the registry."""
        return [line for line in writes(self.journal) if "/registry/" not in line]


@dataclass
class Story:
    """The chapters of one adoption by name, on the stack *stack*."""

    checkout: Checkout
    stack: str
    chapters: dict[str, Chapter] = field(default_factory=dict)

    @classmethod
    def of(cls, checkout: Checkout, stack: str) -> Story:
        """A story on a new stack."""
        checkout.succeed("stack", "init", stack)
        return cls(checkout, stack)

    def tell(self, name: str, *arguments: str) -> Chapter:
        self.checkout.reset_journal()
        done = self.checkout.dev(*arguments, "-s", self.stack)
        self.chapters[name] = Chapter(done, self.checkout.journal())
        return self.chapters[name]

    def __getitem__(self, name: str) -> Chapter:
        return self.chapters[name]

    def program(self, *choice: str) -> str:
        """Let ``./dev adopt`` write the program of the checkout, and set its data version."""
        told = self.tell(
            "write", "adopt", "--write", "__main__.py", "--force", "--data-version", "2013-01", *choice
        )
        assert told.done.status == 0, told.done.text
        self.version("2013-01")
        return (self.checkout.root / "__main__.py").read_text()

    def version(self, version: str) -> None:
        path = self.checkout.root / f"Pulumi.{self.stack}.yaml"
        path.write_text(f"config:\n  retraining:dataVersion: {version}\n")

    def run(self) -> None:
        """From the first preview to the end of the stack."""
        self.tell("preview", "preview", "--steps", *EMBEDDED)
        self.tell("adopt", "up", "--yes", *EMBEDDED)
        self.tell("quiet", "preview", "--refresh", "--expect-no-changes", *EMBEDDED)
        self.version("2013-02")
        self.tell("retrain", "up", "--yes", *EMBEDDED)
        self.version("2013-01")
        self.tell("back", "up", "--yes", *EMBEDDED)
        self.tell("quiet again", "preview", "--expect-no-changes", *EMBEDDED)


def call(checkout: Checkout, method: str, path: str, version: str = "2017-01-01", body: Any = None) -> Any:
    """A call of Resource Manager as its owner."""
    cloud = checkout.cloud
    answer = requests.request(
        method,
        f"{cloud['studio']}{path}",
        params={"api-version": version},
        headers={"Authorization": f"Bearer {cloud['armToken']}"},
        json=body,
        timeout=30,
    )
    assert answer.status_code < 400 or method == "GET", answer.text
    return answer.json() if answer.content and answer.status_code < 400 else None


def services(checkout: Checkout) -> list[dict[str, Any]]:
    """All web services as ``./dev adopt --json`` lists them."""
    found = checkout.succeed("adopt", "--json").json
    return [{**service, "workspace": one["name"]} for one in found for service in one["services"]]


def assert_adopted(story: Story, update: str) -> None:
    """What every adoption shows; *update* is the write that binds the adopted endpoint."""
    for name, chapter in story.chapters.items():
        assert chapter.done.status == 0, f"{name}: {chapter.done.text}"
    assert story["write"].writes == []
    assert story["preview"].writes == []
    adopted = story["adopt"]
    assert jobs(adopted.journal) == 0
    assert update not in adopted.writes
    assert "nothing was trained" in adopted.done.text
    for name in ("quiet", "quiet again"):
        assert writes(story[name].journal) == []
    assert jobs(story["retrain"].journal) == 1
    assert story["retrain"].writes.count(update) == 1
    assert jobs(story["back"].journal) == 0
    assert story["back"].writes.count(update) == 1


@pytest.fixture(scope="module")
def prepared(checkout: Checkout) -> Checkout:
    """A checkout whose stack `dev` published classic services; then its program makes way for others."""
    checkout.up()
    shutil.copy(checkout.root / "__main__.py", checkout.root / "original.py")
    return checkout


def test_a_data_factory_pipeline_becomes_a_program_whose_preview_adopts(prepared, tmp_path):
    """Its linked services name the endpoints by their addresses; nothing is written by a preview, no key into a file."""
    found = {one["name"]: one for one in services(prepared)}
    training, predictive = (
        found[f"retraining-dev-flights-{part}"]["id"] for part in ("training", "predictive")
    )
    workspace = prepared.succeed("adopt", "--json").json[0]
    cloud = prepared.cloud
    root = f"{cloud['studio']}/workspaces/{workspace['id']}/webservices"
    keys = call(prepared, "POST", f"{workspace['resource']}/listWorkspaceKeys", "2019-10-01")
    headers = {"Authorization": f"Bearer {keys['primaryToken']}"}
    [trains] = requests.get(f"{root}/{training}/endpoints", headers=headers, timeout=30).json()
    store = {"connectionString": f"AccountName={cloud['account']};AccountKey={cloud['accountKey']}"}
    trainer = {"mlEndpoint": f"{trains['ApiLocation']}/jobs?api-version=2.0", "apiKey": trains["PrimaryKey"]}
    scorer = {
        "updateResourceEndpoint": f"{root}/{predictive}/endpoints/retrained",
        "apiKey": trains["SecondaryKey"],
    }
    linked = {
        "store": ("AzureStorage", store),
        "trainer": ("AzureML", trainer),
        "scorer": ("AzureML", scorer),
    }
    for name, (kind, own) in linked.items():
        body = {"name": name, "properties": {"type": kind, "typeProperties": own}}
        (tmp_path / f"{name}.json").write_text(json.dumps(body))

    def at(path: str) -> dict[str, Any]:
        return {"LinkedServiceName": {"referenceName": "store"}, "FilePath": path}

    ports = {"output1": at("models/m.ilearner"), "output2": at("models/report.csv")}
    train = {
        "name": "train",
        "type": "AzureMLBatchExecution",
        "linkedServiceName": {"referenceName": "trainer"},
        "typeProperties": {
            "webServiceInputs": {"input1": at("data/flights/2013-01.csv")},
            "webServiceOutputs": ports,
        },
    }
    update = {
        "name": "bind",
        "type": "AzureMLUpdateResource",
        "linkedServiceName": {"referenceName": "scorer"},
        "typeProperties": {"trainedModelName": RESOURCE, "trainedModelFilePath": "models/m.ilearner"},
        "dependsOn": [{"activity": "Train", "dependencyConditions": ["Succeeded"]}],
    }
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps({"name": "retrain", "properties": {"activities": [train, update]}}))
    story = Story.of(prepared, "factory")
    order = ("adopt", "--data-factory", str(file), "--linked-services", str(tmp_path))
    refused = story.tell("refused", *order)
    assert refused.done.status == 1
    assert "exists" in refused.done.err
    told = story.tell("written", *order, "--force")
    assert told.done.status == 0, told.done.text
    assert "depends on 'Train', which is no activity here" in told.done.out
    written = [(prepared.root / name).read_text() for name in ("__main__.py", "Pulumi.factory.yaml")]
    for secret in (cloud["accountKey"], trains["PrimaryKey"], trains["SecondaryKey"]):
        assert secret not in told.done.text + "".join(written)
    preview = story.tell("preview", "preview", "--steps", *EMBEDDED)
    assert preview.done.status == 0, preview.done.text
    model = r'modelAddress *: "models/retraining-dev-flights-training/[0-9a-f]{64}/1\.ilearner"'
    assert re.search(model, preview.done.text), preview.done.text
    assert preview.writes == []


@pytest.fixture(scope="module")
def classic(prepared: Checkout) -> Story:
    story = Story.of(prepared, "adopted")
    story.program(
        "--endpoint", "retrained", "--model-output", "output1", "--evaluation-output", "output2"
    )  # fmt: skip
    story.run()
    return story


def test_a_classic_endpoint_is_adopted_retrained_and_brought_back(classic):
    """No job and no PATCH until the data version changes; then one of each; going back makes no job."""
    [service] = [
        one for one in services(classic.checkout) if one["name"] == "retraining-dev-flights-predictive"
    ]
    workspace = classic.checkout.succeed("adopt", "--json").json[0]["id"]
    assert_adopted(classic, f"PATCH /workspaces/{workspace}/webservices/{service['id']}/endpoints/retrained")


def test_the_program_is_one_that_a_person_would_write(classic):
    """Ids, a revision, the data version of the present model; no secret, no address of this machine."""
    program = (classic.checkout.root / "__main__.py").read_text()
    compile(program, "__main__.py", "exec")
    assert 'revision="1",' in program
    assert 'data("present-data", "2013-01")' in program
    assert "http" not in program
    assert "sig=" not in program


def test_the_ledger_says_where_the_model_came_from(classic):
    """As a run like any other, finished, with the hash of its bytes."""
    runs = classic.checkout.succeed("runs", "--json").json
    [adopted] = [
        run
        for run in runs
        if run["experiment"] == "retraining-dev-flights-training" and run["seconds"] is None
    ]
    assert (adopted["state"], adopted["dataVersion"], adopted["auc"]) == ("finished", "2013-01", None)
    shown = classic.checkout.succeed("runs", "show", adopted["key"][:12])
    assert re.search(r"adopted\.endpoint +retrained", shown.out)
    assert "adopted.location" in shown.out


def test_destroy_leaves_what_was_adopted(classic):
    """It deletes the staging endpoint that the program made, and nothing else."""
    before = {one["id"] for one in services(classic.checkout)}
    done = classic.tell("destroy", "destroy", "--yes", *EMBEDDED)
    assert done.done.status == 0, done.done.text
    assert [line for line in done.writes if line.startswith("DELETE")] == [
        line for line in done.writes if "/endpoints/staging" in line
    ]
    assert {one["id"] for one in services(classic.checkout)} == before


# New web services, made by an npm client that knows nothing of this project


@pytest.fixture(scope="module")
def npm_service(prepared: Checkout) -> str:
    """A predictive New web service that azure-arm-machinelearning 1.1.0-preview created, and one that trains."""
    install()
    cloud = prepared.cloud
    shutil.copy(prepared.root / "original.py", prepared.root / "__main__.py")
    workspace = prepared.succeed("adopt", "--json").json[0]
    group = f"/subscriptions/{cloud['subscription']}/resourceGroups/theirs"
    call(prepared, "PUT", group, "2021-04-01", {"location": "southcentralus"})
    plan = f"{group}/providers/Microsoft.MachineLearning/commitmentPlans/theirplan"
    sku = {"name": "S1", "tier": "Standard", "capacity": 1}
    call(prepared, "PUT", plan, "2016-05-01-preview", {"location": "southcentralus", "sku": sku})
    for part in ("training", "predictive"):
        definition = exported(prepared, workspace, part)
        definition["properties"] |= {
            "storageAccount": {"name": cloud["account"], "key": cloud["accountKey"]},
            "commitmentPlan": {"id": plan},
        }
        definition["location"] = "southcentralus"
        definition["properties"]["packageProperty"] = definition["properties"].pop("package")
        npm(prepared, "createOrUpdate", "theirs", f"their-{part}", definition)
    return f"{group}/providers/Microsoft.MachineLearning/webServices/their-predictive"


def npm(checkout: Checkout, method: str, *arguments: Any) -> Any:
    """One call of the npm client's webServices."""
    cloud = checkout.cloud
    order = {
        "client": "webServices",
        "url": cloud["studio"],
        "subscription": cloud["subscription"],
        "token": cloud["armToken"],
        "operations": "webServices",
        "method": method,
        "arguments": arguments,
    }
    done = subprocess.run(
        [node(), "--no-deprecation", "call.cjs", json.dumps(order)],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answer = json.loads(done.stdout)
    assert "error" not in answer, answer
    return answer["value"]


def exported(checkout: Checkout, workspace: dict[str, Any], part: str) -> dict[str, Any]:
    """An experiment of the example as Studio exports it, with the baseline of the classic service as its model."""
    cloud = checkout.cloud
    keys = call(checkout, "POST", f"{workspace['resource']}/listWorkspaceKeys", "2019-10-01")
    root = f"{cloud['studio']}/api/workspaces/{workspace['id']}/experiments"
    headers = {"Authorization": f"Bearer {keys['primaryToken']}"}
    resources = []
    if part == "predictive":
        [served] = [
            one for one in workspace["services"] if one["name"] == "retraining-dev-flights-predictive"
        ]
        [default] = [one for one in served["endpoints"] if one["name"] == "default"]
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName={cloud['account']};"
            f"AccountKey={cloud['accountKey']};BlobEndpoint={cloud['blob']};"
        )
        address = default["serves"][RESOURCE].removeprefix("registry/")
        content, _etag = Container(connection, "registry", "").read(address)
        # Where Studio itself would have left it, not among our runs.
        theirs = Container(connection, "data", "")
        theirs.write("experimentoutput/7/7.ilearner", content, etag=None)
        resources = [
            {
                "Name": RESOURCE,
                "Kind": "TrainedModel",
                "Location": written(theirs.readable("experimentoutput/7/7.ilearner")),
            }
        ]
    graph = json.loads((checkout.root / f"experiments/flights/{part}.json").read_text())
    body = {"Description": f"their {part}", "Graph": graph, "Resources": resources}
    saved = requests.post(root, json=body, headers=headers, timeout=30).json()["ExperimentId"]
    shown = requests.get(f"{root}/{saved}/webservicedefinition", headers=headers, timeout=30).json()
    return dict(canonical(shown))


@pytest.fixture(scope="module")
def new(prepared: Checkout, npm_service: str) -> Story:
    story = Story.of(prepared, "theirs")
    story.program("--workspace", "theirs", "--predictive", "their-predictive")
    story.run()
    return story


def test_a_new_service_of_the_npm_client_is_adopted_and_bound_itself(new, npm_service):
    """Its definition tells ports and graph; the service itself is bound, by one PATCH when the data changes."""
    assert_adopted(new, f"PATCH {npm_service}")


def test_the_npm_client_reads_the_new_binding_back(new, npm_service):
    """After going back: the copy of its own model in the registry."""
    found = npm(new.checkout, "get", "theirs", "their-predictive")
    [model] = [one for one in found["properties"]["assets"].values() if one["type"] == "Resource"]
    address = new.checkout.succeed("output", "modelAddress", "-s", "theirs").out.strip()
    assert model["locationInfo"]["uri"].endswith(f"/registry/{address}")
    assert re.match(r"models/their-training/[0-9a-f]{64}/1\.ilearner", address)


def test_a_definition_goes_out_without_secrets_and_in_with_a_model(new, npm_service, tmp_path):
    """./dev definition export and import, with --model an address of the registry."""
    file = tmp_path / "definition.json"
    done = new.checkout.succeed("definition", "export", "their-predictive", "-o", str(file))
    text = file.read_text()
    assert "without secrets" in done.out
    assert new.checkout.cloud["accountKey"] not in text
    runs = new.checkout.succeed("runs", "--json").json
    [other] = [
        run for run in runs if run["experiment"] == "their-training" and run["dataVersion"] == "2013-02"
    ]
    address = f"models/their-training/{other['key']}/1.ilearner"
    done = new.checkout.succeed("definition", "import", str(file), "--model", address)
    assert npm_service in done.out
    after = json.loads(new.checkout.succeed("definition", "export", npm_service).out)
    [model] = [one for one in after["properties"]["assets"].values() if one["type"] == "Resource"]
    assert model["locationInfo"]["uri"].endswith(address)
    # What the program bound was changed behind its back: drift, and red.
    drift = new.checkout.dev("preview", "--refresh", "--expect-no-changes", "-s", "theirs", *EMBEDDED)
    assert drift.status == 1
    assert other["key"][:7] in drift.text


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("export", "nobody"), "there is no web service 'nobody'; there is: "),
        (("import", "missing.json"), "missing.json cannot be read"),
        (("import", "README.md"), "README.md is not JSON"),
        (("import", "experiments/flights/sample.json", "--name", "their-predictive"), "holds no definition"),
    ],
)
def test_what_cannot_be_done_is_one_cause_and_one_remedy(new, arguments, cause):
    """Without a traceback."""
    done = new.checkout.dev("definition", *arguments)
    assert done.status == 1
    assert cause in done.err
    assert "remedy: " in done.err
    assert "Traceback" not in done.text


def test_destroy_leaves_the_adopted_service(new, npm_service):
    """The staging service that the program made is deleted, theirs are not."""
    done = new.tell("destroy", "destroy", "--yes", *EMBEDDED)
    assert done.done.status == 0, done.done.text
    deleted = [line for line in done.writes if line.startswith("DELETE")]
    assert [line.partition("-staging")[0] for line in deleted] == [f"DELETE {npm_service}"]
    assert call(new.checkout, "GET", npm_service)["properties"]["provisioningState"] == "Succeeded"
