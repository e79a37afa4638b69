"""How tests are spread over workers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = "from tests import spread\n\ndef pytest_configure(config):\n    spread.register(config)\n"
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
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    command = [
        sys.executable,
        "-c",
        f"import sys, pytest; sys.path.insert(0, {str(ROOT)!r}); sys.exit(pytest.main())",
    ]
    done = subprocess.run(
        [*command, "-n", "2", "--dist", "loadgroup", "-v", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.findall(r"^\[(gw\d)\].* PASSED \S*/(test_\w+)\.py::(\S+)", done.stdout, re.MULTILINE)
    assert len(ran) == len(set(ran)) == 96
    workers = defaultdict(set)
    for worker, file, _name in ran:
        workers[file].add(worker)
    assert len(workers["test_story"]) == 1
    assert len(workers["test_one"] | workers["test_two"]) == 1
    assert len(workers["test_mark_one"] | workers["test_mark_two"]) == 1
    assert len(workers["test_free"]) == 2
