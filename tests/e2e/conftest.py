"""One checkout with one local cloud for each module of end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.checkout import Checkout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A fresh checkout; its cloud is stopped at the end."""
    found = Checkout.copy(tmp_path_factory.mktemp("checkout"))
    yield found
    found.dev("cloud", "stop")
