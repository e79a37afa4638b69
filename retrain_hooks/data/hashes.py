"""Hashes of large blobs in this checkout, by address and ETag: what a preview has read it need not read again.

A blob that is stored anew has another ETag. Where nothing can be written, or what is there is not understood, it is read.
Of very many hashes the older half is forgotten.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path

from retrain_hooks.registry.run_key import digest

FOLDER = Path(".local", "hashes")
LARGE = 2**20
MOST = 5_000
_MD5 = re.compile(r"[A-Za-z0-9+/]{22}==")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def find(url: str, etag: str, size: int) -> tuple[str, str] | None:
    """MD5 (base64) and SHA-256 (hex) of a blob; None where they are not kept."""
    if size < LARGE:
        return None
    try:
        md5, sha256 = json.loads(_file(url, etag).read_bytes())
        return (md5, sha256) if _MD5.fullmatch(md5) and _SHA256.fullmatch(sha256) else None
    except (OSError, ValueError, TypeError):
        return None


def keep(url: str, etag: str, size: int, hashes: tuple[str, str]) -> None:
    """Keep them, if the blob is large and something can be written here."""
    if size < LARGE:
        return
    file = _file(url, etag)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(hashes), encoding="ascii")
        new.replace(file)
        kept = list(file.parent.iterdir())
        if len(kept) > MOST:
            kept.sort(key=lambda one: one.stat().st_mtime_ns)
            for old in kept[: len(kept) // 2]:
                old.unlink(missing_ok=True)


def _file(url: str, etag: str) -> Path:
    return FOLDER / f"{digest({'url': url, 'etag': etag})}.json"
