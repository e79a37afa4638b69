"""The contract of imports that `./dev lint` adds to import-linter's own."""

import tomllib
from pathlib import Path

import grimp
import pytest

from cli.no_circles import NoCircles

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = NoCircles("files", {}, {})


def house(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> grimp.ImportGraph:
    (folder / folder.name).mkdir()
    for name, text in files.items():
        (folder / folder.name / f"{name}.py").write_text(text.replace("HOUSE", folder.name))
    monkeypatch.syspath_prepend(folder)
    return grimp.build_graph(folder.name, cache_dir=None)


def test_a_circle_hidden_in_a_function_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose part imports it, and which imports the part in a function, is a circle."""
    inner = "def late():\n    from HOUSE import part\n"
    graph = house(tmp_path, monkeypatch, __init__=inner, part="import HOUSE\n")
    check = CONTRACT.check(graph, verbose=False)
    assert not check.kept
    assert set(check.metadata["circle"]) == {tmp_path.name, f"{tmp_path.name}.part"}


def test_imports_with_an_order_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that import each other one way keep the contract."""
    graph = house(tmp_path, monkeypatch, __init__="", one="from HOUSE import two\n", two="")
    assert CONTRACT.check(graph, verbose=False).kept


def test_every_room_of_the_house_is_watched() -> None:
    """A folder of modules that the contracts do not know would be nobody's."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rooms = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests"}
    assert set(declared["root_packages"]) == rooms
