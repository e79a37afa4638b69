"""The help pages for people: what to call, and with what."""

from __future__ import annotations

import json
from html import escape

from graph import Experiment
from localcloud.works.services import Endpoint, WebService

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    "<style>body{{font-family:sans-serif;max-width:60rem;margin:2rem auto;line-height:1.5}}"
    "pre{{background:#f4f4f4;padding:1rem;overflow:auto}}</style><h1>{title}</h1>{body}</html>"
)


def overview(service: WebService, endpoint: Endpoint, here: str) -> str:
    """What HelpLocation itself shows."""
    links = {
        "score": "Request-response",
        "jobs": "Batch execution",
        "update": "Update resource",
        "apidocument": "Swagger document",
    }
    items = "".join(
        f'<li><a href="{escape(f"{here}/{path}")}">{name}</a></li>' for path, name in links.items()
    )
    return _page(
        f"{service.name}, endpoint {endpoint.name}", f"<p>{escape(service.description)}</p><ul>{items}</ul>"
    )


def score(endpoint: Endpoint, experiment: Experiment, api: str) -> str:
    """How to score."""
    if experiment.trains:
        return _page(
            "Request-response", "<p>This web service trains a model: it runs as batch jobs only.</p>"
        )
    example: dict[str, object] = {
        "Inputs": {name: [{}] for name in experiment.inputs},
        "GlobalParameters": {},
    }
    return _page(
        f"Request-response of endpoint {endpoint.name}",
        _call("POST", f"{api}/execute?api-version=2.0&format=swagger", example),
    )


def jobs(endpoint: Endpoint, experiment: Experiment, api: str) -> str:
    """How to run batch jobs."""
    reference = {"ConnectionString": "...", "RelativeLocation": "container/path"}
    example = {
        "Inputs": dict.fromkeys(experiment.inputs, reference),
        "Outputs": {output.name: reference for output in experiment.outputs},
        "GlobalParameters": {name: value.default or "" for name, value in experiment.parameters.items()},
    }
    return _page(
        f"Batch execution of endpoint {endpoint.name}",
        _call("POST", f"{api}/jobs?api-version=2.0", example)
        + _call("POST", f"{api}/jobs/JOB/start?api-version=2.0", None)
        + _call("GET", f"{api}/jobs/JOB?api-version=2.0", None)
        + _call("DELETE", f"{api}/jobs/JOB?api-version=2.0", None),
    )


def update(endpoint: Endpoint, management: str) -> str:
    """How to replace the model."""
    if endpoint.is_default:
        return _page("Update resource", "<p>The default endpoint cannot be updated: add an endpoint.</p>")
    if not endpoint.resources:
        return _page("Update resource", "<p>This web service has no updatable resource.</p>")
    location = {"BaseLocation": "...", "RelativeLocation": "...", "SasBlobToken": "..."}
    example = {"Resources": [{"Name": one.name, "Location": location} for one in endpoint.resources]}
    return _page(
        f"Update resource of endpoint {endpoint.name}",
        _call("PATCH", f"{management}/endpoints/{endpoint.name}", example),
    )


def _call(method: str, url: str, body: object) -> str:
    shown = "" if body is None else f"<pre>{escape(json.dumps(body, indent=2))}</pre>"
    return f"<h2>{method}</h2><pre>{escape(url)}</pre>{shown}"


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=escape(title), body=body)
