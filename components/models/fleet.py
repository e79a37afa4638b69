"""Many endpoints from one experiment: a fleet, and the verdict on what an update made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pulumi

from clients.protocols import AZUREML
from components.models.gate import Gate
from components.models.rollout import Rollout
from components.models.trained_model import RunLimits
from components.notifications import notified
from components.services.web_service import PredictiveWebService, TrainingWebService
from components.shared.options import Component
from components.shared.ownership import owner
from components.shared.plain import PlainResource
from retrain_hooks.host.inputs import camel
from retrain_hooks.providers import FleetProvider, FleetRosterProvider, FleetVerdictProvider


class Fleet(PlainResource, module="retrain", name="Fleet"):
    """The members of a fleet. Outputs, known in a preview: ``plan`` (a line a kind of change), ``plan_key``; after an
    update ``counts``, ``failed``, ``addresses`` (JSON).
    """

    counts: pulumi.Output[dict[str, Any]]
    failed: pulumi.Output[list[str]]
    plan: pulumi.Output[list[str]]
    addresses: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(
            ("counts", "failed", "plan", "planKey", "addresses", "found", "stuck", "stands")
        )
        super().__init__(FleetProvider(), name, props | outputs, notified("bound", opts))


class FleetRoster(PlainResource, module="retrain", name="FleetRoster"):
    """What stands for all that a fleet makes, before its first member. Output: ``fleet``, its id in the registry."""

    fleet: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(FleetRosterProvider(), name, {**props, "fleet": None}, opts)


class FleetVerdict(PlainResource, module="retrain", name="FleetVerdict"):
    """Fails the update where more members of a fleet failed than may."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(FleetVerdictProvider(), name, props, notified("judged", opts))


@dataclass(frozen=True)
class Members:
    """Who the members of a fleet are, and where the data of each is.

    Named: *list*, each a name or ``{name, path, version, endpoint, parameters, gate, probeRows, formerly}``, or *file*, a
    CSV or JSON file of the same. Found: by *path*, a pattern such as ``sales/{member}/{version}.csv``, or by *column*, by
    which one table is split; values with fewer than *minimum_rows* rows are no members then. One that was found and has no
    data any more stays as it is, unless *missing* is ``leaves``; one that is not named any more leaves, with its endpoint.
    """

    list: Sequence[str | Mapping[str, Any]] | None = None
    file: str = ""
    path: str = ""
    column: str = ""
    minimum_rows: int = 1
    missing: str = "stays"

    @classmethod
    def from_config(cls, config: pulumi.Config) -> Members | None:
        """From the object ``members`` (``{column: dest, minimumRows: 50}``, ``{list: [ann, bob]}``); None where it is empty."""
        declared = config.get_object("members") or None
        if declared is None:
            return None
        names = {camel(each.name): each.name for each in fields(cls)}
        if unknown := sorted(set(declared) - set(names)):
            raise pulumi.RunError(f"members: it has {unknown[0]!r}\nremedy: write some of {', '.join(names)}")
        return cls(**{names[key]: value for key, value in declared.items()})

    def inputs(self) -> dict[str, Any]:
        """As inputs of a Fleet."""
        named = None
        if self.list is not None:
            named = [one if isinstance(one, Mapping) else {"name": one} for one in self.list]
        return {
            "list": named,
            "file": self.file,
            "path": self.path,
            "column": self.column,
            "minimumRows": self.minimum_rows,
        }


@dataclass(frozen=True)
class Schedule:
    """In which order members get their models, and how many at once.

    *waves* say how many each reaches in all (``["1", "10%", "100%"]``); between two of them members are watched for *bake*.
    Past *max_failures* (``5`` or ``10%``) no further member is begun, and the update fails. At most *concurrency* are worked
    on at once, fewer while the service asks for patience; they share *staging* staging endpoints.
    """

    concurrency: int = 16
    waves: Sequence[str] = ()
    bake: str = "0"
    max_failures: str = "0"
    staging: int = 8

    @classmethod
    def from_config(cls, config: pulumi.Config) -> Schedule:
        """From ``fleetConcurrency``, ``fleetWaves``, ``fleetBake``, ``fleetMaxFailures``."""
        return cls(
            config.require_int("fleetConcurrency"),
            [str(wave) for wave in config.require_object("fleetWaves")],
            config.require("fleetBake"),
            config.require("fleetMaxFailures"),
        )

    def inputs(self) -> dict[str, Any]:
        """As inputs of a Fleet."""
        return {
            "concurrency": self.concurrency,
            "waves": list(self.waves),
            "bake": self.bake,
            "maxFailures": self.max_failures,
            "staging": self.staging,
        }


