"""azure-native's automatic names: the logical name and eight hex digits."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def random_name(logical_name: str, seed: bytes) -> str:
    """The same name for the same seed, so that preview and update agree; without a seed, any."""
    if not seed:
        return logical_name + secrets.token_hex(4)
    return logical_name + hmac.new(seed, logical_name.encode(), hashlib.sha256).hexdigest()[:8]
