"""Options of the test suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-docs` writes the tables in docs/ anew from this run."""
    parser.addoption("--write-docs", action="store_true", help="write the generated tables in docs/ anew")
