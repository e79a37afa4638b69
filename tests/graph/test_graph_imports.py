"""What importing the graph costs, and that its modules are found."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import graph.modules
from graph.spec import Module

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "onnx", "onnxruntime", "threadpoolctl")

READ = f"""
import sys
for heavy in {HEAVY}:
    sys.modules[heavy] = None  # as if it were not installed
import json
import graph, graph.modules
from graph.identity import identity, resolved_parameters
definition = json.load(open("experiments/flights/training.json", encoding="utf-8"))
print(len(graph.parse_experiment(definition).steps), len(identity(definition)), len(resolved_parameters(definition, {{}})))
"""


def test_a_graph_is_read_where_no_data_library_is_installed() -> None:
    """Import, parse, identity and parameters need the standard library alone."""
    done = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["11", "64", "4"], "")


@pytest.mark.parametrize("name", ["graph", "graph.definition", "graph.modules", "graph.identity"])
def test_importing_the_graph_loads_none_of_them(name: str) -> None:
    """A process that only reads a graph pays for nothing that runs it."""
    script = f"import sys, {name}; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_naming_all_modules_loads_none_of_them() -> None:
    """A graph that names a module that is not there is told which there are, where no data library is installed."""
    script = f"import sys, graph.modules as m; m.names(); print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_each_module_that_is_written_is_found_by_its_name() -> None:
    """A class with a Studio name in a file of another name would be refused as unknown; two of one name would hide each other."""
    written = []
    for found in pkgutil.walk_packages(graph.modules.__path__, "graph.modules."):
        for _name, one in inspect.getmembers(importlib.import_module(found.name), inspect.isclass):
            if issubclass(one, Module) and "name" in vars(one) and one.__module__ == found.name:
                written.append(one)
                assert type(graph.modules.find(one.name)) is one
    assert sorted(one.name for one in written) == list(graph.modules.names())


def test_a_graph_that_names_a_module_imports_its_file_alone() -> None:
    """A preview does not pay for the modules that its experiment leaves out."""
    script = "import sys, graph.modules as m; m.find('Split Data'); print([n for n in sys.modules if n.startswith('graph.modules.')])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = ["graph.modules.sample_and_split", "graph.modules.sample_and_split.split_data"]
    assert done.stdout.strip() == str(loaded)


@pytest.mark.parametrize("name", ["", "split data", "Split  Data", "../Split Data", "untrained", "Module"])
def test_what_is_no_modules_name_finds_none(name: str) -> None:
    """A name is taken as it is written."""
    assert graph.modules.find(name) is None


def test_rooms_are_small() -> None:
    """A room of modules has at most twelve, beside what says what it is."""
    for room in (ROOT / "graph" / "modules").iterdir():
        assert len([file for file in room.glob("*.py") if file.name != "__init__.py"]) <= 12
