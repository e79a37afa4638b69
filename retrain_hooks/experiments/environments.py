"""Environments of jobs and deployments: a registered one by its name, or an image with a conda file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from retrain_hooks.experiments.folder import inside
from retrain_hooks.experiments.yaml_fields import Fields, Value, read_yaml
from retrain_hooks.registry.run_key import digest

_NAME = r"[A-Za-z0-9][\w.-]*"
_REFERENCE = re.compile(
    rf"azureml:(?P<name>{_NAME})(?:@(?P<label>{_NAME})|:(?P<version>{_NAME}))"
    rf"|azureml://registries/(?P<registry>{_NAME})/environments/(?P<shared>{_NAME})"
    rf"/(?:versions/(?P<its_version>{_NAME})|labels/(?P<its_label>{_NAME}))"
)
_FORMS = (
    "azureml:<name>:<version>, azureml:<name>@latest or azureml://registries/…, or a mapping with an image"
)


@dataclass(frozen=True)
class EnvironmentSpec:
    """What a command or a scoring script runs in.

    Without an image it is a *registered* one: *name* with a *version* or a *label* (latest), of a *registry* where one is
    named. With an *image* it is described here; *name* and *version* are then what it is to be registered as, if anything.
    *packages* is what its conda file says: channels and dependencies.
    """

    name: str = ""
    version: str = ""
    label: str = ""
    registry: str = ""
    image: str = ""
    packages: Mapping[str, Any] | None = None
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def registered(self) -> bool:
        """Whether it is one that is there by its name."""
        return not self.image

    @property
    def conda(self) -> str:
        """The conda file, written in one way; empty where there is none. Equal digests have equal files."""
        return yaml.safe_dump(self.packages, sort_keys=False) if self.packages else ""

    @property
    def digest(self) -> str:
        """Covers what is in it (64 hex): the image and the conda file's packages and channels, or the name and version.

        What it is registered as, descriptions, tags, and comments and order of fields in the conda file don't count. What a
        label or a moving tag of an image stands for at the time can't be seen here: a version says more.
        """
        if self.registered:
            return digest(
                {"registry": self.registry, "name": self.name, "version": self.version, "label": self.label}
            )
        return digest({"image": self.image, "packages": self.packages})


def read_environment(value: Value, folder: Path) -> EnvironmentSpec:
    """The environment that a field describes; *folder* is the experiment's. Raises ExperimentInvalid."""
    if value.read == "str":
        return _reference(value)
    found = value.fields().only(
        ("name", "version", "image", "conda_file", "description", "tags", "os_type", "$schema")
    )
    name, version, image = found.text("name"), found.text("version"), found.text("image")
    if os_type := found.get("os_type"):
        os_type.choice(("linux",))
    if not image and not (name and version):
        raise value.invalid(
            "the environment has neither an image nor the name and version of one that is registered",
            remedy="give it an image, with a conda_file for its packages, or a name and a version",
        )
    conda = found.get("conda_file")
    if conda and not image:
        raise conda.invalid(
            "a conda file needs an image that it is installed in",
            remedy="give the environment an image, such as mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
        )
    return EnvironmentSpec(
        name=name,
        version=version,
        image=image,
        packages=_conda(conda, folder) if conda else None,
        description=found.text("description"),
        tags=tuple(sorted(found.texts("tags").items())),
    )


def _reference(value: Value) -> EnvironmentSpec:
    found = _REFERENCE.fullmatch(value.text())
    if found is None:
        raise value.wrong(_FORMS)
    return EnvironmentSpec(
        name=found["name"] or found["shared"],
        version=found["version"] or found["its_version"] or "",
        label=found["label"] or found["its_label"] or "",
        registry=found["registry"] or "",
    )


def _conda(value: Value, folder: Path) -> dict[str, Any]:
    """What a conda file asks for."""
    if value.read == "mapping":
        return _packages(value.fields())
    path = inside(folder, value.text(), value, "conda file")
    if not path.is_file():
        raise value.invalid(
            f"there is no conda file {value.text()}", remedy="create the conda file, or correct its path"
        )
    return _packages(read_yaml(path, f"{value.file.rpartition('/')[0]}/{value.text()}").fields())


def _packages(conda: Fields) -> dict[str, Any]:
    """Channels and dependencies; a conda file's own name says nothing of its content."""
    conda.only(("name", "channels", "dependencies"))
    channels = conda.get("channels")
    dependencies = [
        each.text("a package") if each.read != "mapping" else _pip(each)
        for each in conda.need("dependencies", "[python=3.11, pip, {pip: […]}]").items()
    ]
    found = {"channels": [each.text() for each in channels.items()]} if channels else {}
    return {**found, "dependencies": dependencies}


def _pip(value: Value) -> dict[str, list[str]]:
    lines = value.fields().only(("pip",)).need("pip", "[…]").items()
    for line in lines:
        if line.text().startswith(("-r", "--requirement", "-e", "-c", "--constraint", ".", "/")):
            raise line.invalid(
                f"pip is to read {line.text()}, and no file goes with a conda file",
                remedy="write the packages themselves into the conda file",
            )
    return {"pip": [line.text("a requirement of pip") for line in lines]}