class EndpointFleet(Component):
    """An endpoint of *service* for each of *members*, with a model of its own that *training* makes of the member's data.

    Of Azure ML v2 they share one online endpoint, which is declared here: a call says in its body whose model it asks.

    *path* and *version* say where the data is (``{member}`` in a path stands for the member), *parameters* and *seed* are
    the experiment's. *gate* and *rollout* (its probe) go for each member alone; *holdout* names the data version that
    each is judged on, in its own data. A member that fails never stops the others: *schedule* says how many may.
    """

    def __init__(
        self,
        name: str,
        *,
        training: TrainingWebService,
        service: PredictiveWebService,
        members: Members,
        path: str,
        version: pulumi.Input[str],
        parameters: Mapping[str, pulumi.Input[str]] | None = None,
        seed: pulumi.Input[int] = 0,
        force: pulumi.Input[str] | None = None,
        gate: Gate | None = None,
        holdout: str | None = None,
        rollout: Rollout | None = None,
        schedule: Schedule | None = None,
        limits: RunLimits | None = None,
        expect: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("EndpointFleet", name, opts)
        self.refuse_kept_in(service.holds)
        gate, rollout, schedule = gate or Gate(), rollout or Rollout(), schedule or Schedule()
        limited = (limits or RunLimits(max_jobs=None)).inputs()
        probe = {"probeRows": rollout.probe_rows, "probeDeadline": rollout.probe_deadline}
        child = pulumi.ResourceOptions(parent=self)
        place = {
            "target": service.target,
            "service": service.service,
            "resource": service.experiment.apply(lambda experiment: experiment["resource"]),
            "graph": service.experiment.apply(lambda experiment: experiment["digest"]),
            "owner": owner(service.target, f"{name}-members"),
            "online": _online(name, service, child) if service.kind == AZUREML else None,
        }
        roster = FleetRoster(f"{name}-roster", place, child)
        fleet = Fleet(
            f"{name}-members",
            {
                **place,
                "fleet": roster.fleet,
                "training": training.service,
                "experiment": training.experiment,
                "source": training.source,
                "members": members.inputs(),
                "missing": members.missing,
                "path": path,
                "version": version,
                "parameters": parameters or {},
                "seed": seed,
                "force": force,
                "gate": gate.inputs()["gate"],
                "holdout": holdout,
                **probe,
                "probeSettle": rollout.probe_settle,
                "schedule": schedule.inputs(),
                "maxJobs": limited["maxJobs"],
                "cancelJobs": limited["cancelJobs"],
                "deadlineMinutes": limited["deadlineMinutes"],
                "expect": expect,
            },
            child,
        )
        verdict = FleetVerdict(
            f"{name}-verdict",
            {"counts": fleet.counts, "failed": fleet.failed, "maxFailures": schedule.max_failures},
            child,
        )
        self.counts = fleet.counts
        self.failed = fleet.failed
        self.addresses = fleet.addresses.apply(lambda text: json.loads(text or "{}"))
        self.register_outputs({"counts": self.counts, "failed": self.failed, "verdict": verdict.id})

    @classmethod
    def from_config(cls, name: str, config: pulumi.Config, **given: Any) -> EndpointFleet:
        """From the stack's configuration, as a single Endpoint with its model, gate and rollout, and from ``fleet…`` and
        ``expectPlan``. *given* are arguments of the fleet itself.
        """
        limits = replace(RunLimits.from_config(config), max_jobs=None)
        return cls(
            name,
            path=config.require("dataPath"),
            version=config.require("dataVersion"),
            parameters=config.require_object("parameters"),
            seed=config.require_int("seed"),
            force=config.get("force"),
            gate=Gate.of_rules(config),
            holdout=config.get("holdoutDataVersion"),
            rollout=Rollout.from_config(config),
            schedule=Schedule.from_config(config),
            limits=limits,
            expect=config.get("expectPlan") or config.get("expectRunKey"),
            **given,
        )

    @property
    def outputs(self) -> dict[str, Any]:
        """What a stack exports of it: how many members there are by where they stand, and who failed."""
        return {"members": self.counts, "failed": self.failed}


def _online(name: str, service: PredictiveWebService, child: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The name of the online endpoint that members share."""
    from components.services import azureml  # brings packages of azure-native that other kinds do not need

    endpoint = azureml.endpoint_name(name)
    id_ = azureml.online_endpoint(
        f"{name}-online", service.workspace.parts, endpoint, "Serves the models of a fleet's members", child
    )
    return id_.apply(lambda made: made.rpartition("/")[2])
