"""What an environment asks for, from its document or from a conda file: a version of Python and pip's requirements.

Conda's packages are taken from the Python package index by the same names, but for the few that are called otherwise there.
An image is not run. Beside a conda file it says nothing; alone it stands for its Python where that is all it has
(`python:<version>`, Azure ML's base images), and is refused else: what is in it is not known here.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_RENAMED = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "py-xgboost": "xgboost",
    "py-opencv": "opencv-python",
    "msgpack-python": "msgpack",
    "matplotlib-base": "matplotlib",
}
_NOT_PACKAGES = ("pip", "setuptools", "wheel", "anaconda", "conda")
_PYTHON_IMAGE = re.compile(r"(?:docker\.io/)?(?:library/)?python(?::(?:(\d+(?:\.\d+)?)[\w.-]*|latest|slim))?")
_BASE_IMAGE = re.compile(r"mcr\.microsoft\.com/azureml/(?:openmpi|minimal|base)[\w./:@-]*")
_SPEC = re.compile(r"(?:[\w.-]+::)?([A-Za-z0-9][\w.-]*)\s*(.*)")


class EnvironmentFailed(Exception):
    """An environment cannot be read or made; the message says why."""


@dataclass(frozen=True)
class Recipe:
    """A version of Python such as `3.11`, and requirements as pip reads them."""

    python: str
    requirements: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What it is kept under."""
        return hashlib.sha256(json.dumps([self.python, self.requirements]).encode()).hexdigest()[:32]


def recipe_of(environment: Mapping[str, Any]) -> Recipe:
    """The recipe of an environment version's properties: that of its conda file, or else of its image."""
    if conda := environment.get("condaFile"):
        return recipe_of_conda(conda)
    if environment.get("build"):
        raise EnvironmentFailed("it is built from a Dockerfile, which this local cloud cannot do")
    image = str(environment.get("image") or "")
    if found := _PYTHON_IMAGE.fullmatch(image):
        return Recipe(found[1] or _OWN_VERSION, ())
    if _BASE_IMAGE.fullmatch(image):
        return Recipe(_OWN_VERSION, ())
    raise EnvironmentFailed(
        f"this local cloud runs no images and does not know what is in '{image}': give it a conda file,"
        " or an image python:<version>"
    )


def recipe_of_conda(text: str) -> Recipe:
    """The recipe of a conda file. Raises `EnvironmentFailed`."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise EnvironmentFailed(f"its conda file is not YAML: {' '.join(str(error).split())}") from None
    dependencies = document.get("dependencies") if isinstance(document, dict) else None
    if not isinstance(dependencies, list):
        raise EnvironmentFailed("its conda file has no list 'dependencies'")
    python, requirements = _OWN_VERSION, []
    for dependency in dependencies:
        if isinstance(dependency, dict) and isinstance(dependency.get("pip"), list):
            requirements += [str(line) for line in dependency["pip"]]
            continue
        found = _SPEC.fullmatch(dependency.strip()) if isinstance(dependency, str) else None
        if found is None:
            raise EnvironmentFailed(f"its conda file has a dependency that is none: {dependency!r}")
        name, version = found[1].lower(), found[2].strip()
        if name == "python":
            python = _minor(version) or python
        elif name not in _NOT_PACKAGES:
            requirements.append(_RENAMED.get(name, name) + _specifier(version))
    return Recipe(python, tuple(requirements))


def _minor(version: str) -> str | None:
    """`3.11` of `=3.11.7`: which micro version there is, is the machine's."""
    found = re.search(r"\d+\.\d+", version)
    return found[0] if found else None


def _specifier(version: str) -> str:
    """Conda's `=1.2` is pip's `==1.2.*`; `=1.2=build` and `==1.2` name one version."""
    exact = re.fullmatch(r"=\s*([^=<>!,|]+)=[^=]+", version)
    if exact:
        return f"=={exact[1].strip()}"
    loose = re.fullmatch(r"=\s*([^=<>!,|*]+)(\.\*)?", version)
    if loose:
        return f"=={loose[1].strip()}.*"
    bare = re.fullmatch(r"[\d.]+", version)
    return f"=={version}.*" if bare else version
