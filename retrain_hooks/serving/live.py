"""One endpoint while a model is bound to it: what it says that it serves, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from clients.errors import BindingFailed, Conflict, RetrainError, ServiceError, Throttled, Unreachable
from clients.protocols import Bindings, Scoring
from clients.storage import BlobRef
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.notes import UNFINISHED, Note, binding_note
from retrain_hooks.serving import probe
from retrain_hooks.serving.endpoints import Endpoints
from retrain_hooks.serving.probe import Look, Row

_INCOMPATIBLE = ("ModelOutputMetadataMismatch", "IncompatibleModel")
LOOK_AT_IT = "look at the endpoint, then run the update again"


@dataclass
class LiveEndpoint:
    """One of *endpoints* by its *name*, asked anew each time; probed with *rows*.

    *sha256* is what is known of the model at an address, where its run's record is lost.
    """

    endpoints: Endpoints
    name: str
    rows: Sequence[Row] = ()
    sha256: Callable[[str], str] = lambda _address: ""
    # Models that are not the registry's, by their location: credentials included, so never written anywhere.
    _foreign: dict[str, BlobRef] = field(default_factory=dict, repr=False)

    @property
    def _service(self) -> str:
        return self.endpoints.place.service.id

    @cached_property
    def _bindings(self) -> Bindings:
        return self.endpoints.services.bindings(self._service, self.name)

    @cached_property
    def _scoring(self) -> Scoring:
        return self.endpoints.services.scoring(self._service, self.name)

    def location(self) -> str:
        """Where the model lies that it says it serves, as the service answers; empty where it serves none.

        Raises BindingFailed where the endpoint is gone.
        """
        binding = self.endpoints.binding(tuple(self._bindings.read()))
        if binding is None:
            return ""
        if binding.model and not binding.location.startswith(f"{self.endpoints.registry.name}/"):
            self._foreign[binding.location] = binding.model
        return binding.location

    def serves(self) -> str:
        """The address of the model that it says it serves."""
        return self.endpoints.address_of(self.location())

    def surely_serves(self, address: str) -> bool:
        """Whether it says that it serves this model, and nothing that an interrupted update sent can change that."""
        return self.serves() == address and not self.unfinished

    @property
    def unfinished(self) -> bool:
        """Whether it was being bound when an update was interrupted: what that sent may still arrive."""
        return self._note.content() == UNFINISHED

    @cached_property
    def _note(self) -> Note:
        return binding_note(
            self.endpoints.context,
            self.endpoints.registry,
            self._service,
            self.name,
            self.endpoints.place.resource,
        )

    def look(self) -> Look:
        """What it answers now; nothing where there are no rows to ask it for."""
        clock = self.endpoints.context.clock
        return probe.look(lambda: self._scoring, self.rows, clock) if self.rows else Look("")

    def write(self, address: str) -> None:
        """Bind the model at *address*, and read back that the endpoint says so.

        An answer that is lost does not matter if the endpoint then serves the model. Raises BindingFailed where it
        serves another one, naming that.
        """
        guard = self.endpoints.context.guard
        guard.check()
        model = self._model(address)
        begun = self._note.begin(address, lambda wanted: self.serves() == wanted)
        guard.check()
        try:
            lost = self._send(address, model, begun)
        finally:
            self.endpoints.changed(self.name)
        served = self.serves()
        if served == address or lost is None:
            self._note.end(served, begun)
        if served == address:
            return
        if lost is not None:
            raise lost
        raise BindingFailed(
            f"the endpoint {self.name!r} accepted {address} and serves {served or 'nothing'}", LOOK_AT_IT
        )

    def _send(self, address: str, model: BlobRef, begun: str) -> RetrainError | None:
        """Ask for *model* to be served; an error that leaves open whether it will be. Raises what leaves no doubt."""
        try:
            self._bindings.write(self.endpoints.place.resource, model)
        except (Unreachable, Throttled) as error:
            return error
        except ServiceError as error:
            if refused := _is_refusal(error):
                self._note.end(self.serves(), begun)  # nothing is on its way
            if error.code in _INCOMPATIBLE:
                raise BindingFailed(
                    f"the endpoint {self.name!r} can't serve {address}: its outputs are not those of the model that "
                    f"it serves, {self.serves()} ({error.code})",
                    "publish a predictive experiment that fits the model, or declare the one that trained it",
                    request_id=error.request_id,
                ) from None
            if refused or isinstance(error, Conflict):
                raise
            return error
        return None

    def forget(self) -> None:
        """It is no longer bound by this stack."""
        self._note.forget()

    def _model(self, address: str) -> BlobRef:
        """How the service gets at a model: in the registry, or else as the endpoint said when it served it."""
        if address in self._foreign:
            return self._foreign[address]
        adopted = self.endpoints.adopted(address)
        return (adopted and adopted.model) or Ledger(self.endpoints.registry).hand_over(
            address, self.sha256(address)
        )


def _is_refusal(error: ServiceError) -> bool:
    """Whether the service says that it has not done it, and isn't about to.

    It doesn't where half of an answer came, or where something else is being done to the endpoint: that may be what an
    earlier request of ours began.
    """
    if error.code in _INCOMPATIBLE:
        return True
    if isinstance(error, Conflict):
        return False
    return 400 <= error.status < 500 or bool(error.code and not error.status)
