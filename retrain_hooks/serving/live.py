"""One endpoint while a model is bound to it: what it says that it serves, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from clients.errors import BindingFailed, Conflict, RetrainError, ServiceError, Throttled, Unreachable
from clients.protocols import Binding, Bindings, Scoring, SharedBindings
from clients.storage import BlobRef
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.notes import UNFINISHED, Note, binding_note
from retrain_hooks.serving import probe
from retrain_hooks.serving.endpoints import Endpoints
from retrain_hooks.serving.probe import Look, Row

_INCOMPATIBLE = ("ModelOutputMetadataMismatch", "IncompatibleModel")
_WHOLE = 100
_NOTHING = "nothing"
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
        found = self._read()
        return found[0].location if found else ""

    def _read(self) -> list[Binding]:
        """Its models, the one with the largest share first."""
        found = self.endpoints.bindings(tuple(self._bindings.read()))
        for one in found:
            if one.model and not one.location.startswith(f"{self.endpoints.registry.name}/"):
                self._foreign[one.location] = one.model
        return found

    def said(self) -> tuple[str, str]:
        """Where the model lies that it says it serves, and its address; of several that share its calls, all of them in words."""
        found = self._read()
        if not found:
            return "", ""
        words = self.endpoints.in_words(found)
        return found[0].location, words or self.endpoints.address_of(found[0].location)

    def serves(self) -> str:
        """The address of the model that it says it serves."""
        return self.endpoints.address_of(self.location())

    def surely_serves(self, address: str) -> bool:
        """Whether it says that it serves this model alone, and nothing that an interrupted update sent can change that."""
        found = self._read()
        return self._is(found, address) and self._by_present_code(found) and not self.unfinished

    def _is(self, found: Sequence[Binding], address: str) -> bool:
        """Whether *found* is the model at *address* alone; none at all, for an empty one."""
        served = [self.endpoints.address_of(one.location) for one in found]
        return served == ([address] if address else [])

    def _by_present_code(self, found: Sequence[Binding]) -> bool:
        """Whether what serves it is made of what its service publishes now, as far as that can differ."""
        graph = self.endpoints.place.graph
        return all(not one.code or not graph or one.code == graph for one in found)

    def share(self, address: str) -> int:
        """How many percent of its calls the model at *address* answers, by its service's present code."""
        found = [one for one in self._read() if self.endpoints.address_of(one.location) == address]
        return sum(one.share for one in found if self._by_present_code([one]))

    @property
    def shares(self) -> bool:
        """Whether its calls can be shared among several models."""
        return isinstance(self._bindings, SharedBindings)

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

    def write(self, address: str, share: int = 100) -> None:
        """Bind the model at *address* (empty: none), and read back that the endpoint says so.

        With a smaller *share* (percent), where it shares its calls, the model that it serves keeps the rest. An answer that
        is lost does not matter if the endpoint then serves the model. Raises BindingFailed where it serves another one,
        naming that.
        """
        guard = self.endpoints.context.guard
        guard.check()
        model = self._model(address) if address else None
        begun = self._note.begin(address, lambda wanted: self._is(self._read(), wanted))
        guard.check()
        try:
            lost = self._send(address, model, share, begun)
        finally:
            self.endpoints.changed(self.name)
            self.__dict__.pop(
                "_scoring", None
            )  # what answers on staging is another deployment, where a kind has those
        served, there = self.serves(), self._there(address, share)
        if there or lost is None:
            self._note.end(served or _NOTHING, begun)
        if there:
            return
        if lost is not None:
            raise lost
        said = self.endpoints.in_words(self._read()) or served
        raise BindingFailed(
            f"the endpoint {self.name!r} accepted {address or 'nothing'} and serves {said or 'nothing'}",
            LOOK_AT_IT,
        )

    def _there(self, address: str, share: int) -> bool:
        """Whether it serves what it was given."""
        if share < _WHOLE:
            return self.share(address) >= share
        return self._is(self._read(), address)

    def _send(self, address: str, model: BlobRef | None, share: int, begun: str) -> RetrainError | None:
        """Ask for *model* to be served; an error that leaves open whether it will be. Raises what leaves no doubt."""
        bindings, resource = self._bindings, self.endpoints.place.resource
        try:
            if isinstance(bindings, SharedBindings):
                bindings.withdraw() if model is None else bindings.move(resource, model, share)
            elif model is not None:
                bindings.write(resource, model)
        except BindingFailed:
            self._note.end(self.serves() or _NOTHING, begun)  # nothing is on its way
            raise
        except (Unreachable, Throttled) as error:
            return error
        except ServiceError as error:
            if refused := _is_refusal(error):
                self._note.end(self.serves() or _NOTHING, begun)  # nothing is on its way
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

    def mirror(self, address: str, share: int) -> None:
        """Let the model at *address* answer a copy of *share* percent of the calls, where they can be shared."""
        if isinstance(self._bindings, SharedBindings):
            model = self._model(address)
            self.endpoints.context.guard.check()
            self._bindings.mirror(self.endpoints.place.resource, model, share)

    def put_back(self) -> bool:
        """Share its calls again as they were before this rollout; whether that changed anything."""
        if not isinstance(self._bindings, SharedBindings):
            return False
        self.endpoints.context.guard.check()
        try:
            return self._bindings.put_back()
        finally:
            self.endpoints.changed(self.name)

    def retire(self, keep: int) -> None:
        """Let go of models that it could serve and doesn't, but the *keep* last ones."""
        if isinstance(self._bindings, SharedBindings):
            self.endpoints.context.guard.check()
            self._bindings.retire(keep)

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
