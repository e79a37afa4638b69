"""What the definition of a New web service says of its ports, its parameters and itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from clients.protocols import Contract
from clients.studio_new import definition as definitions

# What makes a run of the service come out as it does; titles, limits and keys do not.
_GRAPH = ("assets", "package", "parameters", "input", "output")


def contract_of(name: str, definition: Mapping[str, Any]) -> Contract:
    """The contract of the web service called *name*, from its complete definition."""
    graph = _Graph(definition)
    resources = definitions.models(definition)
    used = graph.resources()
    return Contract(
        name=name,
        inputs=graph.ids("inputId"),
        outputs=graph.ids("outputId"),
        parameters=graph.parameters(),
        feeds=graph.feeds(),
        resources=tuple(resource for resource in resources if resource in used or not used),
        digest=_digest(definition),
    )


class _Graph:
    def __init__(self, definition: Mapping[str, Any]) -> None:
        own = definitions.properties(definition)
        package = _object(definitions.member(own, "package"))
        self._assets = _object(definitions.member(own, "assets"))
        self._package = package
        self._nodes = _object(definitions.member(package, "nodes"))

    def ids(self, kind: str) -> tuple[str, ...]:
        """The names of the ports of one kind (inputId, outputId)."""
        found = (definitions.member(_object(node), kind) for node in self._nodes.values())
        return tuple(dict.fromkeys(str(port) for port in found if port is not None))

    def resources(self) -> set[str]:
        """The names of the assets that the graph's nodes use."""
        used = (definitions.member(_object(node), "assetId") for node in self._nodes.values())
        return {
            str(definitions.member(_object(self._assets.get(str(asset))), "name")) for asset in used if asset
        }

    def parameters(self) -> tuple[str, ...]:
        return tuple(_object(definitions.member(self._package, "graphParameters")))

    def feeds(self) -> dict[str, str]:
        """The source port of each output."""
        found = {}
        edges = definitions.member(self._package, "edges")
        for edge in edges if isinstance(edges, list) else ():
            target = _object(self._nodes.get(str(definitions.member(_object(edge), "targetNodeId"))))
            output = definitions.member(target, "outputId")
            port = definitions.member(_object(edge), "sourcePortId")
            if output is not None and port is not None:
                found[str(output)] = str(port)
        return found


def _digest(definition: Mapping[str, Any]) -> str:
    """SHA-256 of what the service runs, wherever the models that it may be given lie."""
    own = definitions.properties(definitions.exported(definition))
    plain = {name: definitions.member(own, name) for name in _GRAPH}
    assets = {key: _placeless(_object(asset)) for key, asset in _object(plain["assets"]).items()}
    text = json.dumps(plain | {"assets": assets}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _placeless(asset: Mapping[str, Any]) -> Mapping[str, Any]:
    if not definitions.is_resource(asset):
        return asset
    return definitions.without(asset, "locationInfo")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
