"""What a pipeline does with Studio's services, and what of it a program does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cli.errors import CliError
from cli.services.data_factory.documents import DATASET, LINKED, PIPELINE, TRIGGER, Document, Factory, Json
from cli.services.data_factory.values import Blob, Expression, Secret, plain, secret_name
from clients.names import listed, nearest
from clients.text import redact

TRAINS, UPDATES = "AzureMLBatchExecution", "AzureMLUpdateResource"
_TIMEOUT = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}))?")
_ACCOUNT = re.compile(r"AccountName=([a-z0-9]{3,24})\b|https?://([a-z0-9]{3,24})\.(?:blob|dfs)\.")


@dataclass
class Retraining:
    """A pipeline that trains and updates; *left* is what no program says, *give* what has to be given besides."""

    name: str
    training: Document | None = None
    scoring: Document | None = None
    data: Blob | None = None
    input: str = ""
    model: str = ""
    evaluation: str = ""
    resource: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    minutes: int | None = None
    accounts: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    give: list[str] = field(default_factory=list)


def retraining(factory: Factory, name: str = "") -> Retraining:
    """The pipeline that retrains, or the one called *name*. Raises CliError where there is none, or not one only."""
    pipelines = factory.of(PIPELINE)
    if not pipelines:
        raise CliError(
            "the files hold no pipeline", "give the pipeline's own file: --data-factory pipeline.json"
        )
    updating = [one for one in pipelines if any(kind(a) == UPDATES for a, _ in activities(one.properties))]
    wanted = [one for one in updating if not name or one.name.casefold() == name.casefold()]
    if len(wanted) == 1:
        return _Reading(factory, wanted[0]).done()
    if name:
        raise CliError(
            f"there is no pipeline {name!r} that updates a model; {nearest(name, [one.name for one in updating])}",
            "name one of these: --pipeline NAME",
        )
    if updating:
        raise CliError(
            f"more than one pipeline updates a model: {listed([one.name for one in updating])}",
            "name the one: --pipeline NAME, and -o DIR for each",
        )
    raise CliError(
        f"no activity of {listed([one.name for one in pipelines])} updates a model ({UPDATES}): it retrains nothing",
        "give the pipeline that does; one that scores only needs no program",
    )


def kind(activity: Json) -> str:
    """Its type."""
    return str(activity.get("type", ""))


def activities(body: Json, inside: str = "") -> Iterator[tuple[Json, str]]:
    """All activities, those of loops and conditions as well, each with what it is inside of."""
    for activity in body.get("activities") or []:
        if not isinstance(activity, dict):
            continue
        yield activity, inside
        own = activity.get("typeProperties")
        own = own if isinstance(own, dict) else {}
        name = str(activity.get("name", kind(activity)))
        branches = [own, *(one for one in own.get("cases") or [] if isinstance(one, dict))]
        for branch in branches:
            for key in ("activities", "ifTrueActivities", "ifFalseActivities", "defaultActivities"):
                if isinstance(branch.get(key), list):
                    yield from activities({"activities": branch[key]}, name)


class _Reading:
    """One pipeline."""

    def __init__(self, factory: Factory, pipeline: Document) -> None:
        self._factory, self._pipeline = factory, pipeline
        self._all = list(activities(pipeline.properties))
        self._found = Retraining(pipeline.name)
        declared = pipeline.properties.get("parameters")
        self._declared: Json = declared if isinstance(declared, dict) else {}

    def done(self) -> Retraining:
        """What it does."""
        updates = [one for one, _ in self._all if kind(one) == UPDATES]
        trains = [one for one, _ in self._all if kind(one) == TRAINS]
        if len(updates) > 1:
            raise CliError(
                f"{self._pipeline.name} updates {len(updates)} models: {listed([_name(one) for one in updates])}",
                "a program has one endpoint: give a copy of the pipeline with one of them for each",
            )
        update = updates[0]
        train = self._trainer(update, trains)
        self._update(update)
        self._train(train, update)
        self._rest(train, update)
        return self._found

    def _trainer(self, update: Json, trains: list[Json]) -> Json:
        """The activity that makes the model: by its file, else by the order, else the only one."""
        if not trains:
            raise CliError(
                f"no activity of {self._pipeline.name} trains ({TRAINS}): {_name(update)} binds a model from elsewhere",
                "give the pipeline that trains it too",
            )
        model = self._model_of(update)
        for train in trains:
            if any(_same(model, place) for place in self._outputs(train).values()):
                return train
        before = {str(one.get("activity", "")).casefold() for one in _dicts(update.get("dependsOn"))}
        named = [one for one in trains if _name(one).casefold() in before]
        if len(named) == 1 or len(trains) == 1:
            return (named or trains)[0]
        raise CliError(
            f"which activity trains the model of {_name(update)} can't be told: {listed([_name(one) for one in trains])}",
            "let its dependsOn name the one",
        )

    def _model_of(self, update: Json) -> Any:
        own = _own(update)
        if "trainedModelDatasetName" in own:
            return self._dataset(own["trainedModelDatasetName"])
        return self._blob(own.get("trainedModelFilePath"))

    def _outputs(self, train: Json) -> dict[str, Blob | None]:
        outputs = _own(train).get("webServiceOutputs")
        outputs = outputs if isinstance(outputs, dict) else {}
        return {port: self._place(value) for port, value in outputs.items()}

    def _place(self, value: Any) -> Blob | None:
        """A dataset's name (version 1), or a storage linked service and a path (version 2)."""
        if not isinstance(value, dict):
            return self._dataset(value)
        members = {key.casefold(): one for key, one in value.items()}
        if str(members.get("type", "")) == "DatasetReference":
            return self._dataset(members.get("referencename"))
        self._account(members.get("linkedservicename"))
        return self._blob(members.get("filepath"))

    def _dataset(self, name: Any) -> Blob | None:
        dataset = self._factory.find(DATASET, str(name))
        if dataset is None:
            self._give(f"the dataset {name!s} is not among the files: add its file with --linked-services")
            return None
        self._account(dataset.properties.get("linkedServiceName"))
        own = _own(dataset.properties)
        location = own.get("location")
        if isinstance(location, dict):  # of version 2's formats
            own = {
                "folderPath": f"{location.get('container', '')}/{location.get('folderPath', '')}"
            } | location
            own["folderPath"] = "/".join(
                str(one) for one in (location.get("container"), location.get("folderPath")) if one
            )
        parts = [plain(own.get(key, ""), self._declared) for key in ("folderPath", "fileName")]
        if any(isinstance(one, Expression | Secret) for one in parts):
            self._left(f"the path of the dataset {dataset.name}: it is computed when the pipeline runs")
            return None
        return Blob.parse("/".join(str(one).strip("/") for one in parts if one))

    def _blob(self, value: Any) -> Blob | None:
        text = plain(value, self._declared)
        return Blob.parse(text) if isinstance(text, str) and text else None

    def _account(self, reference: Any) -> None:
        linked = self._linked(reference)
        own = _own(linked.properties) if linked else {}
        for text in (own.get("connectionString"), own.get("serviceEndpoint"), own.get("sasUri")):
            text = text.get("value") if isinstance(text, dict) else text
            found = _ACCOUNT.search(str(text)) if text else None
            if found and (found[1] or found[2]) not in self._found.accounts:
                self._found.accounts.append(found[1] or found[2])

    def _linked(self, reference: Any) -> Document | None:
        name = reference.get("referenceName") if isinstance(reference, dict) else reference
        found = self._factory.find(LINKED, str(name)) if name else None
        if found is None:
            self._give(
                f"the linked service {name!s} is not among the files: add its file with --linked-services"
            )
        return found

    def _update(self, update: Json) -> None:
        self._found.scoring = self._linked(update.get("linkedServiceName"))
        resource = plain(_own(update).get("trainedModelName"), self._declared)
        if isinstance(resource, str) and resource:
            self._found.resource = resource
        elif resource is not None:
            self._left(f"trainedModelName of {_name(update)}: it is computed when the pipeline runs")

    def _train(self, train: Json, update: Json) -> None:
        found, own, name = self._found, _own(train), _name(train)
        found.training = self._linked(train.get("linkedServiceName"))
        inputs = own.get("webServiceInputs")
        inputs = inputs if isinstance(inputs, dict) else {}
        if not inputs and own.get("webServiceInput"):
            inputs = {"": own["webServiceInput"]}
        if not inputs:
            self._left(
                f"the data of {name}: it has no web service input, so that no data version is seen to change"
            )
        for number, (port, value) in enumerate(inputs.items()):
            if number == 0:
                found.input, found.data = port, self._place(value)
            else:
                self._left(f"the input {port} of {name}: a training service is given one data version")
        outputs, model = self._outputs(train), self._model_of(update)
        feeding = [port for port, place in outputs.items() if _same(model, place)]
        found.model = (
            feeding[0] if len(feeding) == 1 else next(iter(outputs), "") if len(outputs) == 1 else ""
        )
        others = [port for port in outputs if port != found.model]
        found.evaluation = others[0] if found.model and len(others) == 1 else ""
        given = own.get("globalParameters")
        for parameter, value in (given if isinstance(given, dict) else {}).items():
            self._parameter(name, parameter, plain(value, self._declared))
        policy = train.get("policy")
        timeout = _TIMEOUT.fullmatch(str(policy.get("timeout"))) if isinstance(policy, dict) else None
        if timeout:
            days, hours, minutes, seconds = (int(one or 0) for one in timeout.groups())
            found.minutes = max(1, days * 1440 + hours * 60 + minutes + (seconds > 0))

    def _parameter(self, name: str, parameter: str, value: Any) -> None:
        where = f"the parameter {parameter!r} of {name}"
        if isinstance(value, Secret) or secret_name(parameter) or redact(str(value)) != str(value):
            self._give(
                f"{where} is a secret and is written nowhere: a parameter is part of the run key, so let the experiment take it from elsewhere"
            )
        elif isinstance(value, Expression) or (isinstance(value, str) and "@{" in value):
            self._left(f"{where}: it is computed when the pipeline runs; write its value below parameters")
        elif isinstance(value, str | int | float):
            self._found.parameters[parameter] = value
        else:
            self._left(f"{where}: it is neither a text nor a number")

    def _rest(self, train: Json, update: Json) -> None:
        """What there is besides."""
        names = {_name(one).casefold(): _name(one) for one, _ in self._all}
        for activity, inside in self._all:
            if activity is train or activity is update:
                if inside:
                    self._left(f"{inside}, which {_name(activity)} is inside of: the program does it once")
            else:
                self._left(f"the activity {_name(activity)} ({kind(activity) or 'of no type'})")
            for one in _dicts(activity.get("dependsOn")):
                wanted = str(one.get("activity", ""))
                if wanted.casefold() not in names:
                    there = nearest(wanted, list(names.values()))
                    self._left(
                        f"{_name(activity)} depends on {wanted!r}, which is no activity here ({there})"
                    )
                elif wanted != names[wanted.casefold()]:
                    self._left(
                        f"{_name(activity)} depends on {wanted!r}, which is no activity here but for its case "
                        f"({names[wanted.casefold()]}): the program trains before it binds anyway"
                    )
        for activity in (train, update):
            policy = activity.get("policy")
            if (
                isinstance(policy, dict)
                and {"retry", "concurrency", "retryIntervalInSeconds"} & policy.keys()
            ):
                self._left(
                    f"retries and concurrency of {_name(activity)}: the program has its own (maxJobs, one at a time)"
                )
        body = self._pipeline.properties
        if {"start", "end", "scheduler"} & body.keys() or any("scheduler" in one for one, _ in self._all):
            self._left(
                f"the schedule of {self._pipeline.name}: ./dev up trains when the data version's content changed"
            )
        for trigger in self._factory.of(TRIGGER):
            if self._pipeline.name.casefold() in str(trigger.properties.get("pipelines", "")).casefold():
                self._left(
                    f"the trigger {trigger.name} ({trigger.properties.get('type')}): run ./dev up as often"
                )

    def _left(self, text: str) -> None:
        if text not in self._found.left:
            self._found.left.append(text)

    def _give(self, text: str) -> None:
        if text not in self._found.give:
            self._found.give.append(text)


def _name(activity: Json) -> str:
    return str(activity.get("name") or kind(activity))


def _own(body: Json) -> Json:
    own = body.get("typeProperties")
    return own if isinstance(own, dict) else {}


def _dicts(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _same(model: Blob | None, output: Blob | None) -> bool:
    """Whether the model's file is what an output writes, or in the folder that it writes to."""
    if model is None or output is None:
        return False
    whole, folder = (f"{one.container}/{one.path}".rstrip("/") for one in (model, output))
    return whole == folder or whole.startswith(f"{folder}/")
