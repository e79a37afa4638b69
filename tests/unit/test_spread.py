"""How tests are spread over workers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = """
from pathlib import Path
from tests import spread

spread.TIMES = Path(__file__).with_name("times.json")

def pytest_addoption(parser):
    parser.addoption("--times", action="store_true")

def pytest_configure(config):
    spread.register(config)
"""
FOLDER_CONFTEST = "import pytest\n\n@pytest.fixture(scope='session')\ndef shared():\n    return 1\n"
BY_FILE = """
import pytest

@pytest.fixture(scope="module")
def story():
    return 1

@pytest.mark.parametrize("number", range(12))
def test_story(story, number):
    pass
"""
BY_FOLDER = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_shared(shared, number):
    pass
"""
BY_MARK = """
import pytest

@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(6))
def test_marked(number):
    pass
"""
FREE = """
import pytest

@pytest.mark.parametrize("number", range(60))
def test_free(number):
    pass
"""


def run(folder: Path, files: Mapping[str, str], *arguments: str) -> list[tuple[str, str, str]]:
    """Worker, file and name of each test, in the order of their ends."""
    files = {"times.json": "{}", "pytest.ini": "[pytest]\naddopts = --import-mode=importlib\n", **files}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    code = f"import sys, pytest; sys.path.insert(0, {str(ROOT)!r}); sys.exit(pytest.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--dist", "loadgroup", "-v", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"^\[(gw\d)\].* PASSED \S*/(test_\w+)\.py::(\S+)", done.stdout, re.MULTILINE)


def test_what_shares_a_fixture_or_a_mark_runs_in_one_worker_and_all_else_in_any(tmp_path: Path) -> None:
    """Of a file, of a folder, of two files with one mark; and each test runs once."""
    files = {
        "conftest.py": CONFTEST,
        "tests/unit/test_story.py": BY_FILE,
        "tests/studio/conftest.py": FOLDER_CONFTEST,
        "tests/studio/test_one.py": BY_FOLDER,
        "tests/studio/test_two.py": BY_FOLDER,
        "tests/unit/test_mark_one.py": BY_MARK,
        "tests/unit/test_mark_two.py": BY_MARK,
        "tests/unit/test_free.py": FREE,
    }
    ran = run(tmp_path, files, "-n", "2")
    assert len(ran) == len(set(ran)) == 96
    workers = defaultdict(set)
    for worker, file, _name in ran:
        workers[file].add(worker)
    assert len(workers["test_story"]) == 1
    assert len(workers["test_one"] | workers["test_two"]) == 1
    assert len(workers["test_mark_one"] | workers["test_mark_two"]) == 1
    assert len(workers["test_free"]) == 2


def test_what_took_longest_begins(tmp_path: Path) -> None:
    """By the times of an earlier run, of which files that share a group make one; a run with `--times` writes its own."""
    files = {
        "conftest.py": CONFTEST,
        "tests/unit/test_brief.py": "def test_brief():\n    pass\n",
        "tests/unit/test_story.py": BY_FILE,
        "tests/unit/test_mark_one.py": BY_MARK,
        "tests/unit/test_mark_two.py": BY_MARK,
        "tests/unit/test_slow.py": "import time\n\ndef test_slow():\n    time.sleep(2.1)\n",
    }
    seconds = {"story": 7, "mark_one": 6, "mark_two": 5, "slow": 9}
    times = {f"tests/unit/test_{name}.py": spent for name, spent in seconds.items()}
    ran = run(tmp_path, {**files, "times.json": json.dumps(times)}, "-n", "1", "--times")
    assert list(dict.fromkeys(file for _worker, file, _name in ran)) == [
        "test_mark_one",
        "test_mark_two",
        "test_slow",
        "test_story",
        "test_brief",
    ]
    assert json.loads((tmp_path / "times.json").read_text()) == {"tests/unit/test_slow.py": 2}
