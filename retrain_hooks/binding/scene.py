"""What a rollout, and the way back from one that failed, work with: the endpoints, and what is known of models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from retrain_hooks.binding.inputs import ModelBindingInputs, ProbeInputs
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Markers
from retrain_hooks.registry.run_key import key_of
from retrain_hooks.serving.endpoints import Endpoints
from retrain_hooks.serving.live import LiveEndpoint
from retrain_hooks.serving.probe import Row


@dataclass
class Scene:
    """The endpoints of one binding, which is to be as *wanted* and was as *old*; they are probed with *rows*."""

    context: Context
    wanted: ModelBindingInputs
    old: ModelBindingInputs | None
    rows: Sequence[Row]
    endpoints: Endpoints
    more: Callable[[], Sequence[Row]] = tuple  # further rows, for models that answer these alike
    _live: dict[str, LiveEndpoint] = field(default_factory=dict)

    def live(self, name: str) -> LiveEndpoint:
        """An endpoint, the same at each call: it remembers how the service gets at a model that isn't the registry's."""
        return self._live.setdefault(name, LiveEndpoint(self.endpoints, name, self.rows, self._sha256))

    def probe_with(self, rows: Sequence[Row]) -> None:
        """Probe with other *rows* from now on."""
        self.rows = rows
        for endpoint in self._live.values():
            endpoint.rows = rows

    @property
    def staging(self) -> LiveEndpoint | None:
        """The endpoint where a model is put first; None where nothing can be probed."""
        return self.live(self.wanted.staging) if self.rows else None

    @property
    def deadline(self) -> float:
        """How many seconds an endpoint may take to answer as the model that it is to serve."""
        return self._probe.deadline

    @property
    def settle(self) -> float:
        """How many seconds it must then stay so."""
        return self._probe.settle

    @property
    def _probe(self) -> ProbeInputs:
        return self.wanted.probe or ProbeInputs(())

    @property
    def as_left(self) -> bool:
        """Whether all endpoints still serve the model that the last update that succeeded has bound."""
        old = self.old
        return old is not None and all(
            self.live(name).surely_serves(old.address) for name in self.wanted.endpoints
        )

    def mark(self, endpoint: str, address: str) -> None:
        """Record what an endpoint was seen to serve."""
        owner = self.wanted.owner.owner if self.wanted.owner else None
        Markers(self.endpoints.registry).mark(
            self.wanted.marker(endpoint, address), owner, self.wanted.incarnation
        )

    def equal(self, one: str, other: str) -> bool:
        """Whether two addresses are known to hold the same content: a lost model is trained again to the same bytes, also
        where nobody knows any more which those were.
        """
        if one == other:
            return True
        hashes = {self._sha256(address) for address in (one, other)}
        return len(hashes) == 1 if all(hashes) else key_of(one) == key_of(other) != ""

    def measured_alike(self, one: str, other: str) -> bool:
        """Whether the training service measured the same of two models, to the last digit."""
        runs = [Ledger(self.endpoints.registry).at(address) for address in (one, other)]
        metrics = [run.metrics for run in runs if run and run.metrics]
        return len(metrics) == 2 and metrics[0] == metrics[1]

    def _sha256(self, address: str) -> str:
        """The hash of a model, as it was declared, or else as the ledger has it; empty where nobody knows."""
        declared = {each.address: each.sha256 for each in (self.old, self.wanted) if each}
        if declared.get(address):
            return declared[address]
        run = Ledger(self.endpoints.registry).at(address)
        return run.sha256 if run else ""
