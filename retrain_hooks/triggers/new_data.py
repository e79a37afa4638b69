"""When data is uploaded: the container's listing under the data path is not what it was at the last look.

Whether that changes what would be trained is for the preview to say, by run keys. An event of the storage account is only
a hint to look now (``event_grid.py``): one that is lost, late, repeated or forged changes nothing but when that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.errors import ConfigurationError
from clients.names import listed
from retrain_hooks.data.datasets import matching
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.registry.run_key import digest
from retrain_hooks.triggers.trigger import Decision, Scene

NAME = "newData"


def _place(listen: str) -> None:
    host, colon, port = listen.rpartition(":")
    if listen and not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigurationError(
            f"{listen!r} is no address to listen at", "write host:port, such as 127.0.0.1:8790"
        )


@dataclass(frozen=True)
class Settings(Inputs):
    """A path in the data container, and how often it is listed."""

    every: Duration = prop("how often the container is listed", default=Duration(900), least=1)
    path: str = prop("what is listed, where it is not dataPath: `*` and {…} stand for any text", default="")
    listen: str = prop("where events of the storage account are heard: host:port", default="", judge=_place)
    key_from: str = prop("the environment variable with the key that each event has to bring", default="")

    def validate(self) -> None:
        """Refuse a listener without a key. Raises ConfigurationError."""
        if bool(self.listen) != bool(self.key_from):
            raise ConfigurationError(
                "listen and keyFrom are given together or not at all",
                "name the environment variable that holds the key: keyFrom: RETRAIN_EVENT_KEY",
            )


@dataclass(frozen=True)
class Facts:
    """The blobs that are *there* by name, each with what its bytes are known by, and those that were *before*: None at first."""

    there: Mapping[str, str]
    before: Mapping[str, str] | None


def look(settings: Settings, scene: Scene) -> Facts:
    """List the path. Raises RetrainError."""
    path = settings.path or str(scene.config.get("dataPath") or "")
    blobs = matching(scene.context.data(scene.target), path)
    return Facts({blob.name: (blob.md5 or blob.etag)[:12] for blob in blobs}, scene.kept.get("blobs"))


def decide(settings: Settings, facts: Facts, now: datetime) -> Decision:
    """Fire where there is a blob that was not there, or has other bytes. What is gone is no reason to train."""
    again = now + timedelta(seconds=settings.every)
    keep, cause = {"blobs": dict(facts.there)}, digest(dict(facts.there))
    if facts.before is None:
        reason = f"{len(facts.there)} blobs are looked at for the first time"
        return Decision(True, reason, again, cause, keep)
    new = sorted(facts.there.keys() - facts.before.keys())
    other = sorted(
        name for name in facts.there.keys() & facts.before.keys() if facts.there[name] != facts.before[name]
    )
    told = [f"new data: {listed(new)}"] * bool(new) + [f"other bytes: {listed(other)}"] * bool(other)
    if told:
        return Decision(True, "; ".join(told), again, cause, keep)
    return Decision(False, f"the {len(facts.there)} blobs are as they were", again, keep=keep)
