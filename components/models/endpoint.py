"""A further endpoint of a predictive web service, the gate before it, and the model that it serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from clients.azureml.slots import STAGING
from clients.errors import ConfigurationError
from clients.protocols import AZUREML
from components.models.gate import Gate
from components.models.present_model import endpoint_of
from components.models.rollout import Rollout
from components.models.trained_model import TrainedModel
from components.notifications import notified
from components.services.web_service import PredictiveWebService
from components.shared.options import Component
from components.shared.ownership import owner
from components.shared.plain import PlainResource
from retrain_hooks.binding.inputs import RingInputs, refuse_rings
from retrain_hooks.ownership.names import default_name
from retrain_hooks.providers import ModelBindingProvider, PromotionProvider, StudioEndpointProvider
from retrain_hooks.registry.run_key import key_of


class StudioEndpoint(PlainResource, module="retrain", name="StudioEndpoint"):
    """An endpoint. Outputs: ``url``, ``patch_url``, ``helpUrl``, ``regionUrls``."""

    ignorable = ("description",)
    url: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("url", "patchUrl", "helpUrl", "regionUrls"))
        props = {"name": None, "owner": owner(props["target"], name), **props}
        super().__init__(StudioEndpointProvider(), name, props | outputs, opts)

    @property
    def endpoint_name(self) -> pulumi.Output[str]:
        """Its name on the web service."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found

    @property
    def patch_url(self) -> pulumi.Output[str]:
        """Where a new model is patched."""
        found: pulumi.Output[str] = pulumi.get(self, "patchUrl")
        return found


class Promotion(PlainResource, module="retrain", name="Promotion"):
    """The gate's decision. Outputs: ``model`` (``{"address", "sha256"}``, what to serve; empty before any has passed),
    ``start`` (the address that endpoints are made with), ``champion``, ``verdict`` (passed | held | awaiting approval;
    pending in a preview that can't know it), ``rules`` with their numbers.
    """

    ignorable = ("candidate",)
    model: pulumi.Output[dict[str, str]]
    start: pulumi.Output[str]
    verdict: pulumi.Output[str]
    rules: pulumi.Output[list[dict[str, Any]]]
    candidate: pulumi.Output[dict[str, Any]]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("model", "start", "champion", "verdict", "rules"))
        super().__init__(PromotionProvider(), name, props | outputs, notified("judged", opts))


class ModelBinding(PlainResource, module="retrain", name="ModelBinding"):
    """Which model endpoints serve. Outputs: ``bound``, its location as the live endpoint's service answered it,
    ``serving``, the address by endpoint, ``run`` (the served model's ``runKey``, ``dataVersion`` and ``metrics``), and
    ``probed``, on how many rows it was seen.
    """

    address: pulumi.Output[str]
    bound: pulumi.Output[str]
    run: pulumi.Output[dict[str, Any] | None]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"owner": owner(props["target"], name), **props}
        outputs = dict.fromkeys(("bound", "serving", "run", "probed"))
        super().__init__(ModelBindingProvider(), name, props | outputs, notified("bound", opts))


