"""The web services of a classic workspace, behind the protocol that every kind of service has.

The management API has host ``management.azureml.net``, PascalCase JSON and no api-version; the workspace's token
authorises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from clients.clock import Clock
from clients.credentials import Target
from clients.errors import NotFound, ServiceError
from clients.http.answers import rows, text
from clients.http.transport import Transport
from clients.protocols import DEFAULT_ENDPOINT, Binding, Contract, Deployable, EndpointFound, Published
from clients.sign_in import Bearer, Token
from clients.storage import BlobRef
from clients.storage.account import StorageAccount
from clients.studio_classic.bindings import Json, StudioBindings, bindings_of
from clients.studio_classic.publishing import Publishing
from clients.studio_classic.swagger import read_swagger
from clients.studio_data_plane.jobs import StudioJobs
from clients.studio_data_plane.scoring import StudioScoring


class ClassicServices:
    """The services of one classic workspace: *workspace* is its ARM id, *workspace_id* its 32-hex id."""

    def __init__(
        self, target: Target, workspace: str, workspace_id: str, clock: Clock, *, input_name: str = "input1"
    ) -> None:
        self._input = input_name
        self._transport = target.studio(workspace)
        self._account = StorageAccount.named(target.connection_string)
        self._root = f"workspaces/{workspace_id}/webservices"
        self._publishing = Publishing(self._transport, workspace_id, clock)

    def find(self, name: str) -> tuple[str, EndpointFound | None] | None:
        """The id and the default endpoint of the web service called *name*; None where there is none."""
        found = next((id_ for id_, called in self.names().items() if called == name), None)
        return None if found is None else (found, self.endpoint(found, DEFAULT_ENDPOINT))

    def names(self) -> dict[str, str]:
        """The names of all web services, by their ids."""
        found = rows(self._transport.get(self._root))
        return {text(one, "Id"): text(one, "Name") for one in found}

    def exists(self, service: str) -> bool:
        """Whether the web service is there."""
        return self._find(f"{self._root}/{service}") is not None

    def contract(self, service: str) -> Contract | None:
        """What the service's swagger document says; a classic service shows no definition."""
        found = self._find(f"{self._root}/{service}")
        if found is None:
            return None
        default = self._there(service, str(found.get("DefaultEndpointName") or DEFAULT_ENDPOINT))
        resources = tuple(binding.resource for binding in bindings_of(default, None))
        return replace(
            read_swagger(self._swagger(service, default)), name=text(found, "Name"), resources=resources
        )

    def _swagger(self, service: str, endpoint: Json) -> Json:
        """The swagger document, beside the data plane or below the management API; empty where neither has it."""
        api = text(endpoint, "ApiLocation")
        guid = api.rstrip("/").rpartition("/")[2]
        for place in (
            f"{api}/swagger.json",
            f"{self._path(service, guid)}/apidocument",
        ):
            try:
                return self._transport.object("GET", place)
            except ServiceError:
                continue
        return {}

    def publish(
        self,
        name: str,
        experiment: Deployable,
        models: Mapping[str, BlobRef],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Deploy an experiment as the web service *name*; again: re-deploy it, ids, keys and endpoints stay."""
        return self._publishing.publish(name, experiment.graph, models, before_write)

    def unpublish(self, service: str, experiment: str) -> None:
        """Delete a web service, and the experiment it was deployed from, where one is named."""
        self._transport.delete(f"{self._root}/{service}")
        if experiment:
            self._publishing.delete(experiment)

    def endpoint(self, service: str, name: str) -> EndpointFound | None:
        """The endpoint called *name*; None where there is none."""
        found = self._find(self._path(service, name))
        if found is None:
            return None
        return EndpointFound(
            name=text(found, "Name"),
            url=text(found, "ApiLocation"),
            update_url=f"{self._transport.base_url}/{self._path(service, name)}",
            help_url=text(found, "HelpLocation"),
            description=str(found.get("Description") or ""),
            models=tuple(bindings_of(found, self._account)),
        )

    def key(self, service: str, name: str) -> str:
        """The primary key of an endpoint. Raises NotFound."""
        return text(self._there(service, name), "PrimaryKey")

    def put_endpoint(self, service: str, name: str, description: str) -> None:
        """Create an endpoint as a copy of the default one, or change the description of one that is there."""
        settings = {
            "WebServiceId": service,
            "EndpointName": name,
            "Description": description,
            "ThrottleLevel": "High",
            "MaxConcurrentCalls": None,
            "PreventUpdate": False,
        }
        self._transport.put(self._path(service, name), settings)

    def refresh_endpoint(self, service: str, name: str) -> None:
        """Give an endpoint the graph that its service has now; it keeps the model that it serves."""
        # Answered by 304 where it has that graph already.
        self._transport.post(f"{self._path(service, name)}/refresh", {"OverwriteResources": "False"})

    def delete_endpoint(self, service: str, name: str) -> None:
        """Delete an endpoint; one that is gone is not an error."""
        self._transport.delete(self._path(service, name))

    def jobs(self, service: str) -> StudioJobs:
        """Batch jobs of a training service (its default endpoint)."""
        return StudioJobs(self._data_plane(service, DEFAULT_ENDPOINT))

    def bindings(self, service: str, endpoint: str) -> StudioBindings:
        """The model that an endpoint serves."""
        return StudioBindings(self._transport, self._path(service, endpoint), self._account)

    def served(self, service: str) -> dict[str, list[Binding]]:
        """The models that all endpoints of a service serve, by the endpoint's name. Raises NotFound."""
        return {name: bindings for name, (_, bindings) in self.located(service).items()}

    def listed(self, service: str) -> dict[str, list[Binding]]:
        """All endpoints of a service with their models, in one list call. Raises NotFound."""
        return self.served(service)

    def located(self, service: str) -> dict[str, tuple[str, list[Binding]]]:
        """The addresses that all endpoints are called at, and their models, by the endpoint's name. Raises NotFound."""
        found = rows(self._transport.get(f"{self._root}/{service}/endpoints"))
        return {
            text(one, "Name"): (text(one, "ApiLocation"), bindings_of(one, self._account)) for one in found
        }

    def scoring(self, service: str, endpoint: str) -> StudioScoring:
        """Scoring by an endpoint. Raises NotFound."""
        return StudioScoring(self._data_plane(service, endpoint), self._input)

    def _data_plane(self, service: str, endpoint: str) -> Transport:
        found = self._there(service, endpoint)
        key = Bearer(lambda: Token(self.key(service, endpoint)), token=Token(text(found, "PrimaryKey")))
        return replace(
            self._transport, base_url=text(found, "ApiLocation"), authorize=key.headers, renew=key.renew
        )

    def _there(self, service: str, endpoint: str) -> Json:
        found = self._find(self._path(service, endpoint))
        if found is None:
            raise NotFound(
                f"there is no endpoint {endpoint!r} on the web service {service}",
                "run ./dev refresh to see what is there, then ./dev up",
                status=404,
            )
        return found

    def _path(self, service: str, endpoint: str) -> str:
        """The path of an endpoint, which is also where its model is patched."""
        return f"{self._root}/{service}/endpoints/{endpoint}"

    def _find(self, path: str) -> Json | None:
        try:
            return self._transport.object("GET", path)
        except NotFound:
            return None
