"""One endpoint while a model is bound to it: what it says that it serves, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from clients.errors import BindingFailed, Conflict, RetrainError, ServiceError, Throttled, Unreachable
from clients.protocols import Bindings, Scoring, Services
from clients.storage import BlobRef, Container
from retrain_hooks import probe
from retrain_hooks.adoption import Adopted
from retrain_hooks.lifecycle import Context
from retrain_hooks.notes import UNFINISHED, Note, binding_note
from retrain_hooks.probe import Look, Row

_INCOMPATIBLE = ("ModelOutputMetadataMismatch", "IncompatibleModel")
_REMEDY = "look at the endpoint, then run the update again"


@dataclass
class LiveEndpoint:
    """The endpoint *name* of *service*, whose model *resource* is one of *registry*'s; probed with *rows*.

    *adopted* are models that were not trained here: served from elsewhere, they count as the ones at their addresses.
    """

    context: Context
    services: Services
    service: str
    name: str
    resource: str
    registry: Container
    rows: Sequence[Row] = ()
    adopted: Sequence[Adopted] = ()
    # Models that are not the registry's, by their location: credentials included, so never written anywhere.
    _foreign: dict[str, BlobRef] = field(default_factory=dict, repr=False)

    @cached_property
    def _bindings(self) -> Bindings:
        return self.services.bindings(self.service, self.name)

    @cached_property
    def _scoring(self) -> Scoring:
        return self.services.scoring(self.service, self.name)

    def location(self) -> str:
        """Where the model lies that it says it serves, as the service answers; empty where it serves none.

        Raises BindingFailed where the endpoint is gone.
        """
        for binding in self._bindings.read():
            if binding.resource.lower() == self.resource.lower():
                if binding.model and not binding.location.startswith(f"{self.registry.name}/"):
                    self._foreign[binding.location] = binding.model
                return binding.location
        return ""

    def serves(self) -> str:
        """The address of the model that it says it serves."""
        return self.address_of(self.location())

    def address_of(self, location: str) -> str:
        """A model's address by its location: an adopted one's, or without the registry's name."""
        known = (one.address for one in self.adopted if one.location == location)
        return next(known, location.removeprefix(f"{self.registry.name}/"))

    def surely_serves(self, address: str) -> bool:
        """Whether it says that it serves this model, and nothing that an interrupted update sent can change that."""
        return self.serves() == address and not self.unfinished

    @property
    def unfinished(self) -> bool:
        """Whether it was being bound when an update was interrupted: what that sent may still arrive."""
        return self._note.content() == UNFINISHED

    @cached_property
    def _note(self) -> Note:
        return binding_note(self.context, self.registry, self.service, self.name, self.resource)

    def look(self) -> Look:
        """What it answers now; nothing where there are no rows to ask it for."""
        return probe.look(lambda: self._scoring, self.rows, self.context.clock) if self.rows else Look("")

    def write(self, address: str) -> None:
        """Bind the model at *address*, and read back that the endpoint says so.

        An answer that is lost does not matter if the endpoint then serves the model. Raises BindingFailed where it
        serves another one, naming that.
        """
        self.context.guard.check()
        model = self._model(address)
        begun = self._note.begin(address, lambda wanted: self.serves() == wanted)
        self.context.guard.check()
        lost: RetrainError | None = None
        try:
            self._bindings.write(self.resource, model)
        except (Unreachable, Throttled) as error:
            lost = error
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
            lost = error
        served = self.serves()
        if served == address or lost is None:
            self._note.end(served, begun)
        if served == address:
            return
        if lost is not None:
            raise lost
        raise BindingFailed(
            f"the endpoint {self.name!r} accepted {address} and serves {served or 'nothing'}", _REMEDY
        )

    def forget(self) -> None:
        """It is no longer bound by this stack."""
        self._note.forget()

    def _model(self, address: str) -> BlobRef:
        """How the service gets at a model: in the registry, or else as the endpoint said when it served it."""
        elsewhere = (one.model for one in self.adopted if one.address == address)
        return self._foreign.get(address) or next(elsewhere, None) or self.registry.readable(address)


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
