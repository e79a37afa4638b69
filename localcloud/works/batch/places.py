"""Where the inputs and outputs of a job are: blobs by the references of its checked request, and their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from localcloud.blobs.locations import Location, local_location, locate_blob
from localcloud.facilities.cloud import Cloud

TABLES = (".csv", ".tsv", ".nh.csv", ".nh.tsv")
"""How tables are written; `tables.ENDINGS` are read."""
EXTENSIONS = {"model": (".ilearner",), "evaluation": (".csv", ".tsv"), "dataset": TABLES}
OWN_CONTAINER = "experimentoutput"
_GENERATED = "Generated"


def extension(name: str, allowed: tuple[str, ...]) -> str | None:
    """The longest of the `allowed` extensions that `name` ends with."""
    lowered = name.lower()
    return max((one for one in allowed if lowered.endswith(one)), key=len, default=None)


def generated_place(kind: str) -> dict[str, Any]:
    """The reference of an output for which a request names no blob."""
    return {_GENERATED: f"{OWN_CONTAINER}/{uuid4()}/{uuid4()}{EXTENSIONS[kind][0]}"}


def input_location(reference: Mapping[str, Any], cloud: Cloud, name: str) -> Location:
    """Where an input of a checked request is."""
    return locate_blob(reference, cloud, name, fresh=False)


def output_location(reference: Mapping[str, Any], cloud: Cloud, name: str) -> Location:
    """Where an output of a checked request goes: as asked, or the generated place in the local account."""
    generated = reference.get(_GENERATED)
    return local_location(cloud, generated) if generated else locate_blob(reference, cloud, name, fresh=False)
