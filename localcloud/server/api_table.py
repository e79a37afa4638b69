"""The table of operations that the local cloud answers: ``python -m localcloud.server.api_table`` prints it as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc

from starlette.routing import BaseRoute, Route

from localcloud import arm
from localcloud import server as local
from localcloud.arm.types import OPERATIONS
from localcloud.azureml import registered
from localcloud.azureml.assets.workspace import PATH
from localcloud.server import local_routes as local_routes
from localcloud.studio import assets, datasets, management, workspaces
from localcloud.studio import batch as bes
from localcloud.studio import help as apihelp
from localcloud.studio import request_response as rrs
from localcloud.studio.assets import routes as assets_routes
from localcloud.studio.batch import routes as bes_routes
from localcloud.studio.datasets import routes as datasets_routes
from localcloud.studio.help import routes as apihelp_routes
from localcloud.studio.management import routes as management_routes
from localcloud.studio.request_response import routes as rrs_routes
from localcloud.studio.workspaces import routes as workspaces_routes

APIS = (
    (workspaces, workspaces_routes),
    (datasets, datasets_routes),
    (assets, assets_routes),
    (management, management_routes),
    (rrs, rrs_routes),
    (bes, bes_routes),
    (apihelp, apihelp_routes),
    (local, local_routes),
)
# What nearly all paths of Resource Manager begin with, and what is written instead.
_PREFIXES = (
    (f"{PATH}/", "{workspace}/"),
    ("/subscriptions/{subscription}/resourceGroups/{group}/providers/", "{group}/"),
    ("/subscriptions/{subscription}/providers/", "{subscription}/"),
)


def table() -> str:
    """One section an API: method, path, and what the handler says that it does."""
    sections = []
    for package, module in APIS:
        rows = "\n".join(_rows(module.routes()))
        sections.append(f"## {title(package.__doc__)}\n\n| Call | What it does |\n| --- | --- |\n{rows}\n")
    sections.append(f"## {title(arm.__doc__)}\n\n{arm_table()}\n")
    return "\n".join(sections)


def arm_table() -> str:
    """The operations of Resource Manager, by the types of resources: call, api-versions, what it does."""
    lines = ["| Call | api-version | What it does |", "| --- | --- | --- |"]
    for operation in (*OPERATIONS, *registered.OPERATIONS):
        versions = ", ".join(operation.versions) or "any"
        lines.append(f"| `{operation.method} {short(operation.path)}` | {versions} | {operation.says} |")
    return "\n".join(lines)


def short(path: str) -> str:
    """A path of Resource Manager as the table writes it."""
    for prefix, instead in _PREFIXES:
        path = instead + path.removeprefix(prefix) if path.startswith(prefix) else path
    return path


def _rows(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route):
            says = (getdoc(route.endpoint) or "").splitlines()[0]
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield f"| `{method} {route.path}` | {says.replace('|', '/')} |"


def title(docstring: str | None) -> str:
    """What an API is called: the first line of what its room says of itself."""
    return (docstring or "").strip().splitlines()[0].rstrip(".")


if __name__ == "__main__":
    print(table())
