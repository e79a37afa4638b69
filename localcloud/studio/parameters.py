"""Web-service (global) parameters: names checked, defaults filled in, values as the strings the graph reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph import Experiment, GraphError
from localcloud.facilities.errors import BadArgument, BadUserArgument


def global_parameters(
    experiment: Experiment, given: Any, error: type[BadArgument] | type[BadUserArgument]
) -> dict[str, str]:
    """The value of every parameter of `experiment`.

    Names match without regard to case; values may be strings, numbers or booleans; null means not given. Raises
    `error` with UnexpectedParameter, MissingRequiredGlobalParameters or UserParameterInvalid.
    """
    if not given and not experiment.parameters and isinstance(given, Mapping | None):
        return {}
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise error("UserParameterInvalid", "GlobalParameters is not an object", "GlobalParameters")
    declared = {name.casefold(): name for name in experiment.parameters}
    values: dict[str, str] = {}
    for name, value in given.items():
        known = declared.get(str(name).casefold())
        if known is None:
            listed = ", ".join(f"'{one}'" for one in experiment.parameters) or "none"
            raise error(
                "UnexpectedParameter", f"there is no parameter '{name}'; there are: {listed}", str(name)
            )
        if value is not None:
            values[known] = _text(known, value, error)
    for name, parameter in experiment.parameters.items():
        if name not in values:
            if parameter.default is None:
                raise error("MissingRequiredGlobalParameters", f"parameter '{name}' is required", name)
            values[name] = parameter.default
    try:
        experiment.bind(values)
    except GraphError as refused:
        raise error("UserParameterInvalid", refused.message, refused.target or None) from None
    return values


def _text(name: str, value: Any, error: type[BadArgument] | type[BadUserArgument]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        return str(value)
    raise error("UserParameterInvalid", f"parameter '{name}' is not a string", name)
