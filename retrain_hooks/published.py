"""What is published: a note in the registry for each web service, written before it is published and after.

A stack's state says what was published when it was last saved. Of an update that was killed in between it knows
nothing, and whoever then goes back to what the state says would be told that there is nothing to do: models would be
recorded under code that did not train them. So the note is emptied before publishing, and filled once that is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clients.errors import NotFound
from clients.storage import Container
from retrain_hooks.run_key import canonical_json, digest

FORMAT = 1
UNFINISHED = "unfinished"


class Publication:
    """The note on the web service *name* of *workspace*: ``published/<digest of both>.json``."""

    def __init__(self, registry: Container, workspace: Mapping[str, str], name: str) -> None:
        self._registry = registry
        self._service = {"workspace": workspace["resource"], "name": name}
        self._name = f"published/{digest(self._service)}.json"

    def content(self) -> str | None:
        """The digest of what is published, ``unfinished`` where that isn't sure, None where nothing is noted."""
        found = self._read()
        if found is None:
            return None
        try:
            record = json.loads(found[0])
            return str(record["content"] or UNFINISHED) if record["version"] == FORMAT else UNFINISHED
        except (ValueError, KeyError, TypeError):
            return UNFINISHED

    def begin(self) -> str:
        """Note that from now on nothing is sure; the note's ETag, for ``end``. Raises Conflict."""
        found = self._read()
        return self._write("", found[1] if found else None)

    def end(self, content: str, etag: str) -> None:
        """Note what is published now. Raises Conflict where somebody else has begun since ``begin`` gave *etag*."""
        self._write(content, etag)

    def forget(self) -> None:
        """The service is gone."""
        self._registry.delete(self._name)

    def _read(self) -> tuple[bytes, str] | None:
        try:
            return self._registry.read(self._name)
        except NotFound as error:
            if error.code == "ContainerNotFound":
                raise
            return None

    def _write(self, content: str, etag: str | None) -> str:
        record: dict[str, Any] = {"version": FORMAT, **self._service, "content": content}
        return self._registry.write(self._name, canonical_json(record), etag=etag)
