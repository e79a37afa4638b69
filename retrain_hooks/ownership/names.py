"""Default names of physical things: they carry project, stack and logical name, cut to the service's limits.

Two different sets of parts never give one name: where parts were cut, changed, or hold the separator themselves, a hash
of what they were tells them apart.
"""

from __future__ import annotations

import hashlib
import re

_HASH = 8


def default_name(*parts: str, limit: int = 60, separator: str = "-") -> str:
    """*parts* joined by *separator*: lower-case letters, digits and separators, *limit* characters at most."""
    clean = [re.sub(r"[^a-z0-9]+", separator, part.lower()).strip(separator) for part in parts]
    name = separator.join(clean)
    plain = all(
        one == part and (not separator or separator not in one)
        for one, part in zip(clean, parts, strict=True)
    )
    if plain and separator and len(name) <= limit:
        return name
    whole = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_HASH]
    return name[: limit - _HASH - len(separator)].rstrip(separator) + separator + whole
