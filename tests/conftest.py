"""Options of the test suite, and signals as on a terminal."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from engine.testing import pickler_as_it_was
from tests import guard, spread
from tests.healing import must_hear, remedy
from tests.shared import azurite, checkouts, cloud, models, scoring, workspace, world

__all__ = ["azurite", "checkouts", "cloud", "models", "remedy", "scoring", "workspace", "world"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record` writes what the Pulumi CLI does; `--histories` and `--seed` say which random programs both play."""
    parser.addoption(
        "--record", action="store_true", help="write anew what the Pulumi CLI does (tests/engine/golden)"
    )
    parser.addoption(
        "--times", action="store_true", help="write anew what each file takes (tests/times.json)"
    )
    parser.addoption("--histories", type=int, default=6, help="how many random histories both engines play")
    parser.addoption("--kills", type=int, default=0, help="how many embedded runs are killed at random")
    parser.addoption("--seed", type=int, default=1, help="the seed of the first of them")


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No process, and no bytecode of temporary sources, which would be half a gigabyte a run where it is kept elsewhere."""
    with guard.guarding():
        yield
    if sys.pycache_prefix:
        temporary = tmp_path_factory.getbasetemp()
        shutil.rmtree(Path(sys.pycache_prefix, *temporary.parts[1:]), ignore_errors=True)


@pytest.fixture(autouse=True)
def _pickler() -> Iterator[None]:
    with pickler_as_it_was():
        yield


@pytest.fixture(autouse=True)
def _services() -> Iterator[None]:
    """What a test plays answers to that test alone."""
    from clients.http import connections

    kept = connections.SESSION.adapters.copy()
    yield
    connections.SESSION.adapters = kept


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that says which remedy it does hears it told."""
    must_hear(item)


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C be heard: a shell starts what runs in its background, and all that this starts, deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    spread.register(config)
    # How long an example takes is the machine's affair.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
