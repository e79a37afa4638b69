"""Fixtures of the tests of remedies."""

from tests.unit.test_connections import server

__all__ = ["server"]