class Endpoint(Component):
    """The endpoint *endpoint_name* of *service*, bound to *candidate* once the *gate* lets it through.

    A candidate goes to a further endpoint first, *staging_name*: there the gate scores it where it has a holdout, and the
    probe learns what it answers. With rings, *rollout* says which endpoints get it in which order, and the first of the
    last ring is the live one. Until a candidate passes, endpoints serve what they served before, and one that never served
    any is not made: it has no URL yet. The staging endpoint is there from the first update on.

    Of Azure ML v2 each is an online endpoint, which is declared here; staging is a deployment of the live one without traffic.

    With *existing* the live endpoint is one that is there already: a classic one's management URL or name, of a New
    service its own resource id, or an online endpoint's. It is bound, and neither created nor deleted; all others are.
    """

    def __init__(
        self,
        name: str,
        *,
        service: PredictiveWebService,
        candidate: TrainedModel,
        gate: Gate | None = None,
        rollout: Rollout | None = None,
        endpoint_name: str = "retrained",
        staging_name: str | None = None,
        description: str = "Serves the retrained model",
        existing: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Endpoint", name, opts)
        self.refuse_kept_in(service.holds)
        gate, rollout = gate or Gate(), rollout or Rollout()
        online: dict[str, pulumi.Input[str]] = {}
        child = pulumi.ResourceOptions(parent=self)
        if service.kind == AZUREML:
            rollout, online = _online(name, service, rollout, endpoint_name, existing, description, child)
            endpoint_name = rollout.endpoints[0]
            staging_name = f"{endpoint_name}/{STAGING}"
        elif existing:
            endpoint_name = endpoint_of(service, existing)
        rollout = rollout.alone(endpoint_name)
        staged = gate.holdout is not None or rollout.probe_rows > 0
        _refuse_rings(rollout, staging_name if staged else None)
        live, *others = rollout.endpoints
        if existing and not online and live != endpoint_name:
            raise pulumi.RunError(
                f"the adopted endpoint {endpoint_name!r} is not the live one, {live!r}\n"
                "remedy: let the last ring begin with it, or leave out the rings"
            )
        service.serve(name, rollout.endpoints)
        web_service = {"target": service.target, "service": service.service}
        resource = service.experiment.apply(lambda experiment: experiment["resource"])
        graph = service.experiment.apply(lambda experiment: experiment["digest"])

        def studio_endpoint(called: str, endpoint: str | None, text: str, **more: Any) -> StudioEndpoint:
            props = {**web_service, "name": endpoint, "description": text, "graph": graph, **more}
            if online:
                there = online[str(endpoint).partition("/")[0]]
                ours = {} if there is existing else {"declared": True}
                props = {**web_service, "name": endpoint, "existing": there, **ours}
            elif existing and endpoint == endpoint_name:
                props = {**web_service, "name": endpoint, "existing": existing}
            return StudioEndpoint(called, props, child)

        staging: pulumi.Input[str] = ""
        endpoints = []
        if staged:
            text, default = "Where a candidate is scored first", _staging_name(live)
            more = {} if staging_name else {"defaultName": default}
            endpoints.append(studio_endpoint(f"{name}-staging", staging_name, text, **more))
            staging = endpoints[-1].endpoint_name
        place = {
            **web_service,
            "endpointName": live,
            "stagingEndpoint": staging,
            "resource": resource,
            **({"graph": graph} if online else {}),
        }
        promotion = Promotion(
            f"{name}-promotion",
            {
                **place,
                "candidate": {
                    "address": candidate.address,
                    "sha256": candidate.sha256,
                    "runKey": candidate.run_key,
                    "metrics": candidate.metrics,
                    "dataVersion": candidate.data_version,
                    "data": candidate.data,
                    "source": candidate.source,
                },
                **gate.inputs(),
            },
            pulumi.ResourceOptions(parent=self, depends_on=list(endpoints)),
        )
        gated = {"resource": resource, "serves": promotion.start}
        endpoint = studio_endpoint(f"{name}-studio", live, description, **gated)
        endpoints += [
            endpoint,
            *(studio_endpoint(_ring_name(name, other), other, description, **gated) for other in others),
        ]
        data = gate.holdout.reference if gate.holdout else candidate.data
        binding = ModelBinding(
            f"{name}-binding",
            {
                **place,
                "address": promotion.model["address"],
                "sha256": promotion.model["sha256"],
                **rollout.inputs(data["container"], data["blobs"]),
            },
            pulumi.ResourceOptions(parent=self, depends_on=endpoints),
        )
        self.name = live
        self.url = endpoint.url
        self.patch_url = endpoint.patch_url
        self.model_address = binding.address
        self.bound = binding.bound
        self.verdict = promotion.verdict
        self.rules = promotion.rules
        self._asked, self._judged, self._served = candidate, promotion.candidate, binding.run
        self.register_outputs(
            {
                "url": self.url,
                "modelAddress": self.model_address,
                "verdict": self.verdict,
                "rules": self.rules,
            }
        )

    @property
    def outputs(self) -> dict[str, Any]:
        """What a stack exports of it: where it answers, what it serves, and the candidate that was judged last.

        ``modelAddress`` and ``serving`` are of the model that is served; ``runKey``, ``dataVersion``, ``metrics``,
        ``verdict`` and ``rules`` are the candidate's, each as its own run has it. ``asked`` is the run that the program
        asks for, and by which data version.
        """
        served = {name: self._served.apply(_part(name)) for name in ("dataVersion", "metrics")}
        return {
            "endpointUrl": self.url,
            "endpointName": self.name,
            "patchUrl": self.patch_url,
            "modelAddress": self.model_address,
            "serving": {
                "modelAddress": self.model_address,
                "runKey": self.model_address.apply(key_of),
                **served,
            },
            "runKey": self._judged["runKey"],
            "dataVersion": self._judged["dataVersion"],
            "asked": {"runKey": self._asked.run_key, "dataVersion": self._asked.data_version},
            "metrics": self._judged["metrics"],
            "verdict": self.verdict,
            "rules": self.rules,
        }


def _online(
    name: str,
    service: PredictiveWebService,
    rollout: Rollout,
    endpoint_name: str,
    existing: str | None,
    description: str,
    child: pulumi.ResourceOptions,
) -> tuple[Rollout, dict[str, pulumi.Input[str]]]:
    """The *rollout* by the online endpoints' own names, and their ids; the live one may be there already."""
    from components.services import azureml  # brings packages of azure-native that other kinds do not need

    rollout = rollout.alone(endpoint_name)
    names = {one: azureml.endpoint_name(one) for one in rollout.endpoints}
    live = rollout.endpoints[0]
    if existing:
        names[live] = existing.rstrip("/").rpartition("/")[2]
    ids: dict[str, pulumi.Input[str]] = {
        own: existing
        if existing and one == live
        else azureml.online_endpoint(f"{name}-{one}-online", service.workspace.parts, own, description, child)
        for one, own in names.items()
    }
    return rollout.renamed(names), ids


def _part(name: str) -> Callable[[dict[str, Any] | None], Any]:
    """A part of a run that is on record; what an earlier release bound has none."""
    return lambda run: (run or {}).get(name)


def _staging_name(live: str) -> str:
    """The default name of the staging endpoint beside the endpoint *live*: each has its own, in each stack."""
    return default_name("staging", live, pulumi.get_project(), pulumi.get_stack(), limit=24, separator="")


def _ring_name(name: str, endpoint: str) -> str:
    """The resource of a ring's *endpoint*; the live and the staging endpoint have names of their own."""
    return f"{name}-{endpoint}" + ("-ring" if endpoint in ("studio", "staging") else "")


def _refuse_rings(rollout: Rollout, staging: str | None) -> None:
    """Raise RunError, which Pulumi shows without a traceback, for rings whose endpoints would be one resource."""
    rings = tuple(RingInputs(tuple(ring.endpoints), ring.name) for ring in rollout.rings)
    try:
        refuse_rings(rings, staging or "")
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
