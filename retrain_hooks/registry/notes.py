"""What is under way: a note in the registry for each web service and binding, emptied before it is changed, filled after.

A stack's state says what was done when it was last saved. Of an update that was killed in between it knows nothing,
and whoever then goes back to what the state says would be told that there is nothing to do: an endpoint would serve,
or a service train with, something else than the state says. An empty note says that nothing is sure.

What a killed update had sent may also be carried out later than what its successor sends, and no service compares
and swaps. So whoever finds a note emptied not long ago empties it again and lets what may be on its way arrive first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clients.poller import Pace, wait
from clients.storage import Container
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.records import Records, Unreadable
from retrain_hooks.registry.run_key import digest

FORMAT = 1
UNFINISHED = "unfinished"
# A provider ends within 3 s of its engine; the rest is for a request that it sent last, and for the service's answer.
_ARRIVAL_SECONDS = 10.0
_PACE = Pace(shortest=0.5, longest=0.5)


@dataclass(frozen=True)
class _Said:
    """What is sure, empty where nothing is, and what was *wanted* then."""

    content: str
    wanted: str
    etag: str


class Note:
    """The note on *subject* at ``<folder>/<digest of the subject>.json`` in *registry*."""

    def __init__(
        self, context: Context, registry: Container, folder: str, subject: Mapping[str, Any]
    ) -> None:
        self._registry = registry
        self._context = context
        self._subject = dict(subject)
        self._records = Records(registry, folder, dict[str, Any])
        self._name = digest(self._subject)

    def content(self) -> str | None:
        """What was last brought to its end, ``unfinished`` where that isn't sure, None where nothing is noted."""
        found = self._read()
        return None if found is None else found.content or UNFINISHED

    def begin(self, wanted: str = "", arrived: Callable[[str], bool] = lambda _wanted: False) -> str:
        """Note that from now on nothing is sure, as *wanted* is sent; the note's ETag, for ``end``.

        Returns when nothing that an interrupted update sent can arrive any more: after some seconds, or once
        *arrived* answers that what it wanted has. Raises Conflict, UpdateCancelled.
        """
        found, blob = self._read(), self._records.blob(self._name)
        unsure = found is not None and not found.content
        before = self._registry.stat(blob) if unsure else None
        # What is there already, or may come from somebody else, will not tell that ours has arrived.
        telling = wanted if not unsure and not arrived(wanted) else ""
        etag = self._write({"content": "", "wanted": telling}, found.etag if found else None)
        if found and unsure:
            now = self._registry.stat(blob)
            age = 0.0
            if before and now and before.modified and now.modified:  # by the same clock, the storage's
                age = (now.modified - before.modified).total_seconds()
            self._let_arrive(found.wanted, _ARRIVAL_SECONDS - age, arrived)
        return etag

    def end(self, content: str, etag: str) -> None:
        """Note what is sure now. Raises Conflict where somebody else has begun since ``begin`` gave *etag*."""
        self._write({"content": content}, etag)

    def forget(self) -> None:
        """There is nothing more to say of the subject."""
        self._records.delete(self._name)

    def _let_arrive(self, wanted: str, seconds: float, arrived: Callable[[str], bool]) -> None:
        def look(waited: float) -> bool | None:
            if waited >= seconds or (wanted and arrived(wanted)):
                return True
            self._context.progress.status(
                f"an update was interrupted here: waiting up to {seconds - waited:.0f} s for what it may have sent"
            )
            return None

        wait(look, what="the wait", deadline=seconds, clock=self._context.clock, pace=_PACE)

    def _read(self) -> _Said | None:
        """What is noted; nothing is sure where that cannot be read."""
        try:
            found = self._records.find(self._name)
        except Unreadable as problem:
            return _Said("", "", problem.etag)
        if found is None:
            return None
        content, wanted = (str(found.value.get(name) or "") for name in ("content", "wanted"))
        return _Said(content, wanted, found.etag)

    def _write(self, said: Mapping[str, str], etag: str | None) -> str:
        return self._records.write(self._name, {"version": FORMAT, **self._subject, **said}, etag).etag


def publication_note(context: Context, registry: Container, workspace: Mapping[str, str], name: str) -> Note:
    """The note on the web service *name* of *workspace*: the digest of what is published."""
    return Note(context, registry, "published", {"workspace": workspace["resource"], "name": name})


def binding_note(context: Context, registry: Container, service: str, endpoint: str, resource: str) -> Note:
    """The note on what *resource* of an *endpoint* serves: the model's address."""
    return Note(
        context, registry, "binding", {"service": service, "endpoint": endpoint, "resource": resource}
    )
