"""Everything a classic workspace offers, behind the three protocols plus publishing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clients.clock import Clock
from clients.credentials import Target
from clients.errors import NotFound
from clients.protocols import Binding
from clients.sign_in import Bearer, Token
from clients.studio_classic.jobs import StudioJobs
from clients.studio_classic.management import Json, Management, StudioBindings, bindings_of
from clients.studio_classic.publishing import Published, Publishing
from clients.studio_classic.scoring import StudioScoring
from clients.transport import Transport

DEFAULT_ENDPOINT = "default"


class ClassicServices:
    """The services of one classic workspace: *workspace* is its ARM id, *workspace_id* its 32-hex id."""

    def __init__(self, target: Target, workspace: str, workspace_id: str, clock: Clock) -> None:
        self._transport = target.studio(workspace)
        self.management = Management(self._transport, workspace_id)
        self._publishing = Publishing(self._transport, workspace_id, clock)

    def publish(
        self,
        name: str,
        graph: Mapping[str, Any],
        resources: Sequence[Mapping[str, Any]],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Deploy an experiment as the web service *name*; again: re-deploy it."""
        return self._publishing.publish(name, graph, resources, before_write)

    def unpublish(self, service: str, experiment: str) -> None:
        """Delete a web service and the experiment it was deployed from."""
        self.management.delete_service(service)
        self._publishing.delete(experiment)

    def jobs(self, service: str) -> StudioJobs:
        """Batch jobs of a training service (its default endpoint)."""
        return StudioJobs(self._data_plane(service, DEFAULT_ENDPOINT))

    def bindings(self, service: str, endpoint: str) -> StudioBindings:
        """The model that an endpoint serves."""
        return StudioBindings(self.management, service, endpoint)

    def served(self, service: str) -> dict[str, list[Binding]]:
        """The models that all endpoints of a service serve, by the endpoint's name. Raises NotFound."""
        return {found["Name"]: bindings_of(found) for found in self.management.endpoints(service)}

    def scoring(self, service: str, endpoint: str) -> StudioScoring:
        """Scoring by an endpoint."""
        return StudioScoring(self._data_plane(service, endpoint))

    def endpoint(self, service: str, name: str) -> Json:
        """An endpoint with its keys. Raises NotFound."""
        found = self.management.endpoint(service, name)
        if found is None:
            raise NotFound(
                f"there is no endpoint {name!r} on the web service {service}",
                "run ./dev refresh to see what is there, then ./dev up",
                status=404,
            )
        return found

    def _data_plane(self, service: str, endpoint: str) -> Transport:
        found = self.endpoint(service, endpoint)
        key = Bearer(
            lambda: Token(self.endpoint(service, endpoint)["PrimaryKey"]), token=Token(found["PrimaryKey"])
        )
        return replace(self._transport, base_url=found["ApiLocation"], authorize=key.headers, renew=key.renew)
