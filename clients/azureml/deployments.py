"""One deployment a model: made without traffic, named by its model and by the code that it was made with.

Its tags say which model it serves, so that an endpoint can be read without asking for the models.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from clients.arm.resource_manager import Json
from clients.azureml import logs, recipes
from clients.azureml.models import address_of, register, version_of
from clients.azureml.publishing import Publisher, Recipe
from clients.azureml.workspace import AzureMlWorkspace, tags_of
from clients.errors import (
    BindingFailed,
    ConfigurationError,
    Conflict,
    NotFound,
    RetrainError,
    ServiceError,
    Throttled,
    Unreachable,
)
from clients.http.answers import part, text
from clients.poller import Pace, wait
from clients.storage import BlobRef

MODEL, RESOURCE, SERVICE = "retrain-model", "retrain-resource", "retrain-service"
CODE, STAGED, SERVED = "retrain-code", "retrain-staged", "retrain-served"
_ENDED = ("Succeeded", "Failed", "Canceled")
_DEADLINE_SECONDS = 2400.0
_LOG_LINES = 15
_DIGITS = 8


class Deployments:
    """The deployments of the online endpoint with the ARM id *endpoint*, of what *service* publishes."""

    def __init__(self, workspace: AzureMlWorkspace, service: str, endpoint: str) -> None:
        self._workspace, self._service, self._endpoint = workspace, service, endpoint

    def all(self) -> list[Json]:
        """All of them, whoever made them. Raises NotFound where the endpoint is gone."""
        try:
            return self._workspace.arm.list(f"{self._endpoint}/deployments")
        except NotFound:
            raise gone(self._endpoint.rpartition("/")[2]) from None

    def ours(self) -> list[Json]:
        """Those that serve models of ours, by this service."""
        return [one for one in self.all() if tags_of(one).get(SERVICE) == self._named]

    @property
    def _named(self) -> str:
        return self._service.rpartition("/")[2]

    def make(self, resource: str, model: BlobRef) -> str:
        """The name of the deployment that serves *model* by the present code; made where there is none.

        Raises BindingFailed, with its log's last lines, where it doesn't come up.
        """
        recipe = Publisher(self._workspace).current(self._service)
        name = _name(model, recipe)
        found = self._settled(name)
        if found is not None and _state(found) == "Succeeded":
            return name
        if found is not None:  # it has failed
            self.delete(name)
        body = {
            "location": self._workspace.location,
            "sku": {"name": "Default", "capacity": recipe.settings["instance_count"]},
            "tags": {
                **recipe.settings["tags"],
                MODEL: address_of(model),
                RESOURCE: resource,
                SERVICE: self._named,
                CODE: recipe.digest,
                STAGED: _now(),
            },
            "properties": recipes.deployment(
                recipe.settings,
                code=recipe.code,
                environment=recipe.environment,
                model=register(self._workspace, model),
            ),
        }
        try:
            self._workspace.arm.put(self._id(name), body, f"the deployment {name!r}")
        except (Conflict, Throttled):
            raise  # it says nothing of the deployment
        except (ServiceError, ConfigurationError) as error:
            raise self._failed(name, error) from None
        return name

    def _failed(self, name: str, error: RetrainError) -> BindingFailed:
        """What became of a deployment that did not come up: told with its log, and deleted."""
        said = ""
        with suppress(RetrainError):
            said = logs.of_deployment(self._workspace, self._id(name), _LOG_LINES)
        with suppress(RetrainError):  # the next update finds it, and makes it anew
            self.delete(name)
        log = f"; its log ends: {said}" if said else ""
        return BindingFailed(
            f"{error.cause}{log}",
            "correct what is said there (score.py, the environment, or the model), then run the update again",
            request_id=error.request_id,
        )

    def _settled(self, name: str) -> Json | None:
        """A deployment, once what is going on with it has ended; None where there is none."""

        def look(_waited: float) -> tuple[Json | None] | None:
            found = self._workspace.arm.find(self._id(name))
            return (found,) if found is None or _state(found) in _ENDED else None

        what, pace = f"the deployment {name!r}", Pace(shortest=0.1, longest=15.0)
        return wait(look, what=what, deadline=_DEADLINE_SECONDS, clock=self._workspace.clock, pace=pace)[0]

    def stage(self, name: str) -> None:
        """Say that it is the one that is looked at on staging: the one that was staged last."""
        deployments = self.ours()
        latest = max(deployments, key=lambda one: tags_of(one).get(STAGED, ""), default=None)
        found = next((one for one in deployments if one["name"] == name), None)
        if found is None or latest is found:
            return
        self._tag(found, STAGED)

    def staged(self) -> Json | None:
        """The one that was staged last, of those that are up; None where there is none."""
        up = [one for one in self.ours() if _state(one) == "Succeeded"]
        return max(up, key=lambda one: tags_of(one).get(STAGED, ""), default=None)

    def delete(self, name: str) -> None:
        """Delete it; one that is gone is not an error."""
        self._workspace.arm.delete(self._id(name), f"the deployment {name!r}")

    def retire(self, traffic: Mapping[str, int], keep: int, mirrored: Collection[str] = ()) -> None:
        """Delete those of ours without *traffic* (percent by name) that are not *mirrored* to, but the *keep* that had it last.

        One that never had any, such as that of a model which a gate refused, is not kept.
        """
        ours = self.ours()
        latest = max((tags_of(one).get(SERVED, "") for one in ours), default="")
        idle = []
        for one in ours:
            name, served = text(one, "name"), tags_of(one).get(SERVED, "")
            if not traffic.get(name):
                idle.append((served, name))
            elif keep and (not served or served != latest):
                self._tag(one, SERVED)
        idle.sort(reverse=True)
        kept = [name for served, name in idle if served][:keep]
        for _, name in idle:
            if name not in kept and name not in mirrored:
                self.delete(name)

    def discard(self, used: Collection[str]) -> None:
        """Delete those of ours that never had traffic and are not *used*: candidates that were staged before, and refused.

        Each costs as much as one that serves, and an endpoint has few. One that can't be deleted now, since another update is
        at it, is left to the next time.
        """
        for one in self.ours():
            name = text(one, "name")
            if name not in used and not tags_of(one).get(SERVED):
                with suppress(ServiceError, Unreachable):
                    self.delete(name)

    def _tag(self, deployment: Json, tag: str) -> None:
        """Say on it that something is so from now on."""
        tags, name = {**part(deployment, "tags"), tag: _now()}, text(deployment, "name")
        self._workspace.arm.patch(self._id(name), {"tags": tags}, f"the deployment {name!r}")

    def _id(self, name: str) -> str:
        return f"{self._endpoint}/deployments/{name}"


def _name(model: BlobRef, recipe: Recipe) -> str:
    """A deployment's name, at most 32 letters, digits and dashes: of its model and of what it is made with."""
    _, version = version_of(model)
    code, whole = recipe.digest[:_DIGITS], hashlib.sha256(address_of(model).encode()).hexdigest()
    known = re.fullmatch(r"([0-9a-f]{12})[0-9a-f]*-(\d{1,6})", version)
    return f"m{known[1]}-{known[2]}-{code}" if known else f"m{whole[:12]}-{code}"


def _state(document: Json) -> str:
    return str(part(document, "properties").get("provisioningState") or "")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def require(document: Json | None, name: str) -> Json:
    """An endpoint that has to be there. Raises NotFound."""
    if document is None:
        raise gone(name)
    return document


def gone(name: str) -> NotFound:
    """There is no endpoint of that name."""
    return NotFound(f"there is no online endpoint {name!r}", "run ./dev refresh, then ./dev up", status=404)
