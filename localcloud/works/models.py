"""The models that endpoints serve: bytes by their hash, copied when they are named, never fetched again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
import tempfile
import time
from collections.abc import Collection
from functools import cache
from pathlib import Path

from localcloud.facilities.errors import BadArgument

_TIMEOUT = 120.0
_LARGEST = 2 * 1024**3


class Models:
    """Files below `directory`, each named by the SHA-256 of its content."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory

    def path(self, sha256: str) -> Path:
        """Where the model with that hash is kept."""
        return self._directory / f"{sha256}.ilearner"

    def read(self, sha256: str) -> bytes:
        """A kept model."""
        return self.path(sha256).read_bytes()

    async def fetch(self, url: str, target: str) -> str:
        """Fetch a model at once and keep it; its hash.

        Raises BadArgument/BlobNotFound about `target` when it cannot be read; the message has no SAS.
        """
        import httpx

        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(dir=self._directory, prefix="incoming-")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                size = 0
                async with (
                    httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, verify=_authorities()) as client,
                    client.stream("GET", url) as response,
                ):
                    if response.status_code != 200:
                        raise _unreadable(target, _reason(response.status_code))
                    async for chunk in response.aiter_bytes():
                        size += len(chunk)
                        if size > _LARGEST:
                            raise _unreadable(target, f"it is larger than {_LARGEST} bytes")
                        digest.update(chunk)
                        file.write(chunk)
            sha256 = digest.hexdigest()
            part.replace(self.path(sha256))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreadable(target, f"its address does not answer ({type(error).__name__})") from None
        finally:
            part.unlink(missing_ok=True)
        return sha256

    def keep_only(self, used: Collection[str], seconds: float = 0) -> None:
        """Delete the models that nothing names, if they came more than some seconds ago: who fetches one names it later."""
        latest = time.time() - seconds
        for file in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if file.stem not in used and file.stat().st_mtime <= latest:
                    file.unlink()


@cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities, read once: that takes longer than fetching a model from this machine."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _reason(status: int) -> str:
    if status in (401, 403):
        return f"the blob store answers {status}: its SAS or key is missing, wrong or expired"
    return f"the blob store answers {status}"


def _unreadable(target: str, reason: str) -> BadArgument:
    return BadArgument("BlobNotFound", f"the model for '{target}' cannot be read: {reason}", target)
