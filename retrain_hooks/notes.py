"""What is under way: a note in the registry for each web service and binding, emptied before it is changed, filled after.

A stack's state says what was done when it was last saved. Of an update that was killed in between it knows nothing,
and whoever then goes back to what the state says would be told that there is nothing to do: an endpoint would serve,
or a service train with, something else than the state says. An empty note says that nothing is sure.

What a killed update had sent may also be carried out later than what its successor sends, and no service compares
and swaps. So whoever finds a note emptied not long ago empties it again and lets what may be on its way arrive first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from clients.errors import NotFound
from clients.storage import Container
from retrain_hooks.lifecycle import Context
from retrain_hooks.run_key import canonical_json, digest

FORMAT = 1
UNFINISHED = "unfinished"
# A provider ends within 3 s of its engine; the rest is for a request that it sent last, and for the service's answer.
_ARRIVAL_SECONDS = 10.0
_LOOK_SECONDS = 0.5


class Note:
    """The note on *subject* at ``<folder>/<digest of the subject>.json`` in *registry*."""

    def __init__(
        self, context: Context, registry: Container, folder: str, subject: Mapping[str, Any]
    ) -> None:
        self._registry = registry
        self._context = context
        self._subject = dict(subject)
        self._name = f"{folder}/{digest(self._subject)}.json"

    def content(self) -> str | None:
        """What was last brought to its end, ``unfinished`` where that isn't sure, None where nothing is noted."""
        found = self._read()
        return None if found is None else _parse(found[0])[0] or UNFINISHED

    def begin(self, wanted: str = "", arrived: Callable[[str], bool] = lambda _wanted: False) -> str:
        """Note that from now on nothing is sure, as *wanted* is sent; the note's ETag, for ``end``.

        Returns when nothing that an interrupted update sent can arrive any more: after some seconds, or once
        *arrived* answers that what it wanted has. Raises Conflict, UpdateCancelled.
        """
        found = self._read()
        content, theirs = _parse(found[0]) if found else (None, "")
        before = self._registry.stat(self._name) if content == "" else None
        # What is there already, or may come from somebody else, will not tell that ours has arrived.
        telling = wanted if content != "" and not arrived(wanted) else ""
        etag = self._write({"content": "", "wanted": telling}, found[1] if found else None)
        if content == "":
            now = self._registry.stat(self._name)
            age = 0.0
            if before and now and before.modified and now.modified:  # by the same clock, the storage's
                age = (now.modified - before.modified).total_seconds()
            self._let_arrive(theirs, _ARRIVAL_SECONDS - age, arrived)
        return etag

    def end(self, content: str, etag: str) -> None:
        """Note what is sure now. Raises Conflict where somebody else has begun since ``begin`` gave *etag*."""
        self._write({"content": content}, etag)

    def forget(self) -> None:
        """There is nothing more to say of the subject."""
        self._registry.delete(self._name)

    def _let_arrive(self, wanted: str, seconds: float, arrived: Callable[[str], bool]) -> None:
        clock = self._context.clock
        end = clock.monotonic() + seconds
        while (left := end - clock.monotonic()) > 0 and not (wanted and arrived(wanted)):
            self._context.progress.status(
                f"an update was interrupted here: waiting up to {left:.0f} s for what it may have sent"
            )
            clock.sleep(min(left, _LOOK_SECONDS))

    def _read(self) -> tuple[bytes, str] | None:
        try:
            return self._registry.read(self._name)
        except NotFound as error:
            if error.code == "ContainerNotFound":
                raise
            return None

    def _write(self, said: Mapping[str, str], etag: str | None) -> str:
        record = {"version": FORMAT, **self._subject, **said}
        return self._registry.write(self._name, canonical_json(record), etag=etag)


def publication_note(context: Context, registry: Container, workspace: Mapping[str, str], name: str) -> Note:
    """The note on the web service *name* of *workspace*: the digest of what is published."""
    return Note(context, registry, "published", {"workspace": workspace["resource"], "name": name})


def binding_note(context: Context, registry: Container, service: str, endpoint: str, resource: str) -> Note:
    """The note on what *resource* of an *endpoint* serves: the model's address."""
    return Note(
        context, registry, "binding", {"service": service, "endpoint": endpoint, "resource": resource}
    )


def _parse(content: bytes) -> tuple[str, str]:
    """What is sure, empty where nothing is, and what was wanted then."""
    try:
        record = json.loads(content)
        known = record["version"] == FORMAT
        return (str(record["content"]), str(record.get("wanted") or "")) if known else ("", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""
