"""What determines a model: what its run key covers, in this format and in the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.errors import ConfigurationError, ExperimentInvalid
from graph.errors import GraphError
from graph.identity import identity, resolved_parameters
from retrain_hooks.experiments.own_code import load_own_code
from retrain_hooks.experiments.package import load
from retrain_hooks.experiments.published import is_own_code
from retrain_hooks.registry.run_key import Covered
from retrain_hooks.training.inputs import TrainedModelInputs

SEED = "Random seed"
_OWN_SEED = "seed"


def covered(wanted: TrainedModelInputs, data: str) -> Covered:
    """What the key of a run on *data* (digest of FORMAT 2) covers.

    Of a declared graph that is what its outputs depend on, and each parameter that it uses, written in one way; of a team's
    own code its digest and parameters; of a service that was there before, what the service says of itself, and the parameters as given. Raises
    ConfigurationError for a parameter that the experiment does not have, or whose value it does not take.
    """
    if not wanted.source:
        parameters = _as_given(wanted)
        return Covered(wanted.experiment.digest, data, parameters, wanted.seed, wanted.force)
    if is_own_code(wanted.source):
        return _of_own_code(wanted, data)
    definition = load(wanted.source, "training").definition
    try:
        found = identity(definition)
    except GraphError as error:
        where = f"experiments/{wanted.source}/training.json"
        raise ExperimentInvalid(f"{where}: {error}", error.remedy or f"correct {where}") from None
    try:
        values = resolved_parameters(definition, _given(wanted, definition))
    except GraphError as error:
        raise ConfigurationError(str(error), error.remedy) from None
    seed = values.pop(SEED, str(wanted.seed))
    return Covered(found, data, values, int(seed), wanted.force)


def _of_own_code(wanted: TrainedModelInputs, data: str) -> Covered:
    """The same of a team's own code: a parameter called ``seed`` is the seed, unless it is given."""
    job = load_own_code(wanted.source).training
    given = ({_OWN_SEED: wanted.seed} if _OWN_SEED in job.parameters else {}) | dict(wanted.parameters)
    values = job.resolve(given)
    seed = values.pop(_OWN_SEED, str(wanted.seed))
    return Covered(job.digest, data, values, int(float(seed)), wanted.force)


def formerly_covered(wanted: TrainedModelInputs, data: str) -> Covered:
    """What the key of FORMAT 1 covers, with *data*'s digest of that format."""
    parameters = {name: _text(value) for name, value in wanted.parameters.items()}
    return Covered(wanted.experiment.digest, data, parameters, wanted.seed, wanted.force, format=1)


def sent(wanted: TrainedModelInputs, covers: Covered) -> dict[str, str]:
    """The parameters that a job is given: those of the key, and the others as given."""
    seeds = {name: str(covers.seed) for name in (SEED, _OWN_SEED) if name in wanted.experiment.parameters}
    given = {name: _text(value) for name, value in wanted.parameters.items()}
    return given | dict(covers.parameters) | seeds


def _given(wanted: TrainedModelInputs, definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters with the seed, which is one of them where the experiment declares it."""
    declared = definition.get("parameters") or {}
    return ({SEED: wanted.seed} if SEED in declared else {}) | dict(wanted.parameters)


def _as_given(wanted: TrainedModelInputs) -> dict[str, str]:
    given = {name: _text(value) for name, value in wanted.parameters.items()}
    if unknown := sorted(set(given) - set(wanted.experiment.parameters)):
        raise ConfigurationError(
            f"the experiment {wanted.experiment.name!r} has no parameter {', '.join(unknown)}; "
            f"it has: {', '.join(wanted.experiment.parameters) or 'none'}",
            "set only parameters that the experiment declares",
        )
    return given


def _text(value: Any) -> str:
    """A web-service parameter as the wire carries it: text, whole numbers without a fraction."""
    if isinstance(value, Mapping | list):
        raise ConfigurationError("a parameter is not a plain value", "give each parameter a text or a number")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
