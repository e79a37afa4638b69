"""The web services of a classic workspace, behind the protocol that every kind of service has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clients.clock import Clock
from clients.credentials import Target
from clients.errors import NotFound, ServiceError
from clients.protocols import DEFAULT_ENDPOINT, Binding, Contract, EndpointFound, Published
from clients.sign_in import Bearer, Token
from clients.studio_classic.management import Json, Management, StudioBindings, bindings_of
from clients.studio_classic.publishing import Publishing
from clients.studio_classic.swagger import read_swagger
from clients.studio_data_plane.jobs import StudioJobs
from clients.studio_data_plane.scoring import StudioScoring
from clients.transport import Transport


class ClassicServices:
    """The services of one classic workspace: *workspace* is its ARM id, *workspace_id* its 32-hex id."""

    def __init__(
        self, target: Target, workspace: str, workspace_id: str, clock: Clock, *, input_name: str = "input1"
    ) -> None:
        self._input = input_name
        self._transport = target.studio(workspace)
        self._management = Management(self._transport, workspace_id)
        self._publishing = Publishing(self._transport, workspace_id, clock)

    def find(self, name: str) -> str | None:
        """The id of the web service called *name*; None where there is none."""
        return next((found["Id"] for found in self._management.services() if found["Name"] == name), None)

    def exists(self, service: str) -> bool:
        """Whether the web service is there."""
        return self._management.service(service) is not None

    def contract(self, service: str) -> Contract | None:
        """What the service's swagger document says; a classic service shows no definition."""
        found = self._management.service(service)
        if found is None:
            return None
        default = self._there(service, found.get("DefaultEndpointName") or DEFAULT_ENDPOINT)
        resources = tuple(binding.resource for binding in bindings_of(default))
        return replace(
            read_swagger(self._swagger(service, default)), name=str(found["Name"]), resources=resources
        )

    def _swagger(self, service: str, endpoint: Json) -> Json:
        """The swagger document, beside the data plane or below the management API; empty where neither has it."""
        api = str(endpoint["ApiLocation"])
        guid = api.rstrip("/").rpartition("/")[2]
        for place in (
            f"{api}/swagger.json",
            f"{self._management.endpoint_path(service, guid)}/apidocument",
        ):
            try:
                return dict(self._transport.get(place) or {})
            except (NotFound, ServiceError, ValueError):
                continue
        return {}

    def publish(
        self,
        name: str,
        graph: Mapping[str, Any],
        resources: Sequence[Mapping[str, Any]],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Deploy an experiment as the web service *name*; again: re-deploy it, ids, keys and endpoints stay."""
        return self._publishing.publish(name, graph, resources, before_write)

    def unpublish(self, service: str, experiment: str) -> None:
        """Delete a web service and the experiment it was deployed from."""
        self._management.delete_service(service)
        self._publishing.delete(experiment)

    def endpoint(self, service: str, name: str) -> EndpointFound | None:
        """The endpoint called *name*; None where there is none."""
        found = self._management.endpoint(service, name)
        if found is None:
            return None
        return EndpointFound(
            name=found["Name"],
            url=found["ApiLocation"],
            update_url=f"{self._transport.base_url}/{self._management.endpoint_path(service, name)}",
            help_url=found["HelpLocation"],
            description=found.get("Description") or "",
        )

    def key(self, service: str, name: str) -> str:
        """The primary key of an endpoint. Raises NotFound."""
        return str(self._there(service, name)["PrimaryKey"])

    def put_endpoint(self, service: str, name: str, description: str) -> None:
        """Create an endpoint as a copy of the default one, or change the description of one that is there."""
        settings = {
            "Description": description,
            "ThrottleLevel": "High",
            "MaxConcurrentCalls": None,
            "PreventUpdate": False,
        }
        self._management.put_endpoint(service, name, settings)

    def refresh_endpoint(self, service: str, name: str) -> None:
        """Give an endpoint the graph that its service has now; it keeps the model that it serves."""
        self._management.refresh_endpoint(service, name)

    def delete_endpoint(self, service: str, name: str) -> None:
        """Delete an endpoint; one that is gone is no error."""
        self._management.delete_endpoint(service, name)

    def jobs(self, service: str) -> StudioJobs:
        """Batch jobs of a training service (its default endpoint)."""
        return StudioJobs(self._data_plane(service, DEFAULT_ENDPOINT))

    def bindings(self, service: str, endpoint: str) -> StudioBindings:
        """The model that an endpoint serves."""
        return StudioBindings(self._management, service, endpoint)

    def served(self, service: str) -> dict[str, list[Binding]]:
        """The models that all endpoints of a service serve, by the endpoint's name. Raises NotFound."""
        return {found["Name"]: bindings_of(found) for found in self._management.endpoints(service)}

    def scoring(self, service: str, endpoint: str) -> StudioScoring:
        """Scoring by an endpoint. Raises NotFound."""
        return StudioScoring(self._data_plane(service, endpoint), self._input)

    def _data_plane(self, service: str, endpoint: str) -> Transport:
        found = self._there(service, endpoint)
        key = Bearer(lambda: Token(self.key(service, endpoint)), token=Token(found["PrimaryKey"]))
        return replace(self._transport, base_url=found["ApiLocation"], authorize=key.headers, renew=key.renew)

    def _there(self, service: str, endpoint: str) -> Json:
        found = self._management.endpoint(service, endpoint)
        if found is None:
            raise NotFound(
                f"there is no endpoint {endpoint!r} on the web service {service}",
                "run ./dev refresh to see what is there, then ./dev up",
                status=404,
            )
        return found
