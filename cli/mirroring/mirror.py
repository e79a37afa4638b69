"""The difference between a registry and a tracking server, written: runs, models, aliases, in this order.

Each run carries its key and the digest of what was mirrored of it, which is written last: what is cut off is found and
completed, what is there already is left. Nothing is deleted there that was pruned here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from cli.mirroring.server import ALIAS, DIGEST, NoModels, Server, ThereModel
from clients.errors import NotFound

if TYPE_CHECKING:
    from cli.mirroring.facts import Facts, MirroredRun
    from clients.storage import Container


@dataclass
class Done:
    """How many *runs* and *models* were written and how many *aliases* moved; *notes* are what was left, and why."""

    runs: int = 0
    models: int = 0
    aliases: int = 0
    notes: list[str] = field(default_factory=list)


def mirror(facts: Facts, container: Container, server: Server, prefix: str = "") -> Done:
    """Bring the server to what a registry, which is in *container*, has. Experiments and models there are called as here, after *prefix*.

    Raises CliError where the server does not answer, or refuses; what was written until then stays, and is not written again.
    """
    done = Done()
    done.notes += facts.unread
    for experiment in dict.fromkeys(run.experiment for run in facts.runs):
        runs = [run for run in facts.runs if run.experiment == experiment]
        ids = _mirror_runs(runs, facts.registry, server, f"{prefix}{experiment}", done)
        try:
            _mirror_models(
                runs,
                ids,
                facts.aliases.get(experiment, {}),
                container,
                facts.registry,
                server,
                f"{prefix}{experiment}",
                done,
            )
        except NoModels:
            done.notes.append(f"{experiment}: the server keeps no registered models with aliases")
    return done


def _mirror_runs(
    runs: list[MirroredRun], registry: str, server: Server, name: str, done: Done
) -> dict[str, str]:
    """The ids there of the runs, by their keys; without those that somebody deleted there."""
    experiment = server.experiment(name)
    known = server.runs(experiment, registry)
    ids: dict[str, str] = {}
    for run in runs:
        there = known.get(run.key, [])
        active = [one for one in there if not one.deleted]
        if there and not active:
            done.notes.append(f"run {run.key[:7]} was deleted there, and stays so")
            continue
        for twin in active[1:]:
            server.delete_run(twin)
        at = active[0] if active else server.create_run(experiment, run, registry)
        ids[run.key] = at.id
        if at.tags.get(DIGEST) != run.digest:
            server.log(at, run)
            done.runs += 1
    return ids


def _mirror_models(
    runs: list[MirroredRun],
    ids: Mapping[str, str],
    aliases: Mapping[str, str],
    container: Container,
    registry: str,
    server: Server,
    name: str,
    done: Done,
) -> None:
    wanted = [run for run in runs if run.model and run.key in ids]
    model = server.model(name)
    if model is None:
        if not wanted:
            return
        model = server.create_model(name, registry)
    numbers = {place: number for place, (number, _tags) in model.versions.items()}
    for run in wanted:
        if run.model not in numbers:
            if content := _content(container, run, done):
                numbers[run.model] = server.create_version(name, run, ids[run.key], content)
                done.models += 1
            continue
        number, tags = model.versions[run.model]
        if tags.get(DIGEST) != run.digest:
            server.tag_version(name, number, run, tags)
            done.models += 1
    _move_aliases(
        {alias: numbers[place] for alias, place in aliases.items() if place in numbers},
        model,
        registry,
        server,
        name,
        done,
    )


def _content(container: Container, run: MirroredRun, done: Done) -> bytes:
    """The model that a run left; empty where it isn't there any more as it was."""
    try:
        content, _etag = container.read(run.address)
    except NotFound:
        content = b""
    if sha256(content).hexdigest() != run.tags.get("sha256"):
        done.notes.append(
            f"the model of run {run.key[:7]} is gone, or is not what the run left: it is not mirrored"
        )
        return b""
    return content


def _move_aliases(
    wanted: Mapping[str, str], model: ThereModel, registry: str, server: Server, name: str, done: Done
) -> None:
    """Aliases that others gave are theirs."""
    owners = {tag.removeprefix(ALIAS): owner for tag, owner in model.tags.items() if tag.startswith(ALIAS)}
    for alias, number in wanted.items():
        owner, there = owners.get(alias), model.aliases.get(alias)
        if owner != registry and (there is not None or owner):
            done.notes.append(f"{name}: the alias {alias} there is another's, and stays")
        elif there is None or str(there) != number:
            server.alias(name, alias, number, "" if owner else registry)
            done.aliases += 1
    for alias, owner in owners.items():
        if owner == registry and alias not in wanted:
            server.forget_alias(name, alias, there=alias in model.aliases)
            done.aliases += 1
