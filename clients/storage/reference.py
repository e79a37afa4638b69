"""Blobs: one as its container shows it, and one as a service is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Blob:
    """One blob: *size* in bytes, *md5* as base64 (Content-MD5; None where it has none), *modified* in UTC.

    *metadata* are names and ASCII texts that were stored with it, where they were asked for.
    """

    name: str
    size: int
    md5: str | None
    etag: str
    modified: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class BlobRef:
    """The blob *path* (``container/name``, as part of an address) of the account at *base* (with its last slash).

    What opens it: a *signature* (a SAS with its question mark), or the account's *connection* string.
    """

    base: str
    path: str
    signature: str = field(default="", repr=False)
    connection: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Its address, which opens nothing."""
        return f"{self.base}{self.path}"

    @property
    def opened(self) -> str:
        """Its address with the signature."""
        return f"{self.url}{self.signature}"
