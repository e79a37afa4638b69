"""Whatever a service leaves out of an answer, or puts in the place of something else, is an error with cause and remedy."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import requests

from clients.clock import SystemClock
from clients.credentials import Target, resolve_target
from clients.errors import NotFound, RetrainError
from clients.http import connections
from clients.inventory import Inventory
from clients.storage.blobs import Blobs
from clients.studio_classic.services import ClassicServices
from clients.studio_new.files import DefinitionFiles
from clients.studio_new.services import NewServices
from tests.studio.houses import PREDICTIVE, RESOURCE
from tests.studio.new_services import GROUP, Arm, completed, exported
from tests.studio.running import SUBSCRIPTION, Running, Workspace
from tests.studio.shared import Trained

ODD = (None, 7, "text", [7])
GONE = object()
MOST = 8  # answers to an operation
Operation = Callable[[Target], Any]


@pytest.fixture(scope="module")
def operations(workspace: Workspace, scoring: str, trained: Trained, studio: Running) -> dict[str, Operation]:
    """What reads from services of both kinds, by what it reads."""
    arm = Arm(studio)
    arm.group()
    resource = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": trained.baseline}
    body = completed(exported(workspace, "odd", PREDICTIVE, [resource]), arm.plan("odd"), studio.azurite.key)
    service = arm.service("odd-answers")
    service.put(body)
    place = workspace.arm[len(studio.url) :]

    def classic(target: Target) -> ClassicServices:
        return ClassicServices(target, place, workspace.id, SystemClock())

    def new(target: Target) -> NewServices:
        return NewServices(target, {"resource": GROUP, "id": ""}, SystemClock())

    row = [{"rooms": "3"}]
    return {
        "classic names": lambda target: classic(target).names(),
        "classic contract": lambda target: classic(target).contract(scoring),
        "classic endpoint": lambda target: classic(target).endpoint(scoring, "default"),
        "classic key": lambda target: classic(target).key(scoring, "default"),
        "classic served": lambda target: classic(target).served(scoring),
        "classic binding": lambda target: classic(target).bindings(scoring, "default").read(),
        "classic scoring": lambda target: classic(target).scoring(scoring, "default").score(row),
        "classic job": lambda target: classic(target).jobs(scoring).status("0" * 32),
        "workspace": lambda target: target.workspace_id(place),
        "storage key": lambda target: Blobs(target, SUBSCRIPTION).key("teststorage"),
        "new names": lambda target: new(target).services(),
        "new contract": lambda target: new(target).contract(service.id),
        "new endpoint": lambda target: new(target).endpoint(service.id, "default"),
        "new key": lambda target: new(target).key(service.id, "default"),
        "new binding": lambda target: new(target).bindings(service.id, "default").read(),
        "new export": lambda target: DefinitionFiles(target, None, SystemClock()).export("odd-answers"),  # type: ignore[arg-type]
        "inventory": lambda target: Inventory(target, SystemClock()).workspaces(),
    }


class Replayed:
    """Answers as they were recorded, one of them changed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.recorded: dict[tuple[str, str], requests.Response] = {}
        self.asked: list[tuple[str, str]] = []
        self.changed: tuple[tuple[str, str], Any] | None = None
        self._real = connections.SESSION.request
        self._records = True
        self._blobs: dict[str, bytes] = {}
        self._read = Blobs.read
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(connections.SESSION, "request", self._request)
        monkeypatch.setattr(Blobs, "read", lambda blobs, *place: self._content(blobs, *place))

    def _content(self, blobs: Blobs, uri: str, credentials: str = "") -> bytes:
        if self._records:
            self._blobs[uri] = self._read(blobs, uri, credentials)
        if uri not in self._blobs:
            raise NotFound("there is no such blob", "name another one")
        return self._blobs[uri]

    def _request(self, method: str, url: str, **options: Any) -> requests.Response:
        key = (method, url)
        if "stream" in options:  # the Azure SDK's, for blobs
            assert self._records
            return self._real(method, url, **options)
        if self._records:
            self.recorded[key] = self._real(method, url, **options)
            return self.recorded[key]
        self.asked.append(key)
        if self.changed and self.changed[0] == key:
            return answer_of(200, json.dumps(self.changed[1]).encode())
        return self.recorded.get(key) or answer_of(404, b"")

    def keep(self, *names: str) -> None:
        """From now on nothing is asked any more, and no exchange needs a thread that would cut it.

        Lists have what these names are in only: an inventory would else go through the services of all tests.
        """
        self._records = False
        for answer in self.recorded.values():
            with suppress(ValueError):
                answer._content = json.dumps(shortened(answer.json(), names)).encode()
        uncut = nullcontext(connections._Cut())
        self._monkeypatch.setattr(connections, "cut_after", lambda _seconds: uncut)


def answer_of(status: int, content: bytes) -> requests.Response:
    found = requests.Response()
    found.status_code, found._content, found.encoding = status, content, "utf-8"
    return found


def shortened(value: Any, names: Sequence[str]) -> Any:
    """A listing with the items that have one of the names in them, all where none has; any other value as it is."""
    if isinstance(value, dict) and isinstance(value.get("value"), list):
        return {**value, "value": shortened(value["value"], names)}
    if not isinstance(value, list):
        return value
    return [item for item in value if any(name in json.dumps(item) for name in names)] or value


def places(value: Any, depth: int = 5) -> Iterator[tuple[str | int, ...]]:
    """Where in a JSON value something may be changed: itself first, of a list the first item only."""
    yield ()
    inner = (
        value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    )
    for name, one in inner:
        yield from ((name, *rest) for rest in places(one, depth - 1) if depth)


def changed(value: Any, place: tuple[str | int, ...], other: Any) -> Any:
    """The value with another one there, or without it."""
    if not place:
        return None if other is GONE else other
    found = copy.deepcopy(value)
    holder = found
    for name in place[:-1]:
        holder = holder[name]
    if other is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = other
    return found


def test_an_answer_of_any_shape_is_read_or_refused_in_one_line(
    operations: dict[str, Operation],
    scoring: str,
    workspace: Workspace,
    studio: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each value in each answer to each operation is left out, and replaced by values of other kinds."""
    replayed, escaped, refused = Replayed(monkeypatch), [], 0

    def target() -> Target:
        return resolve_target("local", {"RETRAIN_CLOUD_FILE": str(studio.directory / "cloud.json")})

    for operation in operations.values():
        with suppress(RetrainError):
            operation(target())
    replayed.keep("odd-answers", scoring, workspace.id)
    asked = {}
    for name, operation in operations.items():
        replayed.asked.clear()
        with suppress(RetrainError):
            operation(target())
        asked[name] = list(dict.fromkeys(replayed.asked))[:MOST]
    for name, operation in operations.items():
        for key in asked[name]:
            try:
                value = replayed.recorded[key].json()
            except ValueError:
                continue
            for place in places(value):
                for other in (GONE, *ODD):
                    replayed.changed = key, changed(value, place, other)
                    try:
                        operation(target())
                    except RetrainError as error:
                        refused += bool(error.remedy)
                    except Exception as error:
                        escaped.append(
                            f"{name}: {key[1].partition('?')[0][-40:]} {place} {other!r}: {error!r}"
                        )
    assert not escaped, "\n".join(escaped)
    assert refused > 100
