"""The kinds of assets, and what of a version may be written once only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.operation import section, text
from localcloud.azureml.assets.places import Document
from localcloud.azureml.assets.workspace import TYPE, refused

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}")
_MAPS = ("tags", "properties")


@dataclass(frozen=True)
class Kind:
    """A kind: `once` are the fields that stay as they were first written, `needs` those that must be given.

    `address` is the field with the address of its content, if it has one.
    """

    name: str
    once: tuple[str, ...]
    needs: tuple[str, ...]
    address: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The full name of the type of its containers."""
        return f"{TYPE}/{self.name}"

    def check_name(self, name: str) -> None:
        """Raise ArmError for a name that no asset can have."""
        if not _NAME.fullmatch(name):
            raise refused(
                f"'{name}' is no name of an asset: letters, digits, - _ and ., at most 255.", "name"
            )

    def version(self, sent: Document, old: Document | None) -> Document:
        """The properties of a version to keep, from those that were sent. Raises ArmError."""
        given = section(sent, "properties")
        kept = dict(old["properties"]) if old else {}
        for name in self.needs:
            if not text(given, name, f"properties.{name}"):
                raise refused(f"The property '{name}' of {self.name} is required.", f"properties.{name}")
        for name in (*self.once, "isAnonymous"):
            if old and name in given and (given[name] or None) != (kept.get(name) or None):
                if name == self.address:
                    raise refused("Asset paths cannot be updated.", f"properties.{name}")
                raise refused(
                    f"The property '{name}' of an existing version cannot be changed.", f"properties.{name}"
                )
        written = {name: value for name, value in given.items() if value is not None}
        maps = {name: section(given, name) for name in _MAPS}
        maps["properties"] = _added(kept.get("properties") or {}, maps["properties"])
        return {
            "description": None,
            "isAnonymous": False,
            "isArchived": False,
            **self.defaults,
            **({name: kept[name] for name in self.once if name in kept}),
            **written,
            **maps,
            "provisioningState": "Succeeded",
        }


def _added(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Properties can be added to, not changed."""
    for name, value in new.items():
        if name in old and old[name] != value:
            raise refused(
                f"The property '{name}' exists and cannot be changed.", f"properties.properties.{name}"
            )
    return {**old, **new}


CODES = Kind("codes", ("codeUri",), ("codeUri",), "codeUri")
ENVIRONMENTS = Kind(
    "environments",
    ("image", "condaFile", "build", "inferenceConfig", "osType"),
    (),
    defaults={"osType": "Linux", "environmentType": "UserCreated", "autoRebuild": "Disabled"},
)
DATA = Kind("data", ("dataType", "dataUri"), ("dataType", "dataUri"), "dataUri")
MODELS = Kind(
    "models",
    ("modelUri", "modelType"),
    ("modelUri",),
    "modelUri",
    {"modelType": "custom_model", "flavors": {}, "jobName": None, "stage": None},
)
KINDS = (CODES, ENVIRONMENTS, DATA, MODELS)
