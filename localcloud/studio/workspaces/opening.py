"""What all routes of the Studio API share: the workspace of the URL, for the bearer of one of its tokens."""

from __future__ import annotations

from starlette.requests import Request

from localcloud.facilities.auth import require
from localcloud.facilities.store import Workspace
from localcloud.studio.management.errors import no_workspace
from localcloud.studio.workspaces.errors import UNAUTHORIZED, no_experiment
from localcloud.works.context import works_of
from localcloud.works.experiments import Experiment


def open_workspace(request: Request) -> Workspace:
    """The workspace. Raises NotFound, Unauthorized (AdminRequestUnauthorized)."""
    workspace_id = request.path_params["workspace"]
    workspace = works_of(request).store.workspace(workspace_id)
    if workspace is None:
        raise no_workspace(workspace_id)
    require(request, workspace.tokens, UNAUTHORIZED)
    return workspace


def open_experiment(request: Request) -> Experiment:
    """The experiment of the URL, in that workspace. Raises NotFound, Unauthorized."""
    workspace, experiment_id = open_workspace(request), request.path_params["experiment"]
    experiment = works_of(request).experiments.get(workspace.id, experiment_id)
    if experiment is None:
        raise no_experiment(experiment_id)
    return experiment
