"""Retrains a model when its data version changes, and points the endpoint, or those of a fleet, at the result."""

from typing import Any

import pulumi

import components as ml
from retrain_hooks.host.interruption import stop_on_interrupt

stop_on_interrupt()

config = ml.configuration()
ml.notify_from_config(config)
target, kind, experiment = map(config.require, ("target", "kind", "experiment"))

workspace = ml.Workspace(
    "workspace",
    target=target,
    kind=kind,
    location=config.require("location"),
    owner_email=config.require("ownerEmail"),
)
training = ml.TrainingWebService("training", workspace=workspace, kind=kind, experiment=experiment)


def data(name: str, version: str) -> ml.DataVersion:
    """A data version in the data container."""
    return ml.DataVersion(f"{name}-data", target=target, path=config.require("dataPath"), version=version)


def model(name: str, version: str, **chosen: Any) -> ml.TrainedModel:
    """The model that the training service makes of a data version."""
    return ml.TrainedModel(
        name,
        service=training,
        data=data(name, version),
        parameters=config.require_object("parameters"),
        seed=config.require_int("seed"),
        limits=ml.RunLimits.from_config(config),
        **chosen,
    )


baseline = model("baseline", config.require("baselineDataVersion"))
regions = config.require_object("regions")
predictive = ml.PredictiveWebService(
    "predictive", workspace=workspace, kind=kind, experiment=experiment, model=baseline, regions=regions
)


def endpoint() -> ml.Endpoint:
    """One endpoint, bound to the model of the data version once the gate lets it through."""
    candidate = model(
        "candidate",
        config.require("dataVersion"),
        force=config.get("force"),
        pin=config.get("pin"),
        expect_run_key=config.get("expectRunKey"),
    )
    held_out = config.get("holdoutDataVersion")
    gate = ml.Gate.from_config(config, data("holdout", held_out) if held_out else None)
    rollout = ml.Rollout.from_config(config)
    return ml.Endpoint("endpoint", service=predictive, candidate=candidate, gate=gate, rollout=rollout)


def fleet(members: ml.Members) -> ml.EndpointFleet:
    """An endpoint for each member, bound to a model of the member's own data."""
    return ml.EndpointFleet.from_config(
        "fleet", config, training=training, service=predictive, members=members
    )


members = ml.Members.from_config(config)
served = fleet(members) if members else endpoint()
schedules = ml.RetrainSchedule.from_config(config, workspace)
outputs = served.outputs | {
    "baselineUrl": predictive.url,
    "service": predictive.service,
    "experiment": experiment,
    "target": target,
    **({"schedules": schedules} if schedules else {}),
}
for name, value in outputs.items():
    pulumi.export(name, value)
