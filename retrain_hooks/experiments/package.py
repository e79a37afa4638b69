"""Experiment packages as they are declared: ``experiments/<name>/training.json`` and ``predictive.json``.

Where a graph is wrong, its file and line are said before it is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clients.errors import ExperimentInvalid
from clients.names import nearest
from clients.protocols import Deployable
from graph.definition import parse_experiment
from graph.errors import GraphError
from graph.needs import faults
from graph.package import line_of, read_package
from retrain_hooks.host.references import ExperimentRef
from retrain_hooks.registry.run_key import digest

Part = Literal["training", "predictive"]


@dataclass(frozen=True)
class Experiment:
    """A package: its *definition*, and the *digest* (64 hex) that stands for it in run keys."""

    name: str
    part: Part
    definition: Mapping[str, Any]
    path: Path | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the definition in canonical JSON."""
        return digest(self.definition)

    @property
    def scripts(self) -> tuple[str, ...]:
        """Its modules that run scripts, in words."""
        return parse_experiment(self.definition).scripts

    @property
    def deployable(self) -> Deployable:
        """The graph, as Studio takes it."""
        return Deployable(self.definition)

    def reference(self) -> ExperimentRef:
        """What other resources need to know of it. Raises ExperimentInvalid where it cannot do its part."""
        found: dict[str, Any] = {"name": self.name, "digest": self.digest, "input": self._input()}
        if self.part == "training":
            found |= {
                "modelOutput": self._output(
                    "Trained model",
                    "connect the port `Trained model` of a Train Model module to a web service output",
                ),
                "evaluationOutput": self._output(
                    "Evaluation results",
                    "connect the port `Evaluation results` of an Evaluate Model module to a web service output",
                ),
                "parameters": sorted(self.definition.get("parameters") or {}),
            }
        else:
            found["resource"] = self._resource()
        if self.path:
            for error in faults(self.definition):
                raise _invalid(self.name, self.part, self.path, error)
        return ExperimentRef.parse(found)

    def _nodes(self, key: str) -> dict[str, str]:
        return {node: spec[key] for node, spec in self.definition["nodes"].items() if key in spec}

    def _output(self, port: str, remedy: str) -> str:
        """The output that is fed from a port called *port*: found by its kind, whatever its position."""
        outputs = self._nodes("output")
        for edge in self.definition["edges"]:
            node, _, _ = str(edge["to"]).partition(".")
            _, _, source_port = str(edge["from"]).partition(".")
            if node in outputs and source_port == port:
                return outputs[node]
        raise ExperimentInvalid(
            f"the {self.part} experiment {self.name!r} has no web service output for its `{port}`", remedy
        )

    def _input(self) -> str:
        inputs = list(self._nodes("input").values())
        if len(inputs) != 1:
            raise ExperimentInvalid(
                f"the {self.part} experiment {self.name!r} has {len(inputs)} web service inputs, not one",
                'give it one node {"input": "input1"}, where the data enters',
            )
        return inputs[0]

    def _resource(self) -> str:
        resources = list(self._nodes("trainedModel").values())
        if len(resources) != 1:
            raise ExperimentInvalid(
                f"the predictive experiment {self.name!r} has {len(resources)} trained models, not one",
                'give it one node {"trainedModel": "… [trained model]"} that feeds Score Model',
            )
        return resources[0]


def load(name: str, part: Part, root: Path | None = None) -> Experiment:
    """Read ``experiments/<name>/<part>.json`` below *root* (default: the working directory, the project's root).

    Raises ExperimentInvalid where there is none, or it is not a graph.
    """
    folder = (root or Path.cwd()) / "experiments"
    path = folder / name / f"{part}.json"
    try:
        definition = read_package(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = [found.parent.name for found in folder.glob(f"*/{part}.json")]
        raise ExperimentInvalid(
            f"there is no experiment {name!r} with a {part}.json; {nearest(name, there)}",
            f"create experiments/{name}/{part}.json or name one that exists",
        ) from None
    except GraphError as error:
        raise _invalid(name, part, path, error) from None
    except (OSError, ValueError) as error:
        raise ExperimentInvalid(
            f"experiments/{name}/{part}.json cannot be read: {error}", "correct the file"
        ) from None
    if not isinstance(definition, dict) or not isinstance(definition.get("nodes"), dict):
        raise ExperimentInvalid(f"experiments/{name}/{part}.json has no `nodes`", "give it nodes and edges")
    if not isinstance(definition.get("edges"), list):
        raise ExperimentInvalid(f"experiments/{name}/{part}.json has no `edges`", "give it nodes and edges")
    return Experiment(name, part, definition, path)


def _invalid(name: str, part: Part, path: Path, error: GraphError) -> ExperimentInvalid:
    """That a package is wrong, with the line in which its author wrote so."""
    line = line_of(path.read_text(encoding="utf-8"), error.target) if error.target else 0
    where = f"experiments/{name}/{part}.json" + (f":{line}" if line else "")
    return ExperimentInvalid(f"{where}: {error.message}", error.remedy or f"./dev experiment check {name}")
