"""The wheel that `pip install .` builds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

SOURCE = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    """The files of the working tree that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=SOURCE, capture_output=True, check=True
    )
    names = {Path(name) for name in listed.stdout.decode().split("\0") if name}
    return sorted(name for name in names if (SOURCE / name).is_file())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Built from a copy of the working tree, without a network."""
    copy = tmp_path_factory.mktemp("source")
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(SOURCE / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run(
        [*command, "-w", "built", "."], cwd=copy, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    yield next((copy / "built").glob("*.whl"))
    shutil.rmtree(copy)


def test_the_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    """Data files too; no test, no document and no experiment."""
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {"components", "retrain_hooks", "clients", "engine"} <= rooms
    assert held == {str(name) for name in tracked() if name.parts[0] in rooms}


def test_the_rooms_are_imported_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """From another folder, without the checkout: what a program imports and what Pulumi's provider process imports."""
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "import sys; sys.path.insert(0, 'site'); import components, retrain_hooks.providers as p; print(p.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "site/retrain_hooks/providers.py")
