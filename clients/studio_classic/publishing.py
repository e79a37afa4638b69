"""The Studio API's way from an experiment to a web service: save, deploy, wait.

``POST experiments`` keeps an experiment under its description, ``POST …/webservice`` deploys it, and the activity
that this starts is looked at until it is ``Completed``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients.clock import Clock
from clients.errors import ServiceError
from clients.poller import wait
from clients.transport import Transport


@dataclass(frozen=True)
class Published:
    """A deployed experiment: ids of the experiment, the web service and its default endpoint (32 hex each)."""

    experiment: str
    service: str
    endpoint: str


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
        resources: Sequence[Mapping[str, Any]],
        before_write: Callable[[], None] = lambda: None,
        deadline: float = 300,
    ) -> Published:
        """Deploy *graph* as the web service *name*, or re-deploy it: ids, keys and further endpoints stay.

        *resources* are the trained models it starts with, shaped as in the management API's PATCH. *before_write* is
        called before each call that changes something.
        """
        body = {"Description": name, "Graph": graph, "Resources": list(resources)}
        before_write()
        experiment = str(self._transport.post(self._root, body)["ExperimentId"])
        before_write()
        deployed = self._transport.post(
            f"{self._root}/{experiment}/webservice",
            generateNewPortNames="false",
            updateExistingWebService="true",
        )

        def look(_waited: float) -> Mapping[str, Any] | None:
            status = deployed["Status"] if _waited == 0 else self._status(deployed["ActivityId"])
            if status == "Failed":
                raise ServiceError(
                    f"the studio could not deploy {name!r}",
                    "look at the experiment, then run the update again",
                )
            return deployed if status == "Completed" else None

        done = wait(look, what=f"the deployment of {name!r}", deadline=deadline, clock=self._clock)
        return Published(experiment, str(done["WebServiceGroupId"]), str(done["EndpointId"]))

    def _status(self, activity: str) -> str:
        return str(self._transport.get(f"{self._root}/{activity}/webservice")["Status"])

    def delete(self, experiment: str) -> None:
        """Delete an experiment; one that is gone is no error."""
        self._transport.delete(f"{self._root}/{experiment}")
