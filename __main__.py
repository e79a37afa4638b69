"""Retrains the flights model when its data version changes, and points the endpoint at the result."""

import pulumi

from components import (
    DataVersion,
    Endpoint,
    PredictiveWebService,
    TrainedModel,
    TrainingWebService,
    Workspace,
)
from retrain_hooks.cancellation import stop_on_interrupt

stop_on_interrupt()

config = pulumi.Config()
target = config.require("target")
experiment = config.require("experiment")

workspace = Workspace(
    "workspace", target=target, location=config.require("location"), owner_email=config.require("ownerEmail")
)
training = TrainingWebService(
    "training", workspace=workspace, kind=config.require("kind"), experiment=experiment
)


def model(name: str, version: str) -> TrainedModel:
    """The model that the training service makes of a data version."""
    data = DataVersion(f"{name}-data", target=target, path=config.require("dataPath"), version=version)
    return TrainedModel(
        name,
        service=training,
        data=data,
        parameters=config.get_object("parameters") or {},
        seed=config.require_int("seed"),
        force=config.get("force") or "",
        deadline_minutes=config.require_int("deadlineMinutes"),
    )


baseline = model("baseline", config.require("baselineDataVersion"))
candidate = model("candidate", config.require("dataVersion"))
predictive = PredictiveWebService(
    "predictive", workspace=workspace, kind=config.require("kind"), experiment=experiment, model=baseline
)
endpoint = Endpoint(
    "endpoint", service=predictive, candidate=candidate, endpoint_name=config.require("endpointName")
)

pulumi.export("endpointUrl", endpoint.url)
pulumi.export("endpointName", config.require("endpointName"))
pulumi.export("patchUrl", endpoint.patch_url)
pulumi.export("baselineUrl", predictive.url)
pulumi.export("modelAddress", endpoint.model_address)
pulumi.export("runKey", candidate.run_key)
pulumi.export("dataVersion", config.require("dataVersion"))
pulumi.export("metrics", candidate.metrics)
pulumi.export("service", predictive.service)
pulumi.export("experiment", experiment)
pulumi.export("target", target)
