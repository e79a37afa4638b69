"""What a kind of web service must be able to do, whatever its wire looks like.

A kind is one folder that offers these; dynamic providers know nothing else of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, runtime_checkable

from clients.storage import BlobRef
from clients.text import told


class JobState(Enum):
    """Where a training job stands."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    FINISHED = "Finished"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    LOST = "Lost"

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self not in (JobState.NOT_STARTED, JobState.RUNNING)


@dataclass(frozen=True)
class JobStatus:
    """One look at a job: *results* by output name when finished, *details* the service's own error text.

    *progress* names the running module and *rows* its input rows, where the service tells. Their texts are the job's own,
    and pass the door for text from outside.
    """

    state: JobState
    results: Mapping[str, BlobRef]
    details: str = ""
    progress: str = ""
    rows: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", told(self.details))
        object.__setattr__(self, "progress", told(self.progress, 200))


class Jobs(Protocol):
    """Jobs of one training service."""

    def create(
        self,
        name: str,
        inputs: Mapping[str, BlobRef],
        outputs: Mapping[str, BlobRef],
        parameters: Mapping[str, str],
        seconds: float = math.inf,
    ) -> str:
        """Submit a job, which may run for so many *seconds* where the service ends what takes longer; its id.

        *name* is the run's own. Where the service lets us name jobs, that is the id, and who submits it again meets the
        same job; where it gives ids, it does not start the job before it is told to.
        """

    def start(self, job: str) -> None:
        """Start it, where submitting did not; one that was started already is not an error."""

    def status(self, job: str) -> JobStatus:
        """Look at it; state LOST where the service does not know it."""

    def cancel(self, job: str) -> None:
        """Stop and forget it; one that is gone is not an error."""

    def fetch(self, result: BlobRef) -> bytes:
        """The content of a result."""

    def gather(self, model: BlobRef) -> None:
        """Make one blob of a trained *model*, at its place in the registry, where the job left it in another form."""

    def register(self, model: BlobRef, tags: Mapping[str, str]) -> None:
        """Enter a trained *model* in the service's own register, where it has one, with what is known of it."""


@dataclass(frozen=True)
class Binding:
    """What an endpoint serves: the updatable *resource*'s name and the *location* (``container/path``) of its model.

    *model* is what the service itself says that it is read from, credential included, for binding it again. An endpoint may
    share its calls among several models: *share* is this one's, in percent. *code* is the digest of what it is served by,
    where that can differ from what its service publishes now. An empty *resource* stands for any.
    """

    resource: str
    location: str
    model: BlobRef | None = field(default=None, repr=False, compare=False)
    share: int = 100
    code: str = ""


class Bindings(Protocol):
    """Which model one endpoint serves."""

    def read(self) -> list[Binding]:
        """What it serves now, the largest share first; BindingFailed where there is no such endpoint."""

    def write(self, resource: str, model: BlobRef) -> None:
        """Make it serve *model*; returns when the service says that this is done."""


@runtime_checkable
class SharedBindings(Bindings, Protocol):
    """The models of an endpoint that shares its calls among several."""

    def move(self, resource: str, model: BlobRef, share: int) -> None:
        """Let *model* get *share* percent of the calls, and what is served now the rest."""

    def mirror(self, resource: str, model: BlobRef, share: int) -> None:
        """Let *model* answer a copy of *share* percent of the calls, which nobody hears; it gets none of its own."""

    def withdraw(self) -> None:
        """Let it serve nothing."""

    def put_back(self) -> bool:
        """Share the calls again as they were when this first changed that; whether it ever did."""

    def retire(self, keep: int) -> None:
        """Let go of models that it could serve and doesn't, but the *keep* that it served last."""


@runtime_checkable
class SharedEndpoints(Protocol):
    """Services whose endpoints have deployments with the models of several members."""

    def members(self, service: str, endpoint: str) -> Mapping[str, Sequence[Binding]]:
        """The models of those that share an *endpoint*, by the slot of each. Raises NotFound."""


class Scoring(Protocol):
    """Request-response scoring of one endpoint."""

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        """The first output's rows for *rows* of the first input; values as the service wrote them."""


