"""How the facts of a stage are described in the plan's JSON Schema: fragments of it, one a fact."""

from __future__ import annotations

from typing import Any

Fact = dict[str, Any]


def text(says: str) -> Fact:
    """A text."""
    return {"type": "string", "description": says}


def texts(says: str) -> Fact:
    """A list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": says}


def number(says: str) -> Fact:
    """A number."""
    return {"type": "number", "description": says}


def numbers(says: str) -> Fact:
    """A list of numbers."""
    return {"type": "array", "items": {"type": "number"}, "description": says}


def whether(says: str) -> Fact:
    """True or false."""
    return {"type": "boolean", "description": says}


def named(says: str) -> Fact:
    """Values by their names."""
    return {"type": "object", "description": says}


def several(says: str) -> Fact:
    """A list of named values."""
    return {"type": "array", "items": {"type": "object"}, "description": says}
