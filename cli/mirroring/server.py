"""MLflow's tracking server, by MLflow's own client: what is there, and each write; errors as cause and remedy."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from cli.errors import CliError, one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from cli.mirroring.facts import MirroredRun

PREFIX = "retrain."
KEY, REGISTRY, DIGEST, MODEL, ALIAS = (
    f"{PREFIX}{name}" for name in ("key", "registry", "digest", "model", "alias.")
)
_UNKNOWN_THERE = ("ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED")
_NOBODY = ("UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED")
_NO_ANSWER = re.compile("failed with exception|Max retries exceeded")
_PAGE = 1000
# A verb that somebody waits for: MLflow's own are minutes.
_MANNERS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
T = TypeVar("T")


class NoModels(Exception):
    """The server keeps no registered models, or no aliases."""


@dataclass(frozen=True)
class ThereRun:
    """A run as the server has it; *deleted* by somebody there."""

    id: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    deleted: bool


@dataclass(frozen=True)
class ThereModel:
    """A registered model as the server has it: *versions* by where their models lie here, each its number and tags."""

    tags: Mapping[str, str]
    aliases: Mapping[str, str]
    versions: Mapping[str, tuple[str, Mapping[str, str]]]


class Server:
    """The server at *uri*; *writes* counts what was written."""

    def __init__(self, uri: str, client: MlflowClient) -> None:
        self.uri = uri
        self.writes = 0
        self._client = client

    @classmethod
    def at(cls, uri: str) -> Server:
        """The server there, with the credentials of MLflow's own environment variables. Raises CliError."""
        parts = urlsplit(uri)
        if parts.username or parts.password:
            raise CliError(
                "the address of the tracking server has credentials in it",
                "leave them out, and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            )
        for name, value in _MANNERS.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow import MlflowClient
        except ModuleNotFoundError:
            raise _not_installed("MLflow's client is not installed", "mlflow-skinny") from None
        with _told(uri):
            return cls(uri, MlflowClient(tracking_uri=uri, registry_uri=uri))

    def experiment(self, name: str) -> str:
        """The id of the experiment called so, which is made where there is none."""
        found = self._ask(lambda: self._client.get_experiment_by_name(name))
        if found is None:
            return str(self._write(lambda: self._client.create_experiment(name)))
        if found.lifecycle_stage != "active":
            raise CliError(
                f"the tracking server's experiment {name} was deleted there",
                "restore it there, or give another --prefix",
            )
        return str(found.experiment_id)

    def runs(self, experiment: str, registry: str) -> dict[str, list[ThereRun]]:
        """What was mirrored from a registry into the experiment of that id, by the runs' keys, in a lasting order."""
        from mlflow.entities import ViewType

        found: dict[str, list[ThereRun]] = {}
        for run in self._all(
            lambda page: self._client.search_runs(
                [experiment], run_view_type=ViewType.ALL, max_results=_PAGE, page_token=page
            )
        ):
            tags = run.data.tags
            if tags.get(REGISTRY) == registry and KEY in tags:
                deleted = run.info.lifecycle_stage != "active"
                there = ThereRun(run.info.run_id, tags, run.data.params, run.data.metrics, deleted)
                found.setdefault(tags[KEY], []).append(there)
        return {key: sorted(each, key=lambda one: one.id) for key, each in found.items()}

    def create_run(self, experiment: str, run: MirroredRun, registry: str) -> ThereRun:
        """A run that says at once whose it is, so that it is found again whatever happens next."""
        tags = {KEY: run.key, REGISTRY: registry}
        made = self._write(lambda: self._client.create_run(experiment, run.start, tags, run.name))
        return ThereRun(made.info.run_id, tags, {}, {}, deleted=False)

    def log(self, there: ThereRun, run: MirroredRun) -> None:
        """Bring a run to what it is here; that it is comes last."""
        from mlflow.entities import Metric, Param, RunTag

        at = run.end or run.start
        metrics = [
            Metric(name, value, at, run.attempt)
            for name, value in run.metrics.items()
            if there.metrics.get(name) != value
        ]
        params = [Param(name, value) for name, value in run.params.items() if name not in there.params]
        tags = [RunTag(name, value) for name, value in _tags(run).items() if there.tags.get(name) != value]
        for some in _in_batches(metrics, params, tags):
            self._write(lambda some=some: self._client.log_batch(there.id, *some))  # type: ignore[misc]
        for name in there.tags.keys() - _tags(run).keys() - {KEY, REGISTRY, DIGEST}:
            if name.startswith(PREFIX):  # such as the error of an attempt before
                self._write(lambda name=name: self._client.delete_tag(there.id, name))  # type: ignore[misc]
        if run.end is None:
            self._write(lambda: self._client.update_run(there.id, run.status))
        else:
            self._write(lambda: self._client.set_terminated(there.id, run.status, run.end))
        self._write(lambda: self._client.set_tag(there.id, DIGEST, run.digest))

    def delete_run(self, there: ThereRun) -> None:
        """Of a run that two have mirrored at once, one."""
        self._write(lambda: self._client.delete_run(there.id))

    def model(self, name: str) -> ThereModel | None:
        """The registered model called so; None where there is none. Raises NoModels."""
        from mlflow import MlflowException

        try:
            model = self._ask(lambda: self._client.get_registered_model(name), missing=MlflowException)
        except MlflowException:
            return None
        versions: dict[str, tuple[str, Mapping[str, str]]] = {}
        for one in self._all(
            lambda page: self._client.search_model_versions(
                f"name='{name}'", max_results=_PAGE, page_token=page
            )
        ):
            number, place = str(one.version), one.tags.get(MODEL, "")
            if place and (place not in versions or int(number) < int(versions[place][0])):
                versions[place] = (number, one.tags)
        return ThereModel(model.tags, model.aliases, versions)

    def create_model(self, name: str, registry: str) -> ThereModel:
        """A registered model that says whose it is. Raises NoModels."""
        tags = {REGISTRY: registry}
        self._write(lambda: self._client.create_registered_model(name, tags))
        return ThereModel(tags, {}, {})

    def create_version(self, model: str, run: MirroredRun, run_id: str, content: bytes) -> str:
        """A version of the model that the run left, *content*, which is kept there as a file of the run; its number."""
        folder = f"model-{run.attempt}"
        with TemporaryDirectory() as place:
            file = Path(place) / run.address.rpartition("/")[2]
            file.write_bytes(content)
            self._write(lambda: self._client.log_artifact(run_id, str(file), folder))
        home = self._ask(lambda: self._client.get_run(run_id)).info.artifact_uri
        tags = {KEY: run.key, DIGEST: run.digest, MODEL: run.model, **_tags(run)}
        made = self._write(
            lambda: self._client.create_model_version(
                model, f"{home}/{folder}", run_id, tags, description=run.name, await_creation_for=0
            )
        )
        return str(made.version)

    def tag_version(self, model: str, number: str, run: MirroredRun, known: Mapping[str, str]) -> None:
        """What has changed of a run whose model was registered before."""
        for name, value in {**_tags(run), DIGEST: run.digest}.items():
            if known.get(name) != value:
                self._write(
                    lambda name=name, value=value: self._client.set_model_version_tag(  # type: ignore[misc]
                        model, number, name, value
                    )
                )

    def alias(self, model: str, alias: str, number: str, owner: str) -> None:
        """Let an alias be that version's; whose it is comes first."""
        if owner:
            self._write(lambda: self._client.set_registered_model_tag(model, f"{ALIAS}{alias}", owner))
        self._write(lambda: self._client.set_registered_model_alias(model, alias, number))

    def forget_alias(self, model: str, alias: str, *, there: bool) -> None:
        """Let an alias be no version's; that it was ours comes last."""
        if there:
            self._write(lambda: self._client.delete_registered_model_alias(model, alias))
        self._write(lambda: self._client.delete_registered_model_tag(model, f"{ALIAS}{alias}"))

    def _all(self, page: Callable[[str | None], Any]) -> Iterator[Any]:
        token: str | None = None
        while True:
            found = self._ask(lambda token=token: page(token))  # type: ignore[misc]
            yield from found
            token = found.token
            if not token:
                return

    def _write(self, call: Callable[[], T]) -> T:
        found = self._ask(call)
        self.writes += 1
        return found

    def _ask(self, call: Callable[[], T], missing: type[Exception] | None = None) -> T:
        """The call's answer; what is *missing* there stays MLflow's own error. Raises CliError, NoModels."""
        with _told(self.uri, missing=missing):
            return call()


def _tags(run: MirroredRun) -> dict[str, str]:
    return {f"{PREFIX}{name}": value for name, value in run.tags.items()}


def _in_batches(*lists: list[Any]) -> Iterator[list[list[Any]]]:
    """Parts of each list that one call may hold."""
    most = 100
    for start in range(0, max(map(len, lists), default=0), most):
        yield [each[start : start + most] for each in lists]


@contextmanager
def _told(uri: str, *, missing: type[Exception] | None = None) -> Iterator[None]:
    """MLflow's errors as ours."""
    from mlflow import MlflowException

    try:
        yield
    except MlflowException as error:
        if missing and error.error_code == "RESOURCE_DOES_NOT_EXIST":
            raise
        if error.error_code in _UNKNOWN_THERE:
            raise NoModels from None
        raise _refused(uri, error.error_code, one_line(error.message)) from None
    except OSError as error:  # of the library that it speaks HTTP by, where files are sent
        raise _refused(uri, "", one_line(error)) from None
    except ModuleNotFoundError as error:
        raise _not_installed(
            f"the tracking server keeps files where only {error.name} gets at them", str(error.name)
        ) from None


def _not_installed(cause: str, package: str) -> CliError:
    return CliError(cause, f"uv pip install {package}")


def _refused(uri: str, code: str, said: str) -> CliError:
    if code in _NOBODY:
        return CliError(
            f"the tracking server at {uri} lets nobody in with these credentials: {said[:300]}",
            "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, to those of an account that "
            "may write there",
        )
    if _NO_ANSWER.search(said):
        return CliError(
            f"no tracking server answers at {uri}", "check the address and that it runs, then mirror again"
        )
    return CliError(
        f"the tracking server at {uri}: {said[:300]}",
        "see that it is an MLflow tracking server, then mirror again",
    )
