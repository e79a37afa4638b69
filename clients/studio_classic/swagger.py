"""What a web service's swagger document says of its ports and parameters: their names.

The document of a service that trains does not say which output is the model. Source: RevolutionAnalytics/AzureML
R/discover.R (``definitions.ExecutionRequest``); members that one document lacks are looked for where others have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.protocols import Contract


def read_swagger(document: Mapping[str, Any]) -> Contract:
    """The names in a swagger document; nothing where it has none of what is looked for."""
    found = _Document(document)
    request = found.definition("ExecutionRequest")
    example = _object(request.get("example"))
    inputs = found.members(request, "Inputs") or found.definition_members("ExecutionInputs")
    results = found.members(found.definition("ExecutionResults"), "Results")
    return Contract(
        name="",
        inputs=tuple(inputs or _object(example.get("Inputs"))),
        outputs=tuple(results or found.definition_members("ExecutionOutputs")),
        parameters=tuple(
            found.members(request, "GlobalParameters") or _object(example.get("GlobalParameters"))
        ),
    )


class _Document:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._definitions = _object(document.get("definitions"))

    def definition(self, name: str) -> Mapping[str, Any]:
        return _object(self._definitions.get(name))

    def definition_members(self, name: str) -> Mapping[str, Any]:
        return _object(self.definition(name).get("properties"))

    def members(self, holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The properties of a property, which may be a reference to a definition."""
        value = _object(_object(holder.get("properties")).get(name))
        reference = value.get("$ref")
        if isinstance(reference, str):
            value = self.definition(reference.rpartition("/")[2])
        return _object(value.get("properties"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
