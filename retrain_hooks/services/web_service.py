"""A published experiment: the training web service and the predictive one are both this."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from clients.azureml import regions
from clients.errors import ConfigurationError, CredentialError, ExperimentInvalid, NotFound, ServiceError
from clients.protocols import AZUREML, CLASSIC, DEFAULT_ENDPOINT, KINDS, EndpointFound, Services
from clients.storage import BlobRef
from retrain_hooks.experiments.package import load
from retrain_hooks.experiments.published import Publishable, load_for
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.host.references import ExperimentRef, ModelRef, ServiceRef, WorkspaceRef
from retrain_hooks.ownership import things
from retrain_hooks.ownership.claims import NOBODY, Claims, OwnerRef, to_write
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Marker, Markers
from retrain_hooks.registry.notes import Note, publication_note
from retrain_hooks.registry.owners import Thing
from retrain_hooks.registry.run_key import digest
from retrain_hooks.services.adopted_service import AdoptedService
from retrain_hooks.serving.endpoints import changed_service

PREDICTIVE = "predictive"


@dataclass(frozen=True)
class WebServiceInputs(Inputs):
    """What is published, where, and under which name."""

    target: str = prop("name of the target", identity=True)
    workspace: WorkspaceRef = prop("the workspace that it is in", identity=True)
    kind: str = prop("the kind of web service", default=CLASSIC, choices=KINDS, identity=True, called="kind")
    name: str = prop("its name; a default name once given stays", default="", identity=True)
    default_name: str = prop("the name that a new one gets where none is given", default="")
    part: str = prop("what it does", default="training", choices=("training", PREDICTIVE), identity=True)
    source: str = prop("folder below experiments/ that it is published from", default="")
    model: ModelRef | None = prop("the baseline that a predictive service starts with", default=None)
    location: str = prop("region of a workspace of Azure ML v2 that the program makes", default="")
    plan: str | None = prop("commitment plan (ARM id) that pays for a New one", default=None)
    regions: tuple[str, ...] = prop("regions that a New one is published in besides its own", default=())
    owner: OwnerRef | None = prop("who owns it; filled in by the component", default=None)
    existing: str | None = prop("a service that is there already: its id or URL", default=None)
    experiment: ExperimentRef | None = prop(
        "digest and ports of what is published", default=None, output=True
    )
    service: ServiceRef | None = prop("reference to the service", default=None, output=True)
    url: str = prop("where its default endpoint answers", default="", output=True)
    published: str = prop(
        "what an interrupted update has published; gone: the service is not there any more",
        default="",
        output=True,
    )
    experiment_id: str = prop("id of the experiment behind it", default="", output=True)
    endpoint: str = prop("id of a classic service's default endpoint", default="", output=True)
    incarnation: str = prop("which create made it", default="", output=True)
    remark: str = prop("whom its mark names, where that is to be this owner", default="", output=True)

    @property
    def content(self) -> str:
        """What of the inputs is published; empty where that is not known yet."""
        if not known(self.model) or self.experiment is None:
            return ""
        model = self.model.props() if self.model else None
        return digest({"experiment": self.experiment.digest, "model": model})

    @property
    def serves_baseline(self) -> bool:
        """Whether it has a default endpoint, which serves the baseline; of Azure ML v2 none has."""
        return self.part == PREDICTIVE and self.kind != AZUREML

    @property
    def placed(self) -> bool:
        """Whether it is known where it is."""
        return known(self.target, self.kind, self.workspace, self.name, self.part)

    def changed_by(self, other: WebServiceInputs) -> bool:
        """Whether *other* publishes something else, here."""
        return (self.experiment, self.model, self.regions) != (other.experiment, other.model, other.regions)

    @property
    def service_thing(self) -> Thing:
        """The service as the workspace knows it."""
        return things.web_service(self.kind, self.workspace, self.name)

    @property
    def experiment_thing(self) -> Thing:
        """The experiment behind it."""
        return things.experiment(self.workspace, self.name)


class WebServiceLifecycle:
    """Publishes ``experiments/<source>/<part>.json`` as a web service of a workspace (inputs: WebServiceInputs).

    Outputs: ``service``, ``endpoint`` (a classic service's default one's GUID), ``url``. With ``existing`` nothing is
    published: see AdoptedService.
    """

    inputs = WebServiceInputs

    def __init__(self, context: Context) -> None:
        self._context = context
        self._adopted = AdoptedService(context)

    def check(self, new: Props, old: Props) -> Props:
        """Add the name, ``experiment`` (digest and port names, read from the package), and the addresses of one that is
        there. And ``published`` where that is something else than the last update says, since one was interrupted.

        Refuses what another owns. Raises ConfigurationError, ExperimentInvalid.
        """
        if new.get("existing"):
            return self._adopted.check(new)
        before = WebServiceInputs.parse(old, recorded=True) if old and not old.get("existing") else None
        wanted = _named(WebServiceInputs.parse(new), before)
        wanted = replace(wanted, experiment=self._load(wanted).reference())
        if wanted.kind != AZUREML and known(wanted.target):
            self._refuse_scripts(wanted)
        if wanted.kind == AZUREML and before is None and known(wanted.location) and wanted.location:
            self._refuse_region(wanted)
        if not wanted.placed:
            return wanted.props()
        found = self._services(wanted).find(wanted.name)
        here = before is not None and not wanted.moved(before)
        claims = self._claims(wanted, before)
        remark = claims.refuse(wanted.service_thing, there=found is not None, ours=here)
        if here and claims.lost(wanted.experiment_thing):
            remark = remark or NOBODY
        if not here:
            return replace(wanted, remark=remark).props()
        if found is None:
            return replace(wanted, published=things.GONE).props()
        wanted = self._addressed(wanted, *found)
        noted = self._publication(wanted).content()
        assert before is not None
        return replace(
            wanted, published="" if noted in (None, before.content) else noted, remark=remark
        ).props()

    def _refuse_scripts(self, wanted: WebServiceInputs) -> None:
        """Raise ExperimentInvalid for a graph with scripts where the local cloud runs none."""
        scripts = load(wanted.source, wanted.part).scripts  # type: ignore[arg-type]
        if scripts and not self._context.target(wanted.target).runs_scripts:
            raise ExperimentInvalid(
                f"experiments/{wanted.source}/{wanted.part}.json: {scripts[0]} runs a script, and the local cloud was "
                "started without --allow-scripts",
                "./dev cloud start --allow-scripts, if you trust the script",
            )

    def _refuse_region(self, wanted: WebServiceInputs) -> None:
        """Raise ConfigurationError for a region without the service, as far as the signed-in may know."""
        arm = self._context.resource_manager(wanted.target, regions.API_VERSION)
        question = ("region", wanted.target, wanted.location)
        with suppress(CredentialError):
            self._context.memory.once(question, lambda: regions.refuse_region(arm, wanted.location))

    def _addressed(
        self, inputs: WebServiceInputs, service: str, default: EndpointFound | None
    ) -> WebServiceInputs:
        """With the reference to the service, and where its default endpoint answers."""
        if inputs.kind == AZUREML:
            reference = ServiceRef(service, inputs.workspace, kind=inputs.kind)
            return replace(inputs, service=reference)
        if default is None:
            return inputs
        workspace = replace(
            inputs.workspace,
            id=inputs.workspace.id or self._context.workspace_id(inputs.target, inputs.workspace.resource),
        )
        reference = ServiceRef(service, workspace, kind=inputs.kind, plan=inputs.plan)
        return replace(inputs, service=reference, url=default.url)

    def _load(self, inputs: WebServiceInputs) -> Publishable:
        return load_for(inputs.kind, inputs.source, inputs.part)  # type: ignore[arg-type]

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or place is another service, and so is what takes the place of one that is gone; another graph or
        baseline is published over the old one.
        """
        if new.get("existing"):
            return self._adopted.diff(old, new)
        if old.get("existing"):
            return Diff(True, ("existing",))
        before, wanted = (
            WebServiceInputs.parse(old, recorded=True),
            WebServiceInputs.parse(new, recorded=True),
        )
        replaces = wanted.moved(before) + ("published",) * (wanted.published == things.GONE)
        changed = before.changed_by(wanted) or wanted.published not in ("", wanted.content)
        return Diff(bool(replaces) or changed or to_write(wanted.remark, before.incarnation), replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Publish. Called again after a crash it finds the service by its name."""
        if new.get("existing"):
            outputs = self._adopted.check(new)
            return outputs["service"]["id"], outputs
        outputs = self._publish(WebServiceInputs.parse(new), None)
        return outputs["service"]["id"], outputs

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Publish over the old one: ids, keys and further endpoints stay. Where its owner alone has changed, move its mark."""
        if new.get("existing"):
            return self._adopted.check(new)
        before, wanted = (
            WebServiceInputs.parse(old, recorded=True),
            WebServiceInputs.parse(new, recorded=True),
        )
        if before.changed_by(wanted) or wanted.published not in ("", wanted.content):
            return self._publish(wanted, before)
        incarnation = self._take(wanted, before)
        kept = replace(before, owner=wanted.owner, incarnation=incarnation, remark="", plan=wanted.plan)
        return kept.props()

    def _take(self, wanted: WebServiceInputs, before: WebServiceInputs | None) -> str:
        """Claim service and experiment before they are changed; the incarnation that they bear."""
        self._context.guard.check()
        there = before is None and self._services(wanted).find(wanted.name) is not None
        return self._claims(wanted, before).take(
            # An experiment without a mark may be one that the service replaced had: the service decides.
            {wanted.service_thing: there, wanted.experiment_thing: False},
            before.incarnation if before else "",
        )

    def _publish(self, wanted: WebServiceInputs, before: WebServiceInputs | None) -> Props:
        context, services = self._context, self._services(wanted)
        incarnation = self._take(wanted, before)
        note = self._publication(wanted)
        begun = note.begin()
        published = services.publish(
            wanted.name, self._load(wanted).deployable, self._models(wanted), context.guard.check
        )
        changed_service(context, wanted.target, published.service)
        note.end(wanted.content, begun)
        default = services.endpoint(published.service, DEFAULT_ENDPOINT)
        outputs = self._addressed(wanted, published.service, default)
        if outputs.service is None:
            raise ServiceError(
                f"the web service {wanted.name!r} was published and is not there",
                "see who else deletes it, then run the update again",
            )
        if wanted.serves_baseline:
            self._markers(wanted).mark(_marker(outputs))
        return replace(
            outputs,
            published="",
            experiment_id=published.experiment,
            endpoint=published.endpoint,
            incarnation=incarnation,
            remark="",
        ).props()

    def _models(self, inputs: WebServiceInputs) -> dict[str, BlobRef]:
        if not inputs.serves_baseline:
            return {}
        assert inputs.model is not None
        assert inputs.experiment is not None
        location = Ledger(self._context.registry(inputs.target)).hand_over(
            inputs.model.address, inputs.model.sha256
        )
        return {inputs.experiment.resource: location}

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded service, or None where the workspace holds it no more."""
        if old.get("existing"):
            return self._adopted.read(old)
        return (old, old) if self._exists(WebServiceInputs.parse(old, recorded=True), id_) else None

    def _exists(self, recorded: WebServiceInputs, id_: str) -> bool:
        """Whether it is there; with its workspace it is gone, too."""
        try:
            return self._services(recorded).exists(id_)
        except NotFound:
            return False

    def delete(self, id_: str, old: Props) -> None:
        """Delete the service with its endpoints, and its experiment, as far as they are this resource's still.

        Raises ConfigurationError where an endpoint of it is somebody's: it was retained, or is another stack's.
        """
        if old.get("existing"):
            return
        recorded = WebServiceInputs.parse(old, recorded=True)
        claims = self._claims(recorded, None)
        service, experiment = recorded.service_thing, recorded.experiment_thing
        self._context.guard.check()
        if not claims.may_delete(service, recorded.incarnation):
            self._context.progress.info(f"the web service {recorded.name!r} stays: it was taken over since")
            return
        if recorded.kind == CLASSIC:
            self._refuse_with_endpoints(claims, recorded, id_)
        note = self._publication(recorded)
        note.begin()
        owned = claims.may_delete(experiment, recorded.incarnation)
        with suppress(NotFound):  # its workspace is gone, and all that was in it
            self._services(recorded).unpublish(id_, recorded.experiment_id if owned else "")
        changed_service(self._context, recorded.target, id_)
        self._context.target(recorded.target).forget_workspace(recorded.workspace.resource)
        note.forget()
        claims.release(experiment, recorded.incarnation)
        claims.release(service, recorded.incarnation)
        if recorded.serves_baseline:
            self._markers(recorded).unmark(_marker(replace(recorded, service=_reference(recorded, id_))))

    def _refuse_with_endpoints(self, claims: Claims, recorded: WebServiceInputs, id_: str) -> None:
        if not self._exists(recorded, id_):
            return
        for name in self._services(recorded).served(id_):
            owner = claims.kept_for(things.endpoint(_reference(recorded, id_), name))
            if owner is not None:
                raise ConfigurationError(
                    f"the web service {recorded.name!r} is kept: its endpoint {name!r} belongs to {owner}",
                    "delete that endpoint first, or retain the web service with it (retain_on_delete)",
                )

    def _services(self, inputs: WebServiceInputs) -> Services:
        return self._context.services(inputs.target, inputs.props())

    def _claims(self, inputs: WebServiceInputs, before: WebServiceInputs | None) -> Claims:
        return Claims(self._context, inputs.target, inputs.owner, before.owner if before else None)

    def _publication(self, inputs: WebServiceInputs) -> Note:
        registry = self._context.registry(inputs.target)
        name = inputs.name if inputs.kind == CLASSIC else f"{inputs.kind}:{inputs.name}"
        return publication_note(self._context, registry, inputs.workspace.props(), name)

    def _markers(self, inputs: WebServiceInputs) -> Markers:
        return Markers(self._context.registry(inputs.target))


def _named(wanted: WebServiceInputs, before: WebServiceInputs | None) -> WebServiceInputs:
    """With the name that it has, or else gets: a default name stays for as long as the experiment does."""
    if wanted.name:
        return wanted
    kept = before is not None and before.name and before.source == wanted.source
    return replace(wanted, name=before.name if before and kept else wanted.default_name)


def _reference(inputs: WebServiceInputs, id_: str) -> ServiceRef:
    return inputs.service or ServiceRef(id_, inputs.workspace, kind=inputs.kind)


def _marker(inputs: WebServiceInputs) -> Marker:
    """The baseline, which the default endpoint serves for as long as the service is not published anew."""
    assert inputs.service is not None
    assert inputs.experiment is not None
    assert inputs.model is not None
    return Marker(
        inputs.target,
        inputs.service.id,
        inputs.workspace.props(),
        DEFAULT_ENDPOINT,
        inputs.experiment.resource,
        inputs.model.address,
    )
