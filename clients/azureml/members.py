"""Models of several members in one deployment: a *pack*, which is a model that is a folder.

``members.json`` in it says of each member, by its name, the ``folder`` with its model, and the model's own ``address`` in the
registry. The pack's address comes from who has which model, so that the same models are the same pack.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from clients.azureml.models import folder_at, manifest
from clients.errors import Conflict, NotFound
from clients.storage import Container

LIST = "members.json"
_FORMAT = "members/1"
_MODEL = "model.ilearner"
_FOLDER_DIGITS = 16
_WRITERS = 8


def pack_address(group: str, models: Mapping[str, str]) -> str:
    """The address of the pack of *models* (addresses by the members' names); *group* names whose packs they are."""
    return f"models/{group}/{_digest(json.dumps([_FORMAT, models], sort_keys=True))}/1.ilearner"


def write_pack(
    registry: Container, pack: str, models: Mapping[str, str], content: Callable[[str], bytes]
) -> str:
    """Bring the pack at its address about, from the *content* of each member's model; its SHA-256.

    What is there already, also of an interrupted update, is left: an address stands for its content.
    """
    with suppress(NotFound):
        return hashlib.sha256(registry.read(pack)[0]).hexdigest()

    def copy(name: str) -> tuple[str, str]:
        return _write(registry, pack, f"{_folder(name)}/{_MODEL}", content(name))

    listed = {name: {"folder": _folder(name), "model": address} for name, address in models.items()}
    told = json.dumps({"format": _FORMAT, "members": listed}, sort_keys=True).encode()
    with ThreadPoolExecutor(_WRITERS, "pack") as writers:
        files = dict(writers.map(copy, models))
    files |= [_write(registry, pack, LIST, told)]
    whole = manifest(files)
    with suppress(Conflict):
        registry.write(pack, whole, etag=None)
    return hashlib.sha256(whole).hexdigest()


def _write(registry: Container, pack: str, name: str, content: bytes) -> tuple[str, str]:
    with suppress(Conflict):
        registry.write(f"{folder_at(pack)}/{name}", content, etag=None)
    return name, hashlib.sha256(content).hexdigest()


def members_of(registry: Container, pack: str) -> dict[str, str]:
    """The address of each member's model in a pack, by the member's name; nothing where there is no such pack."""
    try:
        found = json.loads(registry.read(f"{folder_at(pack)}/{LIST}")[0])["members"]
        return {name: str(one["model"]) for name, one in found.items()}
    except (NotFound, ValueError, KeyError, TypeError, AttributeError):
        return {}


def packed(registry: Container, pack: str, name: str) -> bytes:
    """The content of a member's model as a pack has it. Raises NotFound."""
    return registry.read(f"{folder_at(pack)}/{_folder(name)}/{_MODEL}")[0]


def sweep(registry: Container, group: str, keep: Callable[[str], bool]) -> None:
    """Delete the packs of *group*, but those to *keep* (by address)."""
    for blob in registry.list(f"models/{group}/"):
        digest = blob.name.split("/")[2]
        if not keep(f"models/{group}/{digest}/1.ilearner"):
            registry.delete(blob.name)


def _folder(name: str) -> str:
    """Of a member: any text can be its name."""
    return _digest(name)[:_FOLDER_DIGITS]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
