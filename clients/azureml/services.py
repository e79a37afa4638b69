"""Training and predictive services of an Azure ML v2 workspace, behind the protocol that every kind of service has.

A service is a code container: what is published in it is what jobs run and deployments serve. Online endpoints are made by
the program (azure-native), or were there before: they are named here, and never made or deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from clients.arm.resource_manager import Json
from clients.azureml.deployments import Deployments, require
from clients.azureml.jobs import AzureMlJobs
from clients.azureml.members import members_of
from clients.azureml.models import address_of
from clients.azureml.publishing import TAG, Publisher
from clients.azureml.scoring import AzureMlScoring
from clients.azureml.slots import Slot
from clients.azureml.traffic import Traffic
from clients.azureml.workspace import API_VERSION, AzureMlWorkspace, tags_of
from clients.clock import Clock
from clients.credentials import Target
from clients.errors import NotFound
from clients.http.answers import part, text
from clients.protocols import Binding, Contract, Deployable, EndpointFound, Published
from clients.sign_in import Bearer, Token
from clients.storage import BlobRef

_KEY, _AAD = "key", "aadtoken"


class AzureMlServices:
    """The services of the workspace with the ARM id *workspace*."""

    def __init__(self, target: Target, workspace: str, clock: Clock) -> None:
        self._workspace = AzureMlWorkspace(target, workspace, clock)
        self._publisher = Publisher(self._workspace)

    def find(self, name: str) -> tuple[str, EndpointFound | None] | None:
        """The id of the service called *name*; None where there is none. It has no endpoint of its own."""
        service = self._publisher.service(name)
        return (service, None) if self.exists(service) else None

    def exists(self, service: str) -> bool:
        """Whether the service is there."""
        found = self._workspace.arm.find(service)
        return found is not None and TAG in tags_of(found)

    def contract(self, service: str) -> Contract | None:
        """What was published last; None where the service is not there."""
        if not self.exists(service):
            return None
        recipe = self._publisher.current(service)
        inputs, outputs, parameters = (
            tuple(recipe.settings.get(name) or ()) for name in ("inputs", "outputs", "parameters")
        )
        return Contract(service.rpartition("/")[2], inputs, outputs, parameters, digest=recipe.digest)

    def publish(
        self,
        name: str,
        experiment: Deployable,
        models: Mapping[str, BlobRef],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Make the experiment's code the current version of the service; models get deployments when they are bound."""
        assert experiment.code is not None
        return Published("", self._publisher.publish(name, experiment.code(), before_write), "")

    def unpublish(self, service: str, experiment: str) -> None:
        """Delete the service's code and environments. Endpoints go with what made them."""
        self._publisher.unpublish(service)

    def endpoint(self, service: str, name: str) -> EndpointFound | None:
        """The online endpoint that *name*, a slot of it, is of, with what that serves; None where there is none."""
        found = self._find(name)
        if found is None:
            return None
        properties = part(found, "properties")
        return EndpointFound(
            name=name,
            url=str(properties.get("scoringUri") or ""),
            update_url=f"{self._workspace.arm.base_url}{self._id(name)}?api-version={API_VERSION}",
            help_url=str(properties.get("swaggerUri") or ""),
            description=str(properties.get("description") or ""),
            models=tuple(self._served(service, name, found)),
        )

    def key(self, service: str, name: str) -> str:
        """The primary key of an endpoint, or a token where it takes those. Raises NotFound."""
        found = require(self._find(name), name)
        mode = text(found, "properties", "authMode").lower()
        if mode == _KEY:
            return text(self._workspace.arm.ask(f"{self._id(name)}/listKeys", None), "primaryKey")
        if mode == _AAD:
            return self._workspace.target.scoring_token().value
        return text(self._workspace.arm.ask(f"{self._id(name)}/token", None), "accessToken")

    def put_endpoint(self, service: str, name: str, description: str) -> None:
        """See that it is there: an online endpoint is made by the program. Raises NotFound."""
        require(self._find(name), name)

    def refresh_endpoint(self, service: str, name: str) -> None:
        """Nothing: a deployment is made of the present code when its model is bound."""

    def delete_endpoint(self, service: str, name: str) -> None:
        """Nothing: who made the endpoint deletes it, and with it its deployments."""

    def jobs(self, service: str) -> AzureMlJobs:
        """Jobs of a training service."""
        return AzureMlJobs(self._workspace, service)

    def bindings(self, service: str, endpoint: str) -> Traffic:
        """The models that an endpoint serves."""
        return Traffic(self._workspace, service, endpoint)

    def served(self, service: str) -> dict[str, list[Binding]]:
        """The models that the workspace's endpoints serve, as far as they are this service's, by the endpoint's name."""
        return {
            name: Traffic(self._workspace, service, name).served(found)
            for name, found in self._endpoints(service).items()
        }

    def listed(self, service: str) -> dict[str, None]:
        """The workspace's online endpoints, in one list call, which doesn't tell their models."""
        return dict.fromkeys(self._endpoints(service))

    def members(self, service: str, endpoint: str) -> dict[str, list[Binding]]:
        """The models of those that share *endpoint*, by the slot of each. Raises NotFound where the endpoint is gone.

        Nobody is surely served what is said here while calls are shared among deployments.
        """
        found = require(self._find(endpoint), endpoint)
        served = Traffic(self._workspace, service, endpoint).served(found)
        slot, models = Slot.parse(endpoint), self._members(served)
        return {str(slot.of(name)): [one] if len(served) == 1 else [] for name, one in models.items()}

    def _members(self, served: Sequence[Binding]) -> dict[str, Binding]:
        """Each member's model in the pack that is served most."""
        if not served:
            return {}
        registry, most = self._workspace.registry(), served[0]
        models = members_of(registry, address_of(BlobRef("", most.location)))
        return {
            name: replace(most, location=f"{registry.name}/{address}") for name, address in models.items()
        }

    def _served(self, service: str, place: str, found: Json) -> list[Binding]:
        served, member = Traffic(self._workspace, service, place).served(found), Slot.parse(place).member
        if not member:
            return served
        return [one for name, one in self._members(served).items() if name == member]

    def _endpoints(self, service: str) -> dict[str, Json]:
        self._publisher.published(service)
        found = self._workspace.arm.list(f"{self._workspace.id}/onlineEndpoints")
        return {text(one, "name"): one for one in found}

    def scoring(self, service: str, endpoint: str) -> AzureMlScoring:
        """Scoring by an endpoint; of its staging slot, by the deployment that was staged last. Raises NotFound."""
        slot = Slot.parse(endpoint)
        name = slot.endpoint
        found = require(self._find(name), name)
        deployment = ""
        if slot.staging:
            staged = Deployments(self._workspace, service, self._id(name)).staged()
            if staged is None:
                raise NotFound(f"no deployment of {name!r} is staged", "run ./dev up", status=404)
            deployment = text(staged, "name")
        key = Bearer(lambda: Token(self.key(service, name)))
        transport = replace(
            self._workspace.target.arm,
            service=f"the endpoint {name!r}",
            base_url=text(found, "properties", "scoringUri"),
            authorize=key.headers,
            renew=key.renew,
        )
        return AzureMlScoring(transport, deployment, slot.member)

    def _find(self, place: str) -> Json | None:
        return self._workspace.arm.find(self._id(place))

    def _id(self, place: str) -> str:
        return f"{self._workspace.id}/onlineEndpoints/{Slot.parse(place).endpoint}"
