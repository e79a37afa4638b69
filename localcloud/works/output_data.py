"""What a node of an experiment puts out: the experiment is run as its last job was, as far as that node.

Equal inputs give equal outputs, so nothing needs to be kept of what is between a graph's ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localcloud.blobs.locations import Location
from localcloud.works.batch.jobs import Job, JobRequest
from localcloud.works.batch.places import generated_place, output_location
from localcloud.works.context import Works

_OUTPUT = "outputdata"
_MEDIA = {"model": "application/octet-stream"}


async def output_data(works: Works, job: Job, node: str, port: str) -> tuple[bytes, str]:
    """The bytes of a port and their media type: a table as CSV, a model as `.ilearner`.

    Raises `PackageError` for a port that there is not or that carries neither, `JobFailure` where the graph cannot be run
    again: the job's data may be gone.
    """
    package = _as_far_as(works.services.package(job.package), node, port)
    experiment = works.graphs.parse(package)
    kind = experiment.outputs[0].kind
    place = generated_place(kind)
    request = JobRequest(
        {name: job.request.inputs[name] for name in experiment.inputs},
        {_OUTPUT: place},
        {name: text for name, text in job.request.parameters.items() if name in experiment.parameters},
    )
    models = tuple(one for one in job.resources if one.name in experiment.resources)
    digest = works.services.keep_package(package)
    await works.runner.run_aside(replace(job, package=digest, resources=models, request=request))
    content = await asyncio.to_thread(_take, output_location(place, works.cloud, _OUTPUT))
    return content, _MEDIA.get(kind, "text/csv; charset=utf-8")


def _as_far_as(package: Mapping[str, Any], node: str, port: str) -> dict[str, Any]:
    """The graph with this output alone, and with the nodes that it takes."""
    edges, taken = package["edges"], {node}
    ends = [(edge["from"].partition(".")[0], edge["to"].partition(".")[0]) for edge in edges]
    while more := {source for source, target in ends if target in taken} - taken:
        taken |= more
    end = next(name for name in (_OUTPUT, f"{_OUTPUT}_", f"{_OUTPUT}__") if name not in taken)
    nodes = {name: body for name, body in package["nodes"].items() if name in taken}
    parameters = {}
    for name, body in (package.get("parameters") or {}).items():
        links = [link for link in body["links"] if link["node"] in taken]
        if links:
            parameters[name] = {**body, "links": links}
    return {
        "name": package["name"],
        "nodes": {**nodes, end: {"output": _OUTPUT}},
        "edges": [edge for edge, (_, target) in zip(edges, ends, strict=True) if target in taken]
        + [{"from": f"{node}.{port}", "to": end}],
        "parameters": parameters,
    }


def _take(place: Location) -> bytes:
    """The blob's content; the blob is deleted."""
    with place.client() as client:
        content = client.download_blob().readall()
        client.delete_blob()
    return content