@runtime_checkable
class NamedScoring(Scoring, Protocol):
    """Scoring by a service that says which of an endpoint's deployments answered."""

    answered_by: str
    """Who answered last; empty where the service didn't say."""


CLASSIC, NEW, AZUREML = "classic", "new", "azureml"
KINDS = (CLASSIC, NEW, AZUREML)
DEFAULT_ENDPOINT = "default"


@dataclass(frozen=True)
class EndpointFound:
    """An endpoint as its service describes it.

    *url* is where it answers, in the kind's own form, *update_url* where its model is replaced, *region_urls*
    the data plane in other regions by their names, *models* what it serves.
    """

    name: str
    url: str
    update_url: str
    help_url: str
    description: str
    region_urls: Mapping[str, str] = field(default_factory=dict)
    models: tuple[Binding, ...] = ()


@dataclass(frozen=True)
class CodePackage:
    """Code that is run or served, ready to be published: its *files* by name, and how it is run, as *settings* of plain values.

    *digest* stands for the whole of it, *environment* for what it runs in (64 hex each).
    """

    settings: Mapping[str, Any]
    files: Mapping[str, bytes]
    digest: str
    environment: str = ""


@dataclass(frozen=True)
class Deployable:
    """An experiment as a kind takes it: the *graph* itself, or *code* that runs it."""

    graph: Mapping[str, Any]
    code: Callable[[], CodePackage] | None = None


@dataclass(frozen=True)
class Published:
    """A deployed experiment: the ids of the experiment and of the web service, and its default endpoint's, where the kind has them."""

    experiment: str
    service: str
    endpoint: str


@dataclass(frozen=True)
class Contract:
    """What a web service says of itself: the names of its ports and parameters, as far as it tells.

    *feeds* says which module port each output comes from, *resources* which trained models can be replaced; *digest*
    stands for the definition (64 hex; another model does not change it), empty where the service shows none.
    """

    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    feeds: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[str, ...] = ()
    digest: str = ""


class Services(Protocol):
    """The web services of one kind in one workspace. *service* is a web service's id as that kind has it."""

    def find(self, name: str) -> tuple[str, EndpointFound | None] | None:
        """The id and the default endpoint of the web service called *name*; None where there is none."""

    def exists(self, service: str) -> bool:
        """Whether the web service is there."""

    def contract(self, service: str) -> Contract | None:
        """What the web service says of itself; None where it is not there."""

    def publish(
        self,
        name: str,
        experiment: Deployable,
        models: Mapping[str, BlobRef],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Deploy an experiment as the web service *name*; again: over the one that is there.

        *models* are the trained models it starts with, by the names of what they replace. *before_write* is called
        before each call that changes something.
        """

    def unpublish(self, service: str, experiment: str) -> None:
        """Delete a web service with its endpoints, and the experiment it was deployed from, where one is named."""

    def endpoint(self, service: str, name: str) -> EndpointFound | None:
        """The endpoint called *name*; None where there is none."""

    def key(self, service: str, name: str) -> str:
        """The primary key of an endpoint's data plane. Raises NotFound."""

    def put_endpoint(self, service: str, name: str, description: str) -> None:
        """Create an endpoint as a copy of the default one, or change the description of one that is there."""

    def refresh_endpoint(self, service: str, name: str) -> None:
        """Give an endpoint the graph that its service has now; it keeps the model that it serves."""

    def delete_endpoint(self, service: str, name: str) -> None:
        """Delete an endpoint; one that is gone is not an error."""

    def jobs(self, service: str) -> Jobs:
        """Jobs of a training service."""

    def bindings(self, service: str, endpoint: str) -> Bindings:
        """The model that an endpoint serves."""

    def served(self, service: str) -> dict[str, list[Binding]]:
        """The models that all endpoints of a service serve, by the endpoint's name. Raises NotFound."""

    def listed(self, service: str) -> Mapping[str, Sequence[Binding] | None]:
        """All endpoints of a service by name, in one list call; None for the models where a list doesn't tell them.

        Raises NotFound.
        """

    def scoring(self, service: str, endpoint: str) -> Scoring:
        """Scoring by an endpoint. Raises NotFound."""
