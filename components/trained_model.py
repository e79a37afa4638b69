"""The trained model reference as a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.data_version import DataVersion
from components.web_service import TrainingWebService
from retrain_hooks.providers import TrainedModelProvider


class TrainedModel(Resource, module="retrain", name="TrainedModel"):
    """The model that *service* trains from *data*, one run for each distinct input.

    *parameters* are the experiment's web-service parameters, *seed* its random seed; another *force* asks for a new
    run of the same inputs. Outputs known in a preview: ``run_key``, ``address`` (in the registry container); after
    training ``sha256``, ``metrics``, ``seconds``, ``job``.
    """

    address: pulumi.Output[str]
    sha256: pulumi.Output[str]
    metrics: pulumi.Output[dict[str, float]]

    def __init__(
        self,
        name: str,
        *,
        service: TrainingWebService,
        data: DataVersion,
        parameters: Mapping[str, pulumi.Input[str]] | None = None,
        seed: pulumi.Input[int] = 0,
        force: pulumi.Input[str] = "",
        deadline_minutes: pulumi.Input[int] = 60,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "target": service.target,
            "experiment": service.experiment,
            "service": service.service,
            "data": {"digest": data.digest, "blobs": data.blobs},
            "parameters": parameters or {},
            "seed": seed,
            "force": force,
            "deadlineMinutes": deadline_minutes,
        }
        outputs = {"runKey": None, "address": None, "sha256": None, "metrics": None, "bytes": None}
        super().__init__(TrainedModelProvider(), name, props | outputs | {"seconds": None, "job": None}, opts)

    @property
    def run_key(self) -> pulumi.Output[str]:
        """The hash of all that determines the model, 64 hex."""
        found: pulumi.Output[str] = pulumi.get(self, "runKey")
        return found
