"""What an online endpoint serves: its traffic, read, merged and written whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from clients.arm.resource_manager import Json
from clients.azureml.deployments import CODE, MODEL, RESOURCE, Deployments, require
from clients.azureml.slots import Slot
from clients.azureml.workspace import AzureMlWorkspace, tags_of
from clients.errors import BindingFailed, Conflict, NotFound
from clients.http.answers import part, text
from clients.protocols import Binding
from clients.storage import BlobRef

# Stands before the name of a deployment that is not ours, as the place of the model that it serves.
_FOREIGN = "deployment:"
_WHOLE = 100
_ATTEMPTS = 5


class Traffic:
    """Which models the *place* (an online endpoint, or its staging slot) of *service* serves."""

    def __init__(self, workspace: AzureMlWorkspace, service: str, place: str) -> None:
        self._workspace, self._service = workspace, service
        slot = Slot.parse(place)
        self._name, self._staging = slot.endpoint, slot.staging
        self._id = f"{workspace.id}/onlineEndpoints/{self._name}"
        self._deployments = Deployments(workspace, service, self._id)
        self._wrote: dict[str, int] | None = None
        self._found: dict[str, int] | None = None

    def read(self) -> list[Binding]:
        """The models that get traffic, the one with the most first. Raises BindingFailed where the endpoint is gone."""
        try:
            if self._staging:
                staged = self._deployments.staged()
                return [self._binding(staged, _WHOLE)] if staged else []
            return self.served(require(self._workspace.arm.find(self._id), self._name))
        except NotFound as error:
            raise BindingFailed(error.cause, error.remedy) from None

    def served(self, endpoint: Json) -> list[Binding]:
        """The models that an endpoint, as Resource Manager answers it, serves."""
        if self._staging:
            return self.read()
        traffic = _traffic(endpoint)
        if not traffic:
            return []
        there = {text(one, "name"): one for one in self._deployments.all()}
        shares = sorted(traffic.items(), key=lambda item: -item[1])
        return [self._binding(there[name], share) for name, share in shares if name in there]

    def _binding(self, deployment: Json, share: int) -> Binding:
        tags, name = tags_of(deployment), text(deployment, "name")
        if not tags.get(MODEL):
            return Binding("", f"{_FOREIGN}{name}", BlobRef(_FOREIGN, name), share)
        model = f"{self._workspace.target.registry_container}/{tags[MODEL]}"
        return Binding(str(tags.get(RESOURCE) or ""), model, None, share, str(tags.get(CODE) or ""))

    def write(self, resource: str, model: BlobRef) -> None:
        """Let *model* get all of the traffic; on staging, make its deployment the one that is looked at."""
        self.move(resource, model, _WHOLE)

    def move(self, resource: str, model: BlobRef, share: int) -> None:
        """Let *model* get *share* percent of the traffic, and what is served now the rest.

        Where nothing else is served it gets all. Raises BindingFailed where somebody else has changed the traffic since this
        wrote it.
        """
        name = self._deployment(resource, model)
        if self._staging:
            self._deployments.stage(name)
            endpoint = require(self._workspace.arm.find(self._id), self._name)
            self._deployments.discard({name, *_traffic(endpoint), *_shares(endpoint, "mirrorTraffic")})
        else:
            self._change(lambda present: merged(present, name, share))

    def mirror(self, resource: str, model: BlobRef, share: int) -> None:
        """Send a copy of *share* percent of the calls to *model*'s deployment, which has no traffic."""
        name = self._deployment(resource, model)
        self._change(lambda present: present, {name: share})

    def withdraw(self) -> None:
        """Take all traffic away: the endpoint then answers 404."""
        if not self._staging:
            self._change(lambda _present: {})

    def put_back(self) -> bool:
        """Write the traffic that was there before the first change; whether there was one."""
        found = self._found
        if found is None:
            return False
        self._change(lambda _present: found)
        return True

    def _change(
        self,
        change: Callable[[Mapping[str, int]], Mapping[str, int]],
        mirrored: Mapping[str, int] | None = None,
    ) -> None:
        """Write what *change* makes of the traffic; *mirrored* is the mirror that is to be there, of our deployments."""
        for attempt in range(_ATTEMPTS):
            endpoint, etag = self._workspace.arm.read(self._id)
            present = _traffic(endpoint)
            if self._wrote is not None and present != self._wrote:
                raise BindingFailed(
                    f"somebody else has changed the traffic of {self._name!r} to {shown(present)}: it is left so",
                    "see who did, and why; run the update again to go on",
                )
            wanted, mirror = dict(change(present)), self._mirror(endpoint, mirrored or {})
            if wanted == present and mirror == _shares(endpoint, "mirrorTraffic"):
                return
            try:
                body = _whole(endpoint, wanted, mirror)
                self._workspace.arm.put(self._id, body, f"the traffic of {self._name!r}", etag)
            except Conflict as error:
                if error.status != 412 or attempt == _ATTEMPTS - 1:
                    raise
                continue  # something else of it was changed: read, merge and write again
            self._wrote, self._found = wanted, present if self._found is None else self._found
            return

    def _mirror(self, endpoint: Json, mirrored: Mapping[str, int]) -> dict[str, int]:
        """The mirror with *mirrored* in the place of ours: what others mirror to stays, unless there is to be another."""
        present = _shares(endpoint, "mirrorTraffic")
        if mirrored or not present:
            return dict(mirrored)
        ours = {text(one, "name") for one in self._deployments.ours()}
        return {name: share for name, share in present.items() if name not in ours}

    def _deployment(self, resource: str, model: BlobRef) -> str:
        if _FOREIGN in model.base + model.path:
            return model.path.rpartition("/")[2].removeprefix(_FOREIGN)
        return self._deployments.make(resource, model)

    def retire(self, keep: int) -> None:
        """Delete our deployments without traffic, but the *keep* that had it last."""
        endpoint = require(self._workspace.arm.find(self._id), self._name)
        mirrored = [name for name, share in _shares(endpoint, "mirrorTraffic").items() if share]
        self._deployments.retire(_traffic(endpoint), keep, mirrored)


