"""A checkout with a local cloud for each module of end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.checkout import Checkout
from tests.e2e.checkouts import Checkouts


@pytest.fixture(scope="module")
def checkout(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, checkouts: Checkouts
) -> Iterator[Checkout]:
    """A fresh checkout, with the worker's cloud; a module marked `own_cloud` has one that was never started."""
    if request.node.get_closest_marker("own_cloud") is None:
        yield checkouts.fresh()
        return
    found = Checkout.copy(tmp_path_factory.mktemp("checkout"))
    yield found
    found.dev("cloud", "stop")
