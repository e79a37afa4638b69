"""Options of the test suite, and signals as on a terminal."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-docs` writes the tables in docs/ anew from this run, `--record` what the Pulumi CLI does; `--histories` and
    `--seed` say which random programs both play."""
    parser.addoption("--write-docs", action="store_true", help="write the generated tables in docs/ anew")
    parser.addoption(
        "--record", action="store_true", help="write anew what the Pulumi CLI does (tests/engine/golden)"
    )
    parser.addoption("--histories", type=int, default=6, help="how many random histories both engines play")
    parser.addoption("--kills", type=int, default=0, help="how many embedded runs are killed at random")
    parser.addoption("--seed", type=int, default=1, help="the seed of the first of them")


@pytest.fixture(scope="session", autouse=True)
def _temporary_bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where bytecode isn't kept beside its sources, that of temporary ones would be half a gigabyte a run."""
    yield
    if sys.pycache_prefix:
        temporary = tmp_path_factory.getbasetemp()
        shutil.rmtree(Path(sys.pycache_prefix, *temporary.parts[1:]), ignore_errors=True)


def pytest_configure() -> None:
    """Let Ctrl-C be heard: a shell starts what runs in its background, and all that this starts, deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
