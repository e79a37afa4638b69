"""The Studio API's way from an experiment to a web service: save, deploy, wait.

``POST experiments`` keeps an experiment under its description, ``POST …/webservice`` deploys it, and the activity
that this starts is looked at until it is ``Completed``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clients.clock import Clock
from clients.errors import ServiceError
from clients.http.answers import text
from clients.http.transport import Transport
from clients.poller import wait
from clients.protocols import Published
from clients.storage import BlobRef
from clients.studio_data_plane.references import written

_DEADLINE_SECONDS = 300.0


class Publishing:
    """Deploys experiments into the workspace with the 32-hex id *workspace*."""

    def __init__(self, transport: Transport, workspace: str, clock: Clock) -> None:
        self._transport = transport
        self._root = f"api/workspaces/{workspace}/experiments"
        self._clock = clock

    def publish(
        self,
        name: str,
        graph: Mapping[str, Any],
        models: Mapping[str, BlobRef],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Deploy *graph* as the web service *name*, or re-deploy it: ids, keys and further endpoints stay.

        *models* are the trained models it starts with, by their names. *before_write* is called before each call that
        changes something.
        """
        before_write()
        experiment = self.save(name, graph, models)
        before_write()
        deployed = self._transport.object(
            "POST",
            f"{self._root}/{experiment}/webservice",
            generateNewPortNames="false",
            updateExistingWebService="true",
        )

        def look(_waited: float) -> Mapping[str, Any] | None:
            status = text(deployed, "Status") if _waited == 0 else self._status(text(deployed, "ActivityId"))
            if status == "Failed":
                raise ServiceError(
                    f"the studio could not deploy {name!r}",
                    "look at the experiment, then run the update again",
                )
            return deployed if status == "Completed" else None

        done = wait(look, what=f"the deployment of {name!r}", deadline=_DEADLINE_SECONDS, clock=self._clock)
        return Published(experiment, text(done, "WebServiceGroupId"), text(done, "EndpointId"))

    def save(self, name: str, graph: Mapping[str, Any], models: Mapping[str, BlobRef]) -> str:
        """Keep *graph* as the experiment *name*, with the trained models that it starts with; the experiment's id."""
        resources = [
            {"Name": model, "Kind": "TrainedModel", "Location": written(blob)}
            for model, blob in models.items()
        ]
        body = {"Description": name, "Graph": graph, "Resources": resources}
        return text(self._transport.post(self._root, body), "ExperimentId")

    def definition(self, experiment: str) -> dict[str, Any]:
        """A saved experiment as the definition of a New web service, which lacks storage account and plan."""
        return self._transport.object("GET", f"{self._root}/{experiment}/webservicedefinition")

    def _status(self, activity: str) -> str:
        return text(self._transport.get(f"{self._root}/{activity}/webservice"), "Status")

    def delete(self, experiment: str) -> None:
        """Delete an experiment; one that is gone is not an error."""
        self._transport.delete(f"{self._root}/{experiment}")
