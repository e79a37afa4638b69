"""The blobs of a history, data, ledger and models: what is seen of them, and what happens to them."""

from __future__ import annotations

import json
import threading

from tests.chaos import program
from tests.chaos.histories import Step
from tests.chaos.record import Json, Record
from tests.chaos.world import World


class Blobs:
    """The containers of the history *name*."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.data, self.registry = f"data-{name}", f"registry-{name}"
        self.contents: dict[str, bytes] = {}
        self.record = Record()
        self._changes = 0
        self._lock = threading.Lock()

    def _upload(self, version: str, content: bytes) -> None:
        self.contents[version] = content
        self.world.upload(self.data, f"flights/{version}.csv", content)

    def _touch(self, step: Step) -> None:
        self.record.figures["blobs touched"] += 1
        self.record.disturbed.add(step.version)
        self._upload(step.version, self.contents[step.version])

    def _change(self, step: Step) -> None:
        with self._lock:
            self._changes += 1
            number = self._changes
        self.record.figures["blobs changed"] += 1
        self.record.disturbed.add(step.version)
        self._upload(step.version, program.table(f"{step.version}/{number}"))

    def _lose(self, step: Step) -> None:
        """The model that was trained last is gone, or is another."""
        finished = [run for run in self._runs().values() if run.get("state") == "finished"]
        if not finished:
            return
        run = max(finished, key=lambda each: str(each["ended_at"]))
        address = f"models/{run['experiment']}/{run['key']}/{run['attempt']}.ilearner"
        self.record.damaged.add(address)
        self.record.figures["models lost or altered"] += 1
        if step.choice == "delete":
            self.world.delete_blob(self.registry, address)
        else:
            self.world.upload(self.registry, address, b"somebody else's bytes")

    def _corrupt(self, step: Step) -> None:
        """A record of the ledger can't be read any more."""
        names = self.world.names(self.registry, "runs/")
        if not names:
            return
        name = names[-1]
        key = _key(name)
        self.record.corrupted.add(key)
        self.record.figures["records corrupted"] += 1

        def broken(content: bytes) -> bytes:
            self._note(key, content)  # nobody will be able to read it again
            return {
                "nonsense": b"\x00\xff not json",
                "half": content[: len(content) // 2],
                "empty": b"",
                "other-key": content.replace(key.encode(), b"0" * 64),
                "types": content.replace(b'"attempt":', b'"attempt":"one","was":'),
            }[step.choice]

        self.world.exchange(self.registry, name, broken)

    def _runs(self) -> dict[str, Json]:
        names = self.world.names(self.registry, "runs/")
        return {
            _key(name): self._note(_key(name), self.world.download(self.registry, name)) for name in names
        }

    def _note(self, key: str, content: bytes | None) -> Json:
        """Remember what a record says; empty where it can't be read."""
        try:
            run: Json = json.loads(content or b"")
            if run["state"] == "finished":
                self.record.runs[key] = run
            state = (run["state"], (run["job"] or {}).get("id", ""))
            if job := run["job"]:
                self.record.services[job["id"]] = {"workspace": job["workspace"], "id": job["service"]}
            self.record.seen.setdefault((key, run["attempt"]), set()).add(state)
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}
        return run


def _key(name: str) -> str:
    return name.removeprefix("runs/").removesuffix(".json")