def merged(present: Mapping[str, int], name: str, share: int) -> dict[str, int]:
    """The traffic with *share* percent for *name*, the rest of it as it is shared among the others now."""
    others = {other: part for other, part in present.items() if other != name}
    rest, total = _WHOLE - share, sum(others.values())
    if not rest or not total:
        return {name: _WHOLE}
    shares = {other: rest * part // total for other, part in others.items()}
    for other in sorted(others, key=lambda one: (-(rest * others[one] % total), one))[
        : rest - sum(shares.values())
    ]:
        shares[other] += 1
    return {name: share} | {other: part for other, part in shares.items() if part}


def shown(traffic: Mapping[str, int]) -> str:
    """A traffic in words."""
    return ", ".join(f"{name} {share} %" for name, share in traffic.items()) or "nothing"


def _traffic(endpoint: Json) -> dict[str, int]:
    return {name: share for name, share in _shares(endpoint, "traffic").items() if share}


def _shares(endpoint: Json, member: str) -> dict[str, int]:
    return {name: int(share) for name, share in part(part(endpoint, "properties"), member).items()}


def _whole(endpoint: Json, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> Json:
    """A PUT of an endpoint as it is, with other traffic: what is left out would be taken away."""
    properties, identity = part(endpoint, "properties"), part(endpoint, "identity")
    users = identity.get("userAssignedIdentities") or {}
    return {
        "location": text(endpoint, "location"),
        "tags": part(endpoint, "tags"),
        **({"kind": endpoint["kind"]} if endpoint.get("kind") else {}),
        **({"sku": endpoint["sku"]} if endpoint.get("sku") else {}),
        "identity": {
            "type": identity.get("type") or "SystemAssigned",
            **({"userAssignedIdentities": {name: {} for name in users}} if users else {}),
        },
        "properties": {
            **{
                name: properties[name]
                for name in ("authMode", "description", "publicNetworkAccess", "compute")
                if properties.get(name) is not None
            },
            "properties": {
                name: value
                for name, value in part(properties, "properties").items()
                if not name.lower().startswith("azureasyncoperation")
            },
            "traffic": dict(traffic),
            # The service mirrors to a deployment without traffic only.
            "mirrorTraffic": {name: share for name, share in mirror.items() if not traffic.get(name)},
        },
    }
