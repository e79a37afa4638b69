"""What each kind of web service needs of a subscription: resource providers, and actions with the roles that have them.

Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles and resource-provider-operations.
"""

from __future__ import annotations

from dataclasses import dataclass

_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_STORAGE = "Microsoft.Storage"
_CLASSIC = "Microsoft.MachineLearning"
_ML = "Microsoft.MachineLearningServices"
_SPACES = f"{_ML}/workspaces"
_ROLES = "Microsoft.Authorization/roleAssignments"


@dataclass(frozen=True)
class Need:
    """Actions for one purpose, and the built-in *role* that grants them."""

    purpose: str
    role: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Needs:
    """What one kind needs. *home* is the provider that has to be offered in the stack's region."""

    home: str
    workspaces: str
    providers: tuple[str, ...]
    roles: tuple[Need, ...]


def _made(*types: str) -> tuple[str, ...]:
    return tuple(f"{one}/{verb}" for one in types for verb in ("read", "write", "delete"))


NEEDS = {
    "azureml": Needs(
        _ML,
        "workspaces",
        (_ML, _STORAGE, "Microsoft.KeyVault", "Microsoft.Insights", "Microsoft.ContainerRegistry"),
        (
            Need(
                "make the workspace and what it stands on",
                "Contributor",
                _made(
                    _GROUPS,
                    f"{_STORAGE}/storageAccounts",
                    "Microsoft.KeyVault/vaults",
                    "Microsoft.Insights/components",
                    "Microsoft.ContainerRegistry/registries",
                    _SPACES,
                    f"{_SPACES}/computes",
                ),
            ),
            Need(
                "train, register, deploy, score and keep times",
                "AzureML Data Scientist",
                (
                    *_made(
                        f"{_SPACES}/jobs",
                        f"{_SPACES}/models/versions",
                        f"{_SPACES}/environments/versions",
                        f"{_SPACES}/codes/versions",
                        f"{_SPACES}/onlineEndpoints",
                        f"{_SPACES}/onlineEndpoints/deployments",
                        f"{_SPACES}/schedules",
                    ),
                    f"{_SPACES}/jobs/cancel/action",
                    f"{_SPACES}/onlineEndpoints/listKeys/action",
                ),
            ),
            Need(
                "let the workspace's compute read and write its blobs",
                "Role Based Access Control Administrator",
                (f"{_ROLES}/read", f"{_ROLES}/write", f"{_ROLES}/delete"),
            ),
        ),
    ),
    "new": Needs(
        _CLASSIC,
        "webServices",
        (_CLASSIC, _STORAGE),
        (
            Need(
                "make web services and what they stand on",
                "Contributor",
                (
                    *_made(
                        _GROUPS,
                        f"{_STORAGE}/storageAccounts",
                        f"{_CLASSIC}/workspaces",
                        f"{_CLASSIC}/webServices",
                        f"{_CLASSIC}/commitmentPlans",
                    ),
                    f"{_CLASSIC}/webServices/listkeys/read",
                ),
            ),
        ),
    ),
    "classic": Needs(
        _CLASSIC,
        "workspaces",
        (_CLASSIC, _STORAGE),
        (
            Need(
                "make the workspace and what it stands on",
                "Contributor",
                (
                    *_made(_GROUPS, f"{_STORAGE}/storageAccounts", f"{_CLASSIC}/workspaces"),
                    f"{_CLASSIC}/workspaces/listWorkspaceKeys/action",
                ),
            ),
        ),
    ),
}
