"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clients.http import connections
from tests.unit.training_world import World


@pytest.fixture
def world(unique_force: str) -> World:
    found = World()
    found.force = unique_force
    return found


@pytest.fixture
def unique_force(request: pytest.FixtureRequest) -> str:
    """A token per test: what one process has told of a failed run it does not tell again."""
    return request.node.nodeid


@pytest.fixture(autouse=True)
def _connections_as_before() -> Iterator[None]:
    """What a test lets answer in a service's place answers in this test only."""
    kept = connections.SESSION.adapters.copy()
    yield
    connections.SESSION.adapters = kept
