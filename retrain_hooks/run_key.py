"""The identity of a training run: the SHA-256 of all that determines its model.

``run key = SHA-256(canonical JSON of {experiment, data, parameters, seed, force})``, all from inputs that a preview
knows, so that the model's address is known before the model is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> bytes:
    """The one way to write *value*: sorted keys, no blanks, UTF-8, whole floats as integers.

    Raises ValueError for NaN and infinities, which JSON cannot hold.
    """
    return json.dumps(
        _whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _whole(value: Any) -> Any:
    """Pulumi's wire knows doubles only: 1 and 1.0 must be the same."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, 64 hex."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def run_key(*, experiment: str, data: str, parameters: Mapping[str, str], seed: int, force: str) -> str:
    """The key of the run that trains *experiment* (digest) on *data* (digest), 64 hex.

    *force* is a token that, when changed, asks for a new run of the same inputs.
    """
    return digest(
        {
            "experiment": experiment,
            "data": data,
            "parameters": dict(parameters),
            "seed": seed,
            "force": force,
        }
    )


_ADDRESS = re.compile(r"models/[^/]+/(?P<key>[0-9a-f]{64})/\d+\.ilearner")


def key_of(address: str) -> str:
    """The run key of a model at *address*; empty where that is not of the ledger's."""
    found = _ADDRESS.fullmatch(address)
    return found["key"] if found else ""


def model_address(experiment: str, key: str, attempt: int) -> str:
    """Where a run leaves its model, as a path in the registry container."""
    return f"models/{experiment}/{key}/{attempt}.ilearner"
