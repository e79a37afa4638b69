"""Where a target's services are, and the credential for them, found at call time.

A stack's config holds the target's *name* only, so no key ever travels through Pulumi:

``local``
    the local cloud of this checkout: ``.local/cloud/cloud.json`` (mode 0600), written by ``./dev cloud start``;
    another file with ``RETRAIN_CLOUD_FILE``.
``environment``
    any service that speaks Studio's protocol: ``RETRAIN_STUDIO_URL``, ``RETRAIN_WORKSPACE_TOKEN``,
    ``RETRAIN_STORAGE_CONNECTION_STRING``; for the containers' names ``RETRAIN_DATA_CONTAINER`` and
    ``RETRAIN_REGISTRY_CONTAINER``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clients.errors import ConfigurationError, CredentialError
from clients.transport import Transport

_CLOUD_FILE = Path(".local/cloud/cloud.json")
_START = "start it with ./dev cloud start"


@dataclass(frozen=True)
class Target:
    """One place where workspaces, services and blobs live.

    *workspace_token* answers for an ARM resource id of a workspace the token of its management API.
    """

    name: str
    studio_url: str
    connection_string: str = field(repr=False)
    data_container: str
    registry_container: str
    workspace_token: Callable[[str], str] = field(repr=False)
    remedy: str = _START

    def studio(self, workspace: str) -> Transport:
        """A transport to the Studio and management API, signed in to *workspace* (its ARM id)."""
        return Transport(
            "the studio",
            self.studio_url,
            authorize=lambda: {"Authorization": f"Bearer {self.workspace_token(workspace)}"},
            remedy=self.remedy,
        )


def resolve(name: str, environ: Mapping[str, str] | None = None, root: Path | None = None) -> Target:
    """The target called *name*.

    Raises ConfigurationError for a name that is none, CredentialError where its credential is not to be found.
    """
    env = os.environ if environ is None else environ
    if name == "local":
        return _local(_find_cloud_file(env, root))
    if name == "environment":
        return _environment(env)
    raise ConfigurationError(
        f"there is no target {name!r}", "set `target` in the stack's config to local or environment"
    )


def _find_cloud_file(env: Mapping[str, str], root: Path | None) -> Path:
    if named := env.get("RETRAIN_CLOUD_FILE"):
        return Path(named)
    start = root or Path.cwd()
    for folder in (start, *start.parents, Path(__file__).resolve().parent.parent):
        if (folder / _CLOUD_FILE).is_file():
            return folder / _CLOUD_FILE
    raise CredentialError("the local cloud is not running", _START)


def _local(path: Path) -> Target:
    try:
        cloud = json.loads(path.read_text())
        studio, blob = cloud["studio"], cloud["blob"]
        account, key, token = cloud["account"], cloud["accountKey"], cloud["armToken"]
    except (OSError, ValueError, KeyError):
        raise CredentialError(f"the local cloud's file {path.name} cannot be read", _START) from None
    return Target(
        name="local",
        studio_url=studio,
        connection_string=f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={blob};",
        data_container=cloud.get("dataContainer", "data"),
        registry_container=cloud.get("registryContainer", "registry"),
        workspace_token=_arm_tokens(
            Transport(
                "the local Resource Manager",
                studio,
                authorize=lambda: {"Authorization": f"Bearer {token}"},
                remedy=_START,
            )
        ),
    )


def _arm_tokens(arm: Transport) -> Callable[[str], str]:
    """Workspace tokens by listWorkspaceKeys (Microsoft.MachineLearning/workspaces, 2019-10-01), kept in memory."""
    tokens: dict[str, str] = {}

    def token(workspace: str) -> str:
        if workspace not in tokens:
            keys = arm.read(f"{workspace}/listWorkspaceKeys", None, **{"api-version": "2019-10-01"})
            tokens[workspace] = str(keys["primaryToken"])
        return tokens[workspace]

    return token


def _environment(env: Mapping[str, str]) -> Target:
    names = ("RETRAIN_STUDIO_URL", "RETRAIN_WORKSPACE_TOKEN", "RETRAIN_STORAGE_CONNECTION_STRING")
    if missing := [name for name in names if not env.get(name)]:
        raise CredentialError(
            f"the target `environment` needs {', '.join(missing)}", "set what is missing in the environment"
        )
    url, token, connection = (env[name] for name in names)
    return Target(
        name="environment",
        studio_url=url,
        connection_string=connection,
        data_container=env.get("RETRAIN_DATA_CONTAINER", "data"),
        registry_container=env.get("RETRAIN_REGISTRY_CONTAINER", "registry"),
        workspace_token=lambda _workspace: token,
        remedy="check RETRAIN_STUDIO_URL and that the service runs",
    )
