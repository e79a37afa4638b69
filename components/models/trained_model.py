"""The trained model reference as a resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.models.data_version import DataVersion
from components.models.present_model import PresentModel
from components.notifications import notified
from components.services.web_service import TrainingWebService
from components.shared.plain import PlainResource
from retrain_hooks.providers import TrainedModelProvider

_OUTPUTS = (
    *("runKey", "address", "why", "plan", "sha256", "metrics"),
    *("dataVersion", "bytes", "seconds", "job", "reused"),
)


@dataclass(frozen=True)
class RunLimits:
    """What bounds training: jobs that one update may start, minutes that one may take, whether an interrupted update
    cancels its job, and what an hour costs (puts a price on the expected duration).
    """

    max_jobs: int | None = 10
    deadline_minutes: int = 60
    cancel_jobs: bool = False
    rate_per_hour: str | None = None

    @classmethod
    def from_config(cls, config: pulumi.Config) -> RunLimits:
        """From ``maxJobs``, ``deadlineMinutes``, ``cancelJobs``, ``ratePerHour``."""
        return cls(
            config.require_int("maxJobs"),
            config.require_int("deadlineMinutes"),
            config.require_bool("cancelJobs"),
            config.get("ratePerHour") or None,
        )

    def inputs(self) -> dict[str, Any]:
        """As inputs of a TrainedModel."""
        return {
            "maxJobs": self.max_jobs,
            "deadlineMinutes": self.deadline_minutes,
            "cancelJobs": self.cancel_jobs,
            "ratePerHour": self.rate_per_hour,
        }


class TrainedModel(PlainResource, module="retrain", name="TrainedModel"):
    """The model that *service* trains from *data*, one run for each distinct input.

    *parameters* are the experiment's web-service parameters, *seed* its random seed; another *force* asks for a new
    run of the same inputs. *pin* takes a past run by its key; *expect_run_key* refuses any other key (7 digits
    are enough); *adopts* is the
    model that was served before the program, and the data that it stands for. Outputs known in a preview: ``run_key``,
    ``address`` (in the registry container), ``why`` it would be trained and the ``plan``; after training ``sha256``,
    ``metrics``, the run's own ``dataVersion``, ``seconds``, ``job``, and whether the run was there already, ``reused``.
    """

    ignorable = (
        *("data", "parameters", "seed", "force", "pin", "expectRunKey"),
        *("maxJobs", "deadlineMinutes", "cancelJobs", "ratePerHour"),
    )
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
        force: pulumi.Input[str] | None = None,
        pin: pulumi.Input[str] | None = None,
        expect_run_key: pulumi.Input[str] | None = None,
        adopts: PresentModel | None = None,
        limits: RunLimits | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "target": service.target,
            "experiment": service.experiment,
            "source": service.source,
            "service": service.service,
            "data": data.reference,
            "parameters": parameters or {},
            "seed": seed,
            "force": force,
            "pin": pin,
            "expectRunKey": expect_run_key,
            **({"adopts": adopts.inputs()} if adopts else {}),
            **(limits or RunLimits()).inputs(),
        }
        super().__init__(
            TrainedModelProvider(), name, props | dict.fromkeys(_OUTPUTS), notified("trained", opts)
        )
        self.source = service.source
        self._asked = data.version

    @property
    def run_key(self) -> pulumi.Output[str]:
        """The hash of all that determines the model, 64 hex; of a model that an earlier release trained, its hash."""
        found: pulumi.Output[str] = pulumi.get(self, "runKey")
        return found

    @property
    def data(self) -> pulumi.Output[dict[str, Any]]:
        """What it is trained from: ``container``, ``version``, ``digest``, ``blobs``."""
        found: pulumi.Output[dict[str, Any]] = pulumi.get(self, "data")
        return found

    @property
    def data_version(self) -> pulumi.Output[str]:
        """The data version as it was asked for: a literal, ``latest`` or a window."""
        return self._asked
