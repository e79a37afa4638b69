"""The identity of a training run: the SHA-256 of all that determines its model.

``run key = SHA-256(canonical JSON of {format: 2, experiment, data, parameters, seed, force})``, all from inputs that a
preview knows, so that the model's address is known before the model is. The format is frozen: another key for the same
inputs would train everything anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.errors import ConfigurationError

FORMAT = 2


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


@dataclass(frozen=True)
class Covered:
    """What determines a model: the *experiment*'s identity, the *data*'s digest, the web-service *parameters*, the *seed*,
    and the *force* token, which asks for a new run of the same inputs when it is changed.

    FORMAT 1 of earlier releases covers the experiment's whole package and the parameters as they were given.
    """

    experiment: str
    data: str
    parameters: Mapping[str, str]
    seed: int
    force: str
    format: int = FORMAT

    @property
    def inputs(self) -> dict[str, Any]:
        """As it is hashed, and recorded with a run."""
        found = {
            "experiment": self.experiment,
            "data": self.data,
            "parameters": dict(self.parameters),
            "seed": self.seed,
            "force": self.force,
        }
        return found if self.format == 1 else found | {"format": self.format}

    @property
    def key(self) -> str:
        """The key of the run that trains it, 64 hex."""
        return digest(self.inputs)


_ADDRESS = re.compile(r"models/[^/]+/(?P<key>[0-9a-f]{64})/\d+\.ilearner")


# Of a run key as a person gives it: so many of its first digits at least.
_GIVEN = re.compile(r"[0-9a-f]{7,64}")


def judge_key(given: str) -> None:
    """Refuse what is not a run key or the beginning of one. Raises ConfigurationError."""
    if given and not _GIVEN.fullmatch(given):
        raise ConfigurationError(
            f"{given!r} is not a run key",
            "write the key that ./dev preview or ./dev runs shows, or its first 7 digits at least",
        )


def key_of(address: str) -> str:
    """The run key of a model at *address*; empty where that is not of the ledger's."""
    found = _ADDRESS.fullmatch(address)
    return found["key"] if found else ""


def attempt_of(address: str) -> int:
    """The attempt that a model's address ends with; 0 where it is not of the ledger's."""
    number = address.rpartition("/")[2].partition(".")[0]
    return int(number) if key_of(address) else 0


def job_name(experiment: str, key: str, attempt: int) -> str:
    """The name of a run's job, where a service lets us name it: letters, digits, ``-`` and ``_``, at most 255."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', experiment)[:200].lstrip('-_') or 'run'}-{key[:16]}-{attempt}"


def model_address(experiment: str, key: str, attempt: int) -> str:
    """Where a run leaves its model, as a path in the registry container."""
    return f"models/{experiment}/{key}/{attempt}.ilearner"
