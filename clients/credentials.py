"""Where a target's services are, and the credential for them, found at call time.

A stack's config holds the target's *name* only, so no key ever travels through Pulumi:

``local``
    the local cloud of this checkout: ``.local/cloud/cloud.json`` (mode 0600), written by ``./dev cloud start``;
    another file with ``RETRAIN_CLOUD_FILE``.
``environment``
    Azure, or any service that speaks its protocols: blobs in ``RETRAIN_STORAGE_CONNECTION_STRING``, Resource Manager
    at ``RETRAIN_ARM_URL``, signed in to by azure-identity's default chain, and for classic web services
    ``RETRAIN_STUDIO_URL``. A workspace's token is read from Resource Manager unless ``RETRAIN_WORKSPACE_TOKEN``
    gives it; ``RETRAIN_DATA_CONTAINER`` and ``RETRAIN_REGISTRY_CONTAINER`` name the containers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from clients.errors import ConfigurationError, CredentialError
from clients.http.answers import text
from clients.http.transport import Transport
from clients.sign_in import Bearer, Token, azure

RESOURCE_MANAGER = "https://management.azure.com"
MACHINE_LEARNING = "https://ml.azure.com"

_CLOUD_FILE = Path(".local/cloud/cloud.json")
_START = "start it with ./dev cloud start"
_START_AGAIN = "get a token that is valid again: ./dev cloud stop, then ./dev cloud start"
_ENVIRONMENT_REMEDY = "check RETRAIN_STUDIO_URL and that the service runs"
_AZURE_REMEDY = "check RETRAIN_ARM_URL and the network"
_AZURE_SIGN_IN = "sign in again (az login), or check the AZURE_… variables of the credential"
_NEW_TOKEN = "set RETRAIN_WORKSPACE_TOKEN to a token of this workspace, or unset it to have it read"  # noqa: S105


@dataclass(frozen=True)
class Target:
    """One place where workspaces, services and blobs live.

    *arm* is the transport to Resource Manager: paths are resource ids, and each call gives its api-version.
    *workspace_token* is the token of every workspace's management API, where one was given; else Resource Manager is
    asked.
    """

    name: str
    studio_url: str
    connection_string: str = field(repr=False)
    data_container: str
    registry_container: str
    arm: Transport = field(repr=False)
    workspace_token: str | None = field(default=None, repr=False)
    remedy: str = _START
    runs_scripts: bool = True  # a service of its own says itself what it runs
    # Signs in to online endpoints that take tokens of Microsoft Entra.
    scoring_token: Callable[[], Token] = field(default=lambda: Token(""), repr=False)
    _bearers: dict[str, Bearer] = field(default_factory=dict, init=False, repr=False, compare=False)
    _workspaces: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def workspace_id(self, workspace: str) -> str:
        """The 32-hex id of the workspace with an ARM id; it keeps it until it is deleted (``forget_workspace``).

        Source: Microsoft.MachineLearning/workspaces, 2019-10-01.
        """
        if workspace not in self._workspaces:
            found = self.arm.get(workspace, **{"api-version": "2019-10-01"})
            self._workspaces[workspace] = text(found, "properties", "workspaceId")
        return self._workspaces[workspace]

    def forget_workspace(self, workspace: str) -> None:
        """What was in it is deleted: it may be, too, and made again under another id."""
        self._workspaces.pop(workspace, None)

    def studio(self, workspace: str) -> Transport:
        """A transport to the Studio and management API, signed in to *workspace* (its ARM id).

        Raises ConfigurationError where the target has no such API.
        """
        if not self.studio_url:
            raise ConfigurationError(
                f"the target `{self.name}` has no address for classic web services",
                "set RETRAIN_STUDIO_URL, or use web services of kind new",
            )
        transport = Transport("the studio", self.studio_url, remedy=self.remedy)
        if self.workspace_token is not None:
            header = {"Authorization": f"Bearer {self.workspace_token}"}
            return replace(transport, authorize=lambda: header, sign_in=_NEW_TOKEN)
        bearer = self._bearers.setdefault(workspace, Bearer(lambda: _workspace_token(self.arm, workspace)))
        return replace(transport, authorize=bearer.headers, renew=bearer.renew, sign_in=self.arm.sign_in)


def _workspace_token(arm: Transport, workspace: str) -> Token:
    """A workspace's token by listWorkspaceKeys (Microsoft.MachineLearning/workspaces, 2019-10-01)."""
    keys = arm.read(f"{workspace}/listWorkspaceKeys", None, **{"api-version": "2019-10-01"})
    return Token(text(keys, "primaryToken"))


def resolve_target(name: str, environ: Mapping[str, str] | None = None, root: Path | None = None) -> Target:
    """The target called *name*.

    Raises ConfigurationError for another name, CredentialError where its credential is missing.
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
    except (OSError, KeyError):  # a start writes what is not there, also in a file of an earlier release
        raise CredentialError(f"the local cloud's file {path.name} cannot be read", _START) from None
    except ValueError:
        raise CredentialError(
            f"the local cloud's file {path.name} is damaged",
            "./dev cloud reset, which deletes all local data, then ./dev cloud start",
        ) from None
    return Target(
        name="local",
        runs_scripts=bool(cloud.get("allowScripts")),
        studio_url=studio,
        connection_string=f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={blob};",
        scoring_token=lambda: Token(token),
        data_container=cloud.get("dataContainer", "data"),
        registry_container=cloud.get("registryContainer", "registry"),
        arm=Transport(
            "the local Resource Manager",
            studio,
            # Signing in as to Azure would cost each process the import of azure-identity, 0.25 s.
            authorize=lambda: {"Authorization": f"Bearer {token}"},
            remedy=_START,
            sign_in=_START_AGAIN,
        ),
    )


def _environment(env: Mapping[str, str]) -> Target:
    connection = env.get("RETRAIN_STORAGE_CONNECTION_STRING")
    if not connection:
        raise CredentialError(
            "the target `environment` needs RETRAIN_STORAGE_CONNECTION_STRING", "set it in the environment"
        )
    arm_url = env.get("RETRAIN_ARM_URL") or RESOURCE_MANAGER
    bearer = Bearer(azure(arm_url))
    return Target(
        name="environment",
        studio_url=env.get("RETRAIN_STUDIO_URL", ""),
        connection_string=connection,
        data_container=env.get("RETRAIN_DATA_CONTAINER", "data"),
        registry_container=env.get("RETRAIN_REGISTRY_CONTAINER", "registry"),
        workspace_token=env.get("RETRAIN_WORKSPACE_TOKEN") or None,
        remedy=_ENVIRONMENT_REMEDY,
        scoring_token=azure(MACHINE_LEARNING),
        arm=Transport(
            "Azure Resource Manager",
            arm_url,
            authorize=bearer.headers,
            renew=bearer.renew,
            remedy=_AZURE_REMEDY,
            sign_in=_AZURE_SIGN_IN,
        ),
    )
