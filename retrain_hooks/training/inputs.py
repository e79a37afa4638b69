"""What a trained model takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrain_hooks.data.inputs import DataReference
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.references import ExperimentRef, ServiceRef
from retrain_hooks.registry.run_key import judge_key


@dataclass(frozen=True)
class Adopts(Inputs):
    """A model that an endpoint served before the program, and the data that it stands for."""

    service: ServiceRef = prop("the predictive web service")
    endpoint: str = prop("the endpoint that serves it")
    resource: str = prop("the trained model that the endpoint's graph names")
    data: DataReference = prop("the data version that it stands for")


@dataclass(frozen=True)
class Covers(Inputs):
    """What determines a model, and the key of FORMAT 2 that is made of it."""

    key: str = prop("key of FORMAT 2, under which its run is looked for first")
    experiment: str = prop("identity of the experiment")
    data: str = prop("digest of the data, of FORMAT 2")


@dataclass(frozen=True)
class Leaves(Inputs):
    """A run that is on record under its key of FORMAT 1 only."""

    key: str = prop("its key of FORMAT 2")
    former: str = prop("its key of FORMAT 1")


@dataclass(frozen=True)
class TrainedModelInputs(Inputs):
    """The model that a training web service makes of a data version."""

    target: str = prop("where services and blobs are")
    experiment: ExperimentRef = prop("what the training web service runs")
    service: ServiceRef = prop("the training web service")
    data: DataReference = prop("what it is trained from")
    source: str = prop(
        "the folder below experiments/ whose graph the service runs; empty where it was there before",
        default="",
    )
    parameters: Mapping[str, Any] = prop(
        "web-service parameters of the experiment by name", default={}, called="parameters"
    )
    seed: int = prop("random seed of split and learner", default=0, least=0, most=2**31 - 1, called="seed")
    force: str = prop("any other text asks for a new run of the same inputs", default="", called="force")
    pin: str = prop("key of a past run whose model is taken", default="", judge=judge_key, called="pin")
    expect_run_key: str = prop(
        "the only run key, or its first 7 digits or more, that is let through",
        default="",
        judge=judge_key,
        called="expectRunKey",
    )
    max_jobs: int | None = prop(
        "training jobs that one update may start", default=None, least=0, called="maxJobs"
    )
    cancel_jobs: bool = prop(
        "whether an interrupted update cancels its job", default=False, called="cancelJobs"
    )
    deadline_minutes: int = prop(
        "how long one run may take",
        default=60,
        least=1,
        most=43_200,
        unit="minutes",
        called="deadlineMinutes",
    )
    rate_per_hour: float | None = prop(
        "what an hour of training costs", default=None, least=0, called="ratePerHour"
    )
    adopts: Adopts | None = prop("a model that was served before the program", default=None)
    covers: Covers | None = prop("what determines the model", default=None, output=True)
    leaves: Leaves | None = prop(
        "a run of an earlier release that the update goes on from", default=None, output=True
    )
    run_key: str = prop("key of the run, 64 hex", default="", output=True)
    address: str = prop("where the model is in the registry container", default="", output=True)
    why: str = prop("why it would be trained", default="", output=True)
    plan: str = prop("what an update would do, and how long that should take", default="", output=True)
