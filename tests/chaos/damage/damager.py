"""What is stored, damaged: records, models, data, the local cloud's state, a stack's."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from typing import Any

from graph.models.ilearner import TrainedModel
from retrain_hooks.registry.run_key import key_of
from tests.chaos.damage.drawn import FOLDERS, Damage
from tests.chaos.engine import State
from tests.chaos.histories import VERSIONS
from tests.chaos.play import Player
from tests.chaos.record import Stack
from tests.chaos.world import World

Props = dict[str, Any]


class Damager(Player):
    """A player that damages; *allowed* says how often each run may be trained, *good* what its model is."""

    def __init__(self, world: World, name: str, *given: Any) -> None:
        super().__init__(world, name, *given)
        self.allowed: Counter[str] = Counter()
        self.good: dict[str, bytes] = {}
        self.harmed: set[str] = set()  # blobs that were damaged, or belong to what was
        self.saved: dict[str, bytes] = {}  # of blobs that were damaged: what they were
        self._states: dict[str, list[tuple[dict[str, Props], list[Any]]]] = {}
        self._verdicts: dict[str, list[Props]] = {}

    @property
    def _backup(self) -> Any:
        return self.folder / "studio"

    # What is remembered

    def look(self) -> None:
        """Remember what models and verdicts are while they are whole."""
        for name in self.world.names(self.registry, "verdicts/"):
            try:
                found = json.loads(self.world.download(self.registry, name) or b"{}")
                self._verdicts.setdefault(name.split("/")[1], []).append({"rules": found["rules"]})
            except (ValueError, KeyError, TypeError):
                continue
        super().look()
        for key, run in self.record.ledger.items():
            if run.get("state") == "finished" and key not in self.good:
                name = f"models/{run['experiment']}/{key}/{run['attempt']}.ilearner"
                content = self.world.download(self.registry, name) or b""
                if sha256(content).hexdigest() == run["sha256"]:
                    self.good[key] = content

    def passes(self, key: str) -> bool:
        """Whether any verdict that there ever was lets the run's model through."""
        if not self.gate.holdout:
            return super().passes(key)
        verdicts = self._verdicts.get(key, [])
        return any(each["rules"] and all(rule["passed"] for rule in each["rules"]) for each in verdicts)

    def keep_state(self, stack: Stack) -> None:
        """Remember a stack's state, as a backup would."""
        state = stack.state
        self._states.setdefault(stack.name, []).append((deepcopy(state.resources), deepcopy(state.retired)))

    # Damage

    def _damage(self, step: Damage) -> None:
        done = self._damaged(step)
        if done and step.how != "kept":
            how = "" if step.what in (*FOLDERS, "model") else f" {step.how}"
            self.record.figures[f"damaged: {step.what}{how}"] += 1

    def _damaged(self, step: Damage) -> bool:
        """Do it; whether there was anything to damage."""
        self._settle()
        match step.what:
            case "model":
                return self._model(step)
            case "data":
                return self._data(step)
            case "run":
                return self._run(step)
            case "folder":
                return self._empty(f"{step.how}/")
            case "cloud":
                self._cloud(step.how)
            case "state":
                return self._state(step)
            case "registry":
                return self._empty("")
            case "everything":
                self._empty("")
                self._cloud("lost")
            case _:
                return self._record(step)
        return True

    def _pick(self, prefix: str, step: Damage, ending: str = "") -> str:
        names = [name for name in self.world.names(self.registry, prefix) if name.endswith(ending)]
        return names[step.nth % len(names)] if names else ""

    def _harm(self, name: str) -> None:
        """The blob *name* is about to be damaged."""
        self.saved[name] = self.world.download(self.registry, name) or b""
        self.harmed.add(name)
        self._hit({name[5:-5] if name.startswith("runs/") else key_of(name)} - {""})

    def _hit(self, keys: set[str]) -> None:
        """These runs may be trained once more."""
        self.allowed.update(keys)
        self.record.corrupted |= keys
        self.record.damaged |= {each for each in self._addresses() if key_of(each) in keys}

    def _addresses(self) -> list[str]:
        return [name for name in self.world.names(self.registry, "models/") if name.endswith(".ilearner")]

    def _record(self, step: Damage) -> bool:
        name = self._pick(f"{step.what}/", step)
        if not name:
            return False
        self._harm(name)
        if step.how == "deleted":
            self.world.delete_blob(self.registry, name)
            return True
        others = [each for each in self.world.names(self.registry, f"{step.what}/") if each != name]
        another = self.world.download(self.registry, others[0]) if others else None
        self.world.exchange(self.registry, name, lambda old: _broken(step.how, old, another or b"[]"))
        return True

    def _model(self, step: Damage) -> bool:
        name = self._pick("models/", step, ".ilearner")
        if not name:
            return False
        old = self.world.download(self.registry, name) or b""
        self._harm(name)
        if step.how == "deleted":
            self.world.delete_blob(self.registry, name)
            return True
        way, _comma, md5 = step.how.partition(", ")
        others = [content for content in self.good.values() if content != old]
        new = {"cut": old[: len(old) // 2], "other": (others or [_twin(old)])[0], "twin": _twin(old)}[way]
        self.world.upload(
            self.registry, name, new, md5=md5 != "without MD5", md5_of=old if md5 == "MD5 kept" else None
        )
        return True

    def _data(self, step: Damage) -> bool:
        version = VERSIONS[step.nth % len(VERSIONS)]
        content = self.contents[version]
        wrong = b"other bytes" if step.how == "wrong MD5" else None
        self.world.upload(self.data, f"flights/{version}.csv", content, md5=False, md5_of=wrong)
        return True

    def store_again(self) -> None:
        """Store the data with the Content-MD5 of its bytes."""
        for version, content in self.contents.items():
            self._upload(version, content)

    def restore(self, name: str) -> None:
        """Have the release that wrote a record write it again."""
        self.world.upload(self.registry, name, self.saved[name])

    def _run(self, step: Damage) -> bool:
        """A run's record and all of its models are gone."""
        name = self._pick("runs/", step)
        if not name:
            return False
        key = name[5:-5]
        gone = [name, *(each for each in self.world.names(self.registry, "models/") if f"/{key}/" in each)]
        self._harm(name)
        self.harmed |= set(gone)
        for each in gone:
            self.world.delete_blob(self.registry, each)
        return True

    def _empty(self, prefix: str) -> bool:
        """All that lies below *prefix* in the registry is gone."""
        names = self.world.names(self.registry, prefix)
        self._hit({key_of(name) or name[5:-5] * name.startswith("runs/") for name in names} - {""})
        self.harmed |= set(names)
        for name in names:
            self.world.delete_blob(self.registry, name)
        return bool(names)

    def _cloud(self, how: str) -> None:
        """The local cloud's own state is copied, comes back as it was then, or is lost; in the end workspaces are there, as
        their own resource makes them.
        """
        live, kept = self.world.directory / "studio", self._backup

        def meanwhile() -> None:
            if how == "kept":
                shutil.copytree(live, kept, dirs_exist_ok=True)
                return
            shutil.rmtree(live)
            if how == "an older one" and kept.exists():
                shutil.copytree(kept, live)

        self.world.restart_studio(meanwhile=meanwhile)
        if how == "kept":
            return
        for stack in self.stacks.values():
            stack.reported, stack.ending = None, True
        for name in list(self.places):
            workspace = self.world.workspace(name)
            self.places[name] = (workspace, self.world.workspace_token(workspace))

    def _state(self, step: Damage) -> bool:
        stack = self.stacks["a"]
        states = self._states.get("a", [])
        if step.how == "lost":
            stack.state = State(stack.state.path)
            stack.reported, stack.ending = None, True
            return bool(states)
        if len(states) < 2:
            return False
        resources, retired = states[step.nth % (len(states) - 1)]
        stack.state = State(stack.state.path, deepcopy(resources), deepcopy(retired))
        stack.reported, stack.ending = None, True
        return True


def _broken(how: str, old: bytes, another: bytes) -> bytes:
    """What stands where a record was."""
    record = _plain(old)
    match how:
        case "half":
            return old[: len(old) // 2]
        case "empty":
            return b""
        case "other":
            return b'{"name": "something else"}'
        case "another's":
            return another
        case "newer":
            return json.dumps(record | {"version": 99, "more": True}).encode()
        case "huge":
            return json.dumps(record | {"state": "x" * 17_000_000}).encode()
        case "types":
            return json.dumps(
                {name: [1] if isinstance(value, str) else "1" for name, value in record.items()}
            ).encode()
        case "nul":
            return old.replace(b'":"', b'":"\\u0000')
    return old.replace(b'":"', b'":"\\ud800')


def _plain(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"was": str(found)}


def _twin(content: bytes) -> bytes:
    """Another model of the same length: it takes the levels of each column for one another."""
    try:
        model = TrainedModel.from_bytes(content)
    except Exception:  # damaged before
        return bytes(reversed(content))
    turned = tuple(replace(each, levels=tuple(reversed(each.levels))) for each in model.features)
    found = replace(model, features=turned).to_bytes()
    assert len(found) == len(content)
    assert found != content
    return found
