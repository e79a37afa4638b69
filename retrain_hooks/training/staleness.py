"""Why a model would be trained, in the words of a preview: what changed since the last one, old to new."""

from __future__ import annotations

from typing import Any

from retrain_hooks.data.contents import FORMAT_2
from retrain_hooks.registry.run_key import attempt_of
from retrain_hooks.training.inputs import TrainedModelInputs


def why(old: TrainedModelInputs | None, new: TrainedModelInputs) -> str:
    """The reasons, joined by commas; *old* and *new* are checked inputs, *old* None at first.

    ``DATA 2013-01 → 2013-02``, ``CODE``, ``PARAMETERS``, ``FORCED``, ``PINNED``; ``LOST attempt 1 → 2``
    where nothing else differs; ``NEW`` where there was none before.
    """
    if old is None:
        return "NEW"
    # What a state of an earlier release says of experiment and data compares with what such a release would say.
    covers = old.covers is not None and new.covers is not None
    reasons = [
        _changed("PINNED", old.pin, new.pin),
        _changed("DATA", _data(old, covers), _data(new, covers)),
        _changed("CODE", _code(old, covers), _code(new, covers)),
        _changed("PARAMETERS", _parameters(old), _parameters(new)),
        _changed("FORCED", old.force, new.force),
    ]
    found = [reason for reason in reasons if reason]
    return ", ".join(found) or _changed("LOST attempt", attempt_of(old.address), attempt_of(new.address))


def _changed(reason: str, old: Any, new: Any) -> str:
    return "" if old == new else f"{reason} {old or 'none'} → {new or 'none'}"


def _data(inputs: TrainedModelInputs, covers: bool) -> str:
    """The version, with the start of the digest, which is what decides."""
    found = inputs.covers.data if covers and inputs.covers else inputs.data.digest
    return f"{inputs.data.version} ({found.removeprefix(FORMAT_2)[:8]})"


def _code(inputs: TrainedModelInputs, covers: bool) -> str:
    return (inputs.covers.experiment if covers and inputs.covers else inputs.experiment.digest)[:8]


def _parameters(inputs: TrainedModelInputs) -> str:
    parameters = {**inputs.parameters, "seed": inputs.seed}
    return " ".join(f"{name}={_number(value)}" for name, value in sorted(parameters.items()))


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
