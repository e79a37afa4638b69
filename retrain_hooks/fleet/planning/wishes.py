"""What is wanted of each member: the inputs of the parts that an endpoint of its own would be made of.

They are those that ``components.Endpoint`` gives to its parts, so that a member is trained, judged and bound as any other
endpoint is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from clients.azureml.slots import Slot
from clients.errors import RetrainError
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.fleet.inputs import FleetInputs, FleetPlace
from retrain_hooks.fleet.members.inputs import Member
from retrain_hooks.fleet.records import Cause
from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.gate.settling import settled
from retrain_hooks.host.inputs import Inputs
from retrain_hooks.host.lifecycle import Context, Props, known
from retrain_hooks.registry.run_key import Covered, digest
from retrain_hooks.training.identity import covered
from retrain_hooks.training.inputs import TrainedModelInputs
from retrain_hooks.training.search import Search, Sought


@dataclass(frozen=True)
class Wish:
    """What *fleet* wants of *member*, whose models are judged on the data of *held_out*, the same member of another version."""

    fleet: FleetInputs
    member: Member
    held_out: Member | None = None

    @property
    def holdout(self) -> DataReference | None:
        """What its models are judged on; None: what each run measured itself."""
        return self.held_out.data if self.held_out else None

    @property
    def name(self) -> str:
        """The member's name."""
        return self.member.name

    @cached_property
    def model(self) -> Props:
        """The inputs of its TrainedModel."""
        parts = {"experiment": self.fleet.experiment, "service": self.fleet.training}
        data = self.member.data.props() if self.member.data else None
        return {**self._chosen, **{name: _props(part) for name, part in parts.items()}, "data": data}

    @property
    def _chosen(self) -> Props:
        """Of these, what is plain as it is."""
        fleet = self.fleet
        return {
            "target": fleet.target,
            "source": fleet.source,
            "parameters": {**fleet.parameters, **self.member.parameters},
            "seed": fleet.seed,
            "force": fleet.force,
            "maxJobs": fleet.max_jobs,
            "cancelJobs": fleet.cancel_jobs,
            "deadlineMinutes": fleet.deadline_minutes,
        }

    @cached_property
    def wanted(self) -> TrainedModelInputs:
        """The same, parsed. Raises ConfigurationError."""
        parts = {
            "experiment": self.fleet.experiment,
            "service": self.fleet.training,
            "data": self.member.data,
        }
        return TrainedModelInputs.parse({**self._chosen, **parts})

    @cached_property
    def covers(self) -> Covered:
        """What its run key covers. Raises ConfigurationError."""
        return covered(self.wanted, self.wanted.data.digest)

    def sought(self, context: Context, before: str) -> Sought:
        """Where its model is or will be; *before* is the address of the model that it has."""
        old = TrainedModelInputs.parse({**self.model, "address": before}, recorded=True) if before else None
        return Search(context, self.wanted, old, formerly=False).find()

    @property
    def cause(self) -> Cause:
        """What determines its model, by digests."""
        covers = self.covers
        parameters = digest([dict(covers.parameters), covers.seed])[:16]
        return Cause(covers.data[:18], covers.experiment[:16], parameters, covers.force)

    @cached_property
    def gate(self) -> GateInputs:
        """What its model must show. Raises ConfigurationError."""
        gate = self.fleet.gate
        if self.member.gate:
            gate = GateInputs.parse({**gate.props(), **self.member.gate})
        found = settled(gate, self.fleet.source, holdout=self.holdout is not None)
        return replace(found.gate, rules=gate.rules or found.gate.rules, label=gate.label or found.label)

    @property
    def probe_rows(self) -> int:
        """With how many rows its endpoint is probed."""
        own = self.member.probe_rows
        return self.fleet.probe_rows if own is None else own

    @property
    def home(self) -> str:
        """The endpoint that answers by its model: its own, or its slot of the one that all members share."""
        online = self.fleet.online
        return str(Slot(online, member=self.name)) if known(online) and online else self.member.endpoint

    @property
    def staged(self) -> bool:
        """Whether its model is scored on a staging endpoint first."""
        return not self.fleet.shared and (self.probe_rows > 0 or self.holdout is not None)

    @property
    def asks(self) -> str:
        """The digest of all that is asked of it, its run apart. Raises ConfigurationError."""
        fleet, holdout = self.fleet, self.holdout
        return digest(
            {
                "endpoint": self.home,
                "gate": self.gate.props(),
                "graph": fleet.graph,
                "holdout": holdout.digest if holdout else None,
                "owner": fleet.owner.props() if fleet.owner else None,
                "probe": self.probe_rows,
            }
        )[:16]

    def owner(self, part: str) -> Props | None:
        """Who owns what *part* of the member makes."""
        return owner_of(self.fleet, f"{self.name}/{part}")

    def place(self, staging: str) -> Props:
        """Where its model is served."""
        return {
            "target": self.fleet.target,
            "service": self.fleet.service.props(),
            "endpointName": self.home,
            "stagingEndpoint": staging,
            "resource": self.fleet.resource,
        }

    def promotion(self, staging: str, model: Mapping[str, Any]) -> Props:
        """The inputs of its Promotion, given its TrainedModel's outputs."""
        candidate = {
            name: model[name] for name in ("address", "sha256", "runKey", "metrics", "dataVersion", "data")
        }
        candidate["source"] = self.fleet.source
        holdout = self.holdout.props() if self.holdout else None
        return {**self.place(staging), "candidate": candidate, "gate": self.gate.props(), "holdout": holdout}

    def live(self, start: str) -> Props:
        """The inputs of its endpoint, which is made with the model at *start*."""
        return {
            **endpoint_of(
                self.fleet,
                self.member.endpoint,
                f"Serves the model of {self.name}"[:200],
                self.owner("endpoint"),
            ),
            "resource": self.fleet.resource,
            "serves": start,
        }

    def binding(self, staging: str, model: Mapping[str, Any]) -> Props:
        """The inputs of its ModelBinding, given the *model* that its Promotion chose."""
        fleet, data = self.fleet, self.holdout or self.member.data
        assert data is not None
        probe = {
            "container": data.container,
            "blobs": list(data.blobs),
            "rows": self.probe_rows,
            "deadline": fleet.probe_deadline,
            "settle": fleet.probe_settle,
        }
        return {
            **self.place(staging),
            "address": model["address"],
            "sha256": model.get("sha256", ""),
            "probe": probe if self.probe_rows else None,
            "owner": self.owner("binding"),
        }


def _props(value: Inputs) -> Any:
    """As plain properties, or as unknown as a preview has it."""
    return value.props() if known(value) else value


def owner_of(fleet: FleetPlace, name: str) -> Props | None:
    """The owner of what the fleet makes as *name*."""
    if fleet.owner is None:
        return None
    return {**fleet.owner.props(), "name": f"{fleet.owner.name}/{name}"}


def endpoint_of(fleet: FleetPlace, name: str, description: str, owner: Props | None) -> Props:
    """The inputs of an endpoint of the fleet's web service."""
    return {
        "target": fleet.target,
        "service": fleet.service.props(),
        "name": name,
        "description": description,
        "graph": fleet.graph,
        "owner": owner,
    }


def problem_of(wish: Wish) -> str:
    """Why a member can't be worked on, as far as its declaration tells; empty where it can."""
    if wish.member.problem:
        return wish.member.problem
    if wish.member.data is None:
        return f"the member {wish.name!r} has no data"
    try:
        _ = wish.covers, wish.gate
    except RetrainError as error:
        return error.cause
    return ""
