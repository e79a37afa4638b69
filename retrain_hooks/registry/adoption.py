"""The model that an endpoint served before the program: recorded as the run of a data version, without training.

Its run is ``finished`` and says where the model came from (``adopted``). The model is copied into the registry under the
run's address, so that going back to it works like going back to any other. One that can't be read stays where it is: the
run then has no hash, and is known by its location only.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from clients.errors import ConfigurationError, RetrainError
from clients.protocols import Binding
from clients.storage import BlobRef, Container
from clients.storage.blobs import Blobs
from retrain_hooks.host.lifecycle import Context, Props
from retrain_hooks.registry.ledger import Ledger, Origin, Run


@dataclass(frozen=True)
class Adopted:
    """A model that was adopted: its *address*, the *location* that services say it is read from, and, where it could not
    be copied to its address, how it is named to a service (*model*). One of another storage account is known by its *uri*.
    """

    address: str
    location: str
    uri: str
    model: BlobRef | None = None


def adopted_model(registry: Container, address: str) -> Adopted | None:
    """What is on record of the model at *address*, if it was adopted."""
    run = Ledger(registry).finished(address)
    if run is None or not run.adopted:
        return None
    return Adopted(
        address, run.adopted.location, run.adopted.uri, None if run.sha256 else _named(run.adopted)
    )


def _named(origin: Origin) -> BlobRef:
    """A model that lies where it lay, without what opens it: whoever reads it has to be let in."""
    path = urlsplit(origin.uri).path.lstrip("/") if origin.location == origin.uri else origin.location
    base = origin.uri.removesuffix(path)
    return BlobRef(base, path)


class Adoption:
    """Records what ``endpoint`` of ``service`` serves as ``resource`` (a TrainedModel's input ``adopts``)."""

    def __init__(self, context: Context, target: str, adopts: Mapping[str, Any]) -> None:
        self._context, self._target, self._adopts = context, target, adopts
        self._registry = context.registry(target)

    def served(self, experiment: str) -> Binding | None:
        """What the endpoint serves, to be adopted; None where that is a model of *experiment*, trained by a program.

        Raises ConfigurationError where it serves none, BindingFailed where it is gone.
        """
        service, resource = self._adopts["service"], str(self._adopts["resource"])
        bindings = self._context.services(self._target, service).bindings(service["id"], self._endpoint)
        found = [one for one in bindings.read() if one.resource.casefold() == resource.casefold()]
        if not found or not found[0].location:
            raise ConfigurationError(
                f"the endpoint {self._endpoint!r} serves no model that could be adopted as {resource!r}",
                "leave out `adopts`: the first update then trains a model and binds it",
            )
        run = Ledger(self._registry).finished(found[0].location.removeprefix(f"{self._registry.name}/"))
        return None if run and run.experiment == experiment else found[0]

    @property
    def plan(self) -> str:
        """What an update would do, as a preview says it."""
        return f"adopt the model that {self._endpoint} serves"

    @property
    def _endpoint(self) -> str:
        return str(self._adopts["endpoint"])

    def record(self, key: str, experiment: str, inputs: dict[str, Any]) -> None:
        """Copy what is served, and record it as the finished run *key*; one that is on record already stays."""
        ledger = Ledger(self._registry)
        if ledger.find(key) is not None:
            return
        served = self.served(experiment)
        if served is None:
            return
        context, model = self._context, served.model or BlobRef("", "")
        uri = f"{model.base.rstrip('/')}/{model.path.lstrip('/')}".rstrip("/").partition("?")[0]
        now = context.clock.now().isoformat()
        data: Props = dict(self._adopts["data"])
        run = Run(
            key,
            experiment,
            inputs,
            state="finished",
            data={"container": data.get("container"), "version": data.get("version")},
            planned_at=now,
            ended_at=now,
            adopted=Origin(
                self._adopts["service"]["id"], self._endpoint, served.resource, served.location, uri
            ),
        )
        content = self._content(uri, model.signature, served.location)
        context.guard.check()
        if content is not None:
            run = self._keep(ledger, run, content)
        entry = ledger.plan(run)
        if entry.run == run:
            context.progress.info(
                f"the model that {self._endpoint} serves ({served.location}) is adopted as run {key[:12]}, "
                f"data version {data.get('version')}: nothing was trained"
            )

    def _content(self, uri: str, signature: str, location: str) -> bytes | None:
        """The model's bytes; None, and a line that says why, where they can't be read."""
        subscription = str(self._adopts["service"]["workspace"]["resource"]).split("/")[2]
        try:
            return Blobs(self._context.target(self._target), subscription).read(uri + signature)
        except RetrainError as error:
            self._context.progress.info(
                f"the model that {self._endpoint} serves can't be copied ({error.cause}): it goes on serving from "
                f"{location}; going back to it later is up to the service, which has to read it there"
            )
            return None

    def _keep(self, ledger: Ledger, run: Run, content: bytes) -> Run:
        """The run with its model in the registry; what an interrupted update left there may be the same."""
        md5 = b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        there = self._registry.stat(run.address)
        if there is not None and (there.size, there.md5) != (len(content), md5):
            run = replace(run, attempt=ledger.last_attempt(run.experiment, run.key) + 1)
            there = None
        if there is None:
            self._registry.write(run.address, content, etag=None)
        sha256 = hashlib.sha256(content).hexdigest()
        return replace(run, sha256=sha256, md5=md5, bytes=len(content))
