"""What the stand-in reads from the cloud file: where the local cloud is, and how to sign in to its ARM side."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.azure_native.errors import CloudFileError

_REMEDY = "start the local cloud, which writes that file: ./dev cloud start"


@dataclass(frozen=True, slots=True)
class Cloud:
    """Address, token and subscription of the local cloud's ARM side, and who the token's principal is.

    Files of older versions don't say who it is: the ids are made up then.
    """

    studio: str
    arm_token: str = field(repr=False)
    subscription: str
    tenant: str = ""
    client_id: str = ""
    object_id: str = ""

    def __post_init__(self) -> None:
        for name, role in (("tenant", "tenant"), ("client_id", "client"), ("object_id", "object")):
            if not getattr(self, name):
                made_up = uuid.uuid5(uuid.NAMESPACE_OID, f"{role}:{self.subscription}")
                object.__setattr__(self, name, str(made_up))


def read_cloud(path: Path) -> Cloud:
    """Read the cloud file; raises CloudFileError where it is missing, unreadable or incomplete."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CloudFileError(f"cannot read the cloud file {path}: {error.strerror}", _REMEDY) from None
    except ValueError:
        raise CloudFileError(f"the cloud file {path} is not JSON", _REMEDY) from None
    names = ("studio", "armToken", "subscription")
    values = [document.get(name) if isinstance(document, dict) else None for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if not isinstance(value, str)]
    if missing:
        raise CloudFileError(f"the cloud file {path} lacks {', '.join(missing)}", _REMEDY)
    studio, token, subscription = (str(value) for value in values)
    owner = document.get("owner")
    owner = owner if isinstance(owner, dict) else {}
    ids = (document.get("tenant"), owner.get("clientId"), owner.get("objectId"))
    return Cloud(studio.rstrip("/"), token, subscription, *(str(one or "") for one in ids))
