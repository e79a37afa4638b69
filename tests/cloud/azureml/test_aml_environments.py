"""Environments: what a conda file asks for, and the Python that uv makes of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.azureml.environments.making import Environments
from localcloud.azureml.environments.recipe import EnvironmentFailed, Recipe, recipe_of, recipe_of_conda

_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def _conda(*lines: str) -> str:
    return "name: one\nchannels: [conda-forge]\ndependencies:\n" + "".join(f"- {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("numpy", "numpy"),
        ("numpy=1.26", "numpy==1.26.*"),
        ("numpy=1.26.*", "numpy==1.26.*"),
        ("numpy==1.26.4", "numpy==1.26.4"),
        ("numpy=1.26.4=py311h64a7726_0", "numpy==1.26.4"),
        ("numpy 1.26", "numpy==1.26.*"),
        ("'numpy>=1.26,<2'", "numpy>=1.26,<2"),
        ("conda-forge::scikit-learn=1.5", "scikit-learn==1.5.*"),
        ("pytorch=2.4", "torch==2.4.*"),
    ],
)
def test_a_conda_package_is_pips_of_the_same_version(asked: str, wanted: str) -> None:
    """What conda writes of a version is what pip installs, whichever way it is written."""
    assert recipe_of_conda(_conda(asked)).requirements == (wanted,)


def test_python_pip_and_pips_own_list_are_no_packages_of_conda() -> None:
    """Python's version is the environment's, pip itself is not asked for, and pip's list is taken as it stands."""
    recipe = recipe_of_conda(_conda("python=3.11.9", "pip=24", "pip: ['mlflow==2.9', 'a[b]; x > 1']"))
    assert recipe == Recipe("3.11", ("mlflow==2.9", "a[b]; x > 1"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "not YAML"),
        ("- numpy", "no list 'dependencies'"),
        ("dependencies: numpy", "no list 'dependencies'"),
        ("dependencies: [3]", "a dependency that is none: 3"),
        ("dependencies: [{conda: [x]}]", "a dependency that is none"),
    ],
)
def test_a_conda_file_that_is_none_is_refused(text: str, reason: str) -> None:
    """Each with what is wrong with it."""
    with pytest.raises(EnvironmentFailed, match=reason):
        recipe_of_conda(text)


@pytest.mark.parametrize(
    ("image", "python"),
    [
        ("python:3.12-slim", "3.12"),
        ("docker.io/library/python:3.10.4", "3.10"),
        ("python", _HERE),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest", _HERE),
        ("mcr.microsoft.com/azureml/minimal-py312-inference@sha256:0a", _HERE),
    ],
)
def test_an_image_stands_for_its_python(image: str, python: str) -> None:
    """Where that is all that is known to be in it."""
    assert recipe_of({"image": image}) == Recipe(python, ())


def test_an_image_with_other_contents_and_a_dockerfile_are_refused() -> None:
    """No container runs here; beside a conda file an image says nothing."""
    with pytest.raises(EnvironmentFailed, match=r"does not know what is in 'mcr\.microsoft\.com/x'"):
        recipe_of({"image": "mcr.microsoft.com/x"})
    assert recipe_of({"image": "x", "condaFile": _conda("numpy")}).requirements == ("numpy",)
    with pytest.raises(EnvironmentFailed, match="Dockerfile"):
        recipe_of({"build": {"contextUri": "https://x"}})


def test_an_environment_is_made_once_and_found_again(tmp_path: Path) -> None:
    """Whoever asks at the same time waits for the one that is being made; later it is there at once."""

    async def make() -> list[Path]:
        environments = Environments(tmp_path)
        both = await asyncio.gather(*(environments.python(Recipe(_HERE, ())) for _ in range(2)))
        return [*both, await Environments(tmp_path).python(Recipe(_HERE, ()))]

    made = asyncio.run(make())
    assert len(set(made)) == 1
    assert len(list(tmp_path.iterdir())) == 1
    code = "import sys; print(sys.prefix)"
    assert Path(subprocess.check_output([made[0], "-c", code], text=True).strip()) == made[0].parents[1]


def test_one_that_cannot_be_made_says_what_uv_said_and_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    """A file that is not there, as a requirement: uv's own line is the reason, each time anew."""
    environments, missing = Environments(tmp_path), Recipe(_HERE, (str(tmp_path / "missing.whl"),))

    async def fail() -> None:
        for _ in range(2):
            with pytest.raises(EnvironmentFailed, match=r"uv cannot make it: .*missing\.whl"):
                await environments.python(missing)

    asyncio.run(fail())
