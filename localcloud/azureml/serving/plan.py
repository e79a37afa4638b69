"""What is to run for a deployment: read from its properties, kept with it, and the same after a restart of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from localcloud.azureml.durations import seconds

SCRIPT, MLFLOW = "script", "mlflow"


@dataclass(frozen=True)
class Settings:
    """How calls are taken: so many at once in an instance, each answered within `timeout` seconds."""

    concurrent: int = 1
    timeout: float = 5.0

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Self:
        """The request settings of a deployment's properties, complete."""
        sent = properties["requestSettings"]
        return cls(sent["maxConcurrentRequestsPerInstance"], seconds(sent["requestTimeout"]))


@dataclass(frozen=True)
class Probes:
    """When an instance counts as failed: not ready within `patience`, or `failures` times in a row not alive. Seconds."""

    patience: float = 310.0
    period: float = 10.0
    timeout: float = 2.0
    failures: int = 30

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Self:
        """The probes of a deployment's properties, complete.

        An instance is asked from its start on, so that nobody waits for an initial delay; its end counts as ever.
        """
        liveness = properties["livenessProbe"]
        startup = properties.get("startupProbe")
        starting = [startup] if startup else [liveness, properties["readinessProbe"]]
        return cls(
            min(_whole(probe) for probe in starting),
            seconds(liveness["period"]),
            seconds(liveness["timeout"]),
            liveness["failureThreshold"],
        )


def _whole(probe: Mapping[str, Any]) -> float:
    failures: int = probe["failureThreshold"]
    return seconds(probe["initialDelay"]) + failures * seconds(probe["period"])


@dataclass(frozen=True)
class Plan:
    """A deployment made ready to run: which Python runs what, with which files, how often.

    `runs` is SCRIPT or MLFLOW; `path` is the scoring script, or the folder that holds `MLmodel`; `home` holds all its
    files, `folder` the code; `variables` are the deployment's own.
    """

    runs: str
    python: str
    path: Path
    home: Path
    folder: Path
    model_folder: Path
    variables: Mapping[str, str]
    instances: int
    settings: Settings
    probes: Probes

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        paths = ("path", "home", "folder", "model_folder")
        return {**asdict(self), **{name: str(getattr(self, name)) for name in paths}}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What was kept."""
        paths = {name: Path(kept[name]) for name in ("path", "home", "folder", "model_folder")}
        return cls(
            **{**kept, **paths, "settings": Settings(**kept["settings"]), "probes": Probes(**kept["probes"])}
        )
