"""The classic management API: web services, endpoints, and the PATCH that binds a model.

Host ``management.azureml.net``, PascalCase JSON, no api-version; authorised by the workspace's token.
"""

from __future__ import annotations

from typing import Any

from clients.errors import BindingFailed, NotFound
from clients.protocols import Binding
from clients.storage import BlobRef
from clients.transport import Transport

Json = dict[str, Any]


class Management:
    """Web services and endpoints of the workspace with the 32-hex id *workspace*."""

    def __init__(self, transport: Transport, workspace: str) -> None:
        self.transport = transport
        self._root = f"workspaces/{workspace}/webservices"

    def service(self, service: str) -> Json | None:
        """The web service with this id; None where there is none."""
        return self._found(f"{self._root}/{service}")

    def services(self) -> list[Json]:
        """All web services."""
        return list(self.transport.get(self._root) or [])

    def delete_service(self, service: str) -> None:
        """Delete a web service with its endpoints; one that is gone is no error."""
        self.transport.delete(f"{self._root}/{service}")

    def endpoint_path(self, service: str, name: str) -> str:
        """The path of an endpoint, which is also where its model is patched."""
        return f"{self._root}/{service}/endpoints/{name}"

    def endpoint(self, service: str, name: str) -> Json | None:
        """An endpoint with its keys; None where there is none."""
        return self._found(self.endpoint_path(service, name))

    def endpoints(self, service: str) -> list[Json]:
        """All endpoints of a web service. Raises NotFound where it is gone."""
        return list(self.transport.get(f"{self._root}/{service}/endpoints") or [])

    def put_endpoint(self, service: str, name: str, settings: Json) -> None:
        """Create an endpoint, or change the settings of an existing one."""
        self.transport.put(
            self.endpoint_path(service, name), {"WebServiceId": service, "EndpointName": name, **settings}
        )

    def refresh_endpoint(self, service: str, name: str) -> None:
        """Bring an endpoint to the graph of its web service, with the model that it has; 304 says that it is there."""
        self.transport.post(f"{self.endpoint_path(service, name)}/refresh", {"OverwriteResources": "False"})

    def delete_endpoint(self, service: str, name: str) -> None:
        """Delete an endpoint; one that is gone is no error."""
        self.transport.delete(self.endpoint_path(service, name))

    def _found(self, path: str) -> Json | None:
        try:
            return dict(self.transport.get(path))
        except NotFound:
            return None


class StudioBindings:
    """Which model one classic endpoint serves."""

    def __init__(self, management: Management, service: str, endpoint: str) -> None:
        self._management = management
        self._service = service
        self._endpoint = endpoint

    def read(self) -> list[Binding]:
        """The endpoint's updatable resources. Raises BindingFailed where the endpoint is gone."""
        found = self._management.endpoint(self._service, self._endpoint)
        if found is None:
            raise BindingFailed(
                f"there is no endpoint {self._endpoint!r} any more", "run ./dev refresh, then ./dev up"
            )
        return bindings_of(found)

    def write(self, resource: str, model: BlobRef) -> None:
        """PATCH the endpoint; the service fetches the model at once."""
        self._management.transport.patch(
            self._management.endpoint_path(self._service, self._endpoint),
            {"Resources": [{"Name": resource, "Location": model}]},
        )


def bindings_of(endpoint: Json) -> list[Binding]:
    """What an endpoint, as the management API answers it, serves."""
    return [
        Binding(resource["Name"], (location or {}).get("RelativeLocation") or "", location)
        for resource in endpoint.get("Resources") or []
        for location in [resource.get("Location")]
    ]
