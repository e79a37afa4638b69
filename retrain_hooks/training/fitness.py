"""Whether a data version can be trained from, as far as its tables' heads and the experiment's graph tell."""

from __future__ import annotations

from clients.errors import ExperimentInvalid
from graph.needs import Needs, needs
from retrain_hooks.data.heads import Heads
from retrain_hooks.experiments.package import load
from retrain_hooks.experiments.published import is_own_code
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.run_key import Covered
from retrain_hooks.training.identity import sent
from retrain_hooks.training.inputs import TrainedModelInputs


def needed(wanted: TrainedModelInputs, covers: Covered) -> Needs:
    """What the experiment's graph asks of its data; nothing where the graph isn't known."""
    if not wanted.source or is_own_code(wanted.source):
        return Needs({})
    return needs(load(wanted.source, "training").definition, sent(wanted, covers))


def hold_data(context: Context, wanted: TrainedModelInputs, covers: Covered) -> None:
    """Refuse data that the experiment's graph cannot be trained from. Raises ConfigurationError naming blob
    and column, ExperimentInvalid where no data would do.

    Of a service that was there before, the graph isn't known, and nothing is said.
    """
    if not wanted.source or is_own_code(wanted.source):
        return
    found = needed(wanted, covers)
    for error in found.lacking:
        raise ExperimentInvalid(f"experiments/{wanted.source}/training.json: {error.message}", error.remedy)
    container = context.data(wanted.target, wanted.data.container)
    Heads(container, context.memory, wanted.data.blobs).hold(
        found, f"the experiment {wanted.experiment.name}"
    )
