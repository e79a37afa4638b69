"""One blob as a service is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field


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
