"""A local cloud in one process that has one of each, and a good call of each of its routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
from starlette.routing import Route

from graph import parse_experiment, run
from localcloud.arm.types import OPERATIONS
from localcloud.directory import routes as directory_routes
from localcloud.server import faults_routes, local_routes
from localcloud.studio.assets import routes as assets
from localcloud.studio.batch import routes as bes
from localcloud.studio.datasets import routes as datasets
from localcloud.studio.help import routes as apihelp
from localcloud.studio.management import routes as management
from localcloud.studio.request_response import routes as rrs
from localcloud.studio.workspaces import routes as workspaces
from localcloud.works.services import Resource
from tests.cloud.azureml.every_operation import Learning
from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING
from tests.studio.inside import CLOUD, Inside

WORKSPACE, TOKEN = "0" * 32, "workspace-token-of-this-test"
PLACE = {"BaseLocation": "http://127.0.0.1:9/", "RelativeLocation": "c/m.ilearner", "SasBlobToken": "?sig=x"}
BLOB = {
    "ConnectionString": "AccountName=a;AccountKey=a2V5",
    "RelativeLocation": "data/h.csv",
    "BaseLocation": None,
}


class House:
    """A local cloud with a training and a scoring web service, and what a good call of each route is."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        works = inside.works
        works.store.create_workspace(WORKSPACE, "ws", TOKEN, TOKEN)
        frame = pd.DataFrame({"area": [50.5, 80.0, 100.5, 120.0], "price": [101.0, 160.0, 201.0, 240.0]})
        model = run(parse_experiment(TRAINING), {"input1": frame}, parameters={})["output1"]
        assert isinstance(model, bytes)
        works.models.path("a" * 64).write_bytes(model)
        held = Resource(RESOURCE, "http://127.0.0.1:9/", "c/m.ilearner", "a" * 64)
        self.services = {}
        for name, package, resources in (("training", TRAINING, []), ("scoring", PREDICTIVE, [held])):
            digest = works.services.keep_package(package)
            saved = works.experiments.save(WORKSPACE, name, digest, resources)
            endpoint = works.services.publish(WORKSPACE, saved.id, name, "", digest, resources)
            self.services[name] = (saved, endpoint)
        self.upload = works.uploads.begin(WORKSPACE, "GenericCSV").id  # its second block never comes
        scoring = self.services["scoring"][1]
        self.further = works.services.add_endpoint(scoring.service_id, "further", "")
        self.arm("PUT", "/resourceGroups/rg", {"location": "westeurope"}, "2021-04-01")
        for name, (path, version, body) in self.creates().items():
            assert self.arm("PUT", path, body, version).is_success, name
        self.learning = Learning(CLOUD.subscription, CLOUD.arm_token)
        for path, body in self.learning.creates():
            made = self.inside("PUT", f"{path}?api-version=2024-10-01", CLOUD.arm_token, json=body)
            assert made.is_success, f"{path}: {made.text}"
            self.settle()
        ((self.learning.experiment,),) = works.store.rows("SELECT id FROM aml_experiments")

    def settle(self) -> None:
        """Wait for what goes on in the background."""
        operations = self.inside.works.operations
        for running in operations.unfinished():
            operations.look(running.id.split("/locations/")[1].split("/")[0], running.name)
        self.inside.runner.run(operations.settle())

    def arm(self, method: str, path: str, body: Any, version: str) -> Any:
        return self.inside(
            method,
            f"/subscriptions/{CLOUD.subscription}{path}",
            CLOUD.arm_token,
            params={"api-version": version},
            json=body,
        )

    def creates(self) -> dict[str, tuple[str, str, Any]]:
        """How one of each type is made, by its type: path, api-version, body."""
        group = "/resourceGroups/rg/providers"
        whole = f"/subscriptions/{CLOUD.subscription}{group}"
        learning = "Microsoft.MachineLearning"
        place = {"location": "West Europe", "tags": {"a": "b"}}
        return {
            "Microsoft.Storage/storageAccounts": (
                f"{group}/Microsoft.Storage/storageAccounts/one",
                "2024-01-01",
                {**place, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}},
            ),
            f"{learning}/workspaces": (
                f"{group}/{learning}/workspaces/one",
                "2019-10-01",
                {
                    **place,
                    "sku": {"name": "Enterprise"},
                    "properties": {
                        "ownerEmail": "a@example.org",
                        "userStorageAccountId": f"{whole}/Microsoft.Storage/storageAccounts/one",
                        "keyVaultIdentifierId": "k",
                    },
                },
            ),
            f"{learning}/commitmentPlans": (
                f"{group}/{learning}/commitmentPlans/one",
                "2016-05-01-preview",
                {**place, "sku": {"name": "S1", "tier": "Standard", "capacity": 1}},
            ),
            f"{learning}/webServices": (
                f"{group}/{learning}/webServices/one",
                "2017-01-01",
                {
                    **place,
                    "properties": {
                        "packageType": "Graph",
                        "title": "t",
                        "description": "d",
                        "storageAccount": {"name": "one", "key": "a2V5"},
                        "commitmentPlan": {"id": f"{whole}/{learning}/commitmentPlans/one"},
                        "realtimeConfiguration": {"maxConcurrentCalls": 4},
                        "diagnostics": {"level": "None"},
                        "keys": {"primary": "p", "secondary": "s"},
                        "assets": {
                            "m": {
                                "name": "m",
                                "type": "Resource",
                                "locationInfo": {
                                    "uri": "http://127.0.0.1:9/a/c/m.ilearner",
                                    "credentials": "c",
                                },
                            }
                        },
                        "input": {"properties": {"input1": {"type": "object", "properties": {}}}},
                        "package": {"nodes": {"n": {"assetId": "m"}}, "edges": [], "graphParameters": {}},
                        "parameters": {"p": {"value": "1"}},
                    },
                },
            ),
        }

    def calls(self) -> Iterator[tuple[str, str, str, Any]]:
        """Method, path with its query, key and body of a good call of each route."""
        listed: list[Any] = [
            *(
                route
                for module in (rrs, bes, apihelp, management, workspaces, datasets, assets)
                for route in module.routes()
            ),
            *(
                one for one in local_routes.routes() if not one.path.endswith("/health")
            ),  # 503: nothing serves here
            *faults_routes.routes(),
            *directory_routes.routes(self.inside.works.directory),
        ]
        for route in listed:
            assert isinstance(route, Route)
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield self.classic(method, route.path)
        bodies_ = {kind: body for kind, (_, _, body) in self.creates().items()}
        for operation in OPERATIONS:
            path = operation.path.format(
                subscription=CLOUD.subscription,
                group="rg",
                name="one",
                namespace="Microsoft.MachineLearning",
                location="westeurope",
                operation="none",
                association="none",
            )
            kind = next((kind for kind in bodies_ if f"/{kind.lower()}" in path.lower()), None)
            body = bodies_[kind] if kind else {"location": "westeurope", "tags": {"a": "b"}, "managedBy": "m"}
            if path.endswith("/move"):
                body = {"destinationPlanId": "/x"}
            version = (operation.versions or ("2021-04-01",))[0]
            yield operation.method, f"{path}?api-version={version}&region=westus", CLOUD.arm_token, body
        for method, path, body in self.learning.calls():
            yield method, path, CLOUD.arm_token, body

    def with_bodies(self) -> list[tuple[str, str, str, Any]]:
        """The calls that carry a body, and leave the house standing."""
        return [
            call
            for call in self.calls()
            if call[0] in ("PUT", "POST", "PATCH") and "/unregister?" not in call[1]
        ]

    def classic(self, method: str, path: str) -> tuple[str, str, str, Any]:
        name = "training" if path.rstrip("/").rpartition("/")[2] in ("jobs", "start", "{job}") else "scoring"
        saved, endpoint = self.services[name]
        management_ = "/webservices/" in path and "/experiments/" not in path
        values = {
            "workspace": WORKSPACE,
            "subscription": CLOUD.subscription.replace("-", ""),
            "endpoint": "further" if management_ else endpoint.id,
            "service": endpoint.service_id,
            "experiment": saved.id,
            "job": "none",
            "tenant": CLOUD.tenant,
        }
        filled = path.format_map(
            {**values, **{k: "none" for k in re.findall(r"{(\w+)", path) if k not in values}}
        )
        key = TOKEN if "/api/" in path or "/webservices" in path else endpoint.primary_key
        body: Any = {
            "Inputs": {"input1": {"ColumnNames": ["area"], "Values": [["90"]]}},
            "GlobalParameters": {},
        }
        if path.endswith("/jobs"):
            body = {
                "Inputs": {"input1": BLOB},
                "Outputs": {"output1": {**BLOB, "RelativeLocation": "models/o.ilearner"}},
            }
            body["GlobalParameters"] = {"Ridge": "1"}
        elif path.endswith("/experiments"):
            body = {"Description": "houses", "Graph": TRAINING, "Resources": []}
        elif path.endswith("/datasources"):
            source = {
                "Name": "d",
                "DataTypeId": "GenericCSV",
                "Description": "",
                "FamilyId": "",
                "Owner": "R",
            }
            body = {"DataSource": source, "UploadId": self.upload, "UploadedFromFileName": "d.csv"}
        elif path.endswith("/faults"):
            body = {"seed": 1, "rules": [{"kind": "latency", "seconds": 0, "path": "*/nowhere", "count": 1}]}
        elif method == "PATCH":
            body = {"Resources": [{"Name": RESOURCE, "Location": PLACE}]}
        elif management_:
            body = {
                "Description": "d",
                "ThrottleLevel": "High",
                "MaxConcurrentCalls": 4,
                "PreventUpdate": "false",
            }
            body |= {"DiagnosticsTraceLevel": "None", "OverwriteResources": True}
        query = f"numberOfBlocks=2&blockId=0&uploadId={self.upload}&dataTypeId=GenericCSV"
        return method, f"{filled}?api-version=2.0&{query}", key, body
