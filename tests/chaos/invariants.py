"""What must hold after every history, whatever happened in it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from tests.chaos import program
from tests.chaos.marks import marks
from tests.chaos.play import Player
from tests.chaos.record import Stack, writes

_SIGNATURE = re.compile(r"sig=(?!\*\*\*)[A-Za-z0-9%/+]+")
_START = re.compile(r"POST .*/jobs/([0-9a-f]{32})/start$")


def check(player: Player) -> None:
    """Let the faults end, converge, and check everything; what does not hold is noted in the player's record."""
    record = player.record
    player._settle()
    player.end_faults()
    player.clock += 60
    canaries = _canaries(player)
    for stack in list(player.stacks.values()):
        _converges(player, stack)
    record.journal = player.world.journal()
    record.trace = [json.loads(line) for line in (player.folder / "trace.jsonl").read_text().splitlines()]
    _jobs(player)
    _models(player)
    for stack in list(player.stacks.values()):
        _is_quiet(player, stack)
    marks(player)
    _secrets(player, canaries | _canaries(player))


def _converges(player: Player, stack: Stack) -> None:
    """The next quiet update succeeds (or is refused by the gate), and what is bound then is what was declared."""
    record, before = player.record, len(player.record.errors)
    stack.config = replace(stack.config, refuse=False)
    done = player.update(stack)
    player.look()
    content = player.contents[stack.config.version]
    key = program.expected_key(stack.config.version, content, player.trees, stack.config.force)
    run = record.ledger.get(key, {})
    if run.get("state") != "finished":
        record.violate("no convergence", f"run {key[:12]} is {run.get('state')}: {record.errors[before:]}")
        return
    bound = player.bound(stack)
    address = f"{player.registry}/models/{program.EXPERIMENT}/{key}/{run['attempt']}.ilearner"
    if done and bound == address:
        record.figures["converged: bound"] += 1
    elif player.passes(key) and not player.gate.holdout:
        told = record.errors[before:] or f"{bound} is served, not {address}"
        record.violate("wrong binding" if done else "no convergence", f"after the quiet update: {told}")
    elif done != player.gate.hold or not (done or "the gate refuses" in record.errors[-1]):
        record.violate("no convergence", f"the quiet update: {record.errors[before:]}, {bound} is served")
    elif not _refused(player, key):
        record.violate("no convergence", f"run {key[:12]} is not served, and no verdict refuses it")
    else:
        record.figures["converged: held" if done else "converged: refused"] += 1
    content_now = player.world.download(player.registry, (bound or "").partition("/")[2]) if bound else None
    shas = {run["sha256"] for run in record.ledger.values() if run.get("state") == "finished"}
    if done and bound == address and sha256(content_now or b"").hexdigest() not in shas:
        record.violate("wrong binding", f"the model that is served is not what its run left: {bound}")


def _refused(player: Player, key: str) -> bool:
    """Whether the gate has reason to refuse the run's model."""
    if not player.gate.holdout:
        return not player.passes(key)
    names = player.world.names(player.registry, f"verdicts/{key}/")
    verdicts = [json.loads(player.world.download(player.registry, name) or b"{}") for name in names]
    return any(verdict.get("outcome") == "refused" for verdict in verdicts)


_DETERMINING = ("experiment", "data", "parameters", "seed")


def _models(player: Player) -> None:
    """A model is a function of code, data and parameters: the same inputs give the same bytes, others give others."""
    made: dict[str, str] = {}
    for run in player.record.ledger.values():
        if run.get("state") != "finished":
            continue
        inputs = json.dumps({name: run["inputs"].get(name) for name in _DETERMINING}, sort_keys=True)
        model = run["sha256"]
        known = player.world.models | made
        if (known.get(model, inputs), known.get(inputs, model)) != (inputs, model):
            player.record.violate("wrong model", f"run {run['key'][:12]} has a model that other inputs make")
        made |= {model: inputs, inputs: model}
    if not player.record.violations:
        player.world.models |= made


def _is_quiet(player: Player, stack: Stack) -> None:
    """The update after that does nothing."""
    player.world.clear_journal()
    if not player.update(stack) and "the gate refuses" not in player.record.errors[-1]:
        player.record.violate("no convergence", f"the second quiet update failed: {player.record.errors[-1]}")
    if extra := writes(player.world.journal()):
        player.record.violate("no convergence", f"the second quiet update wrote: {dict(extra)}")


def _started(player: Player) -> set[str]:
    """Jobs that the service really started: by its journal, or by its word where it was killed before that line."""
    record = player.record
    sure = {
        found[1]
        for entry in record.journal
        if (found := _START.match(f"{entry['method']} {entry['path'].partition('?')[0]}"))
        and entry.get("served", entry["status"]) == 200
    }
    asked = {found[1] for entry in record.trace if (found := _START.match(entry.get("line", "")))}
    endpoints = _endpoints(player)
    for job in asked - sure:
        states = {
            player.world.job_state(endpoint, job) for endpoint in endpoints if endpoint["Name"] == "default"
        }
        if states - {"Lost", "NotStarted"}:
            sure.add(job)
    return sure


def _jobs(player: Player) -> None:
    """One started job a key, and none that the ledger does not name."""
    record = player.record
    made: dict[str, tuple[str, int]] = {}
    for entry in record.trace:
        if "job" in entry:
            *_, key, file = entry["model"].split("/")
            made[entry["job"]] = (key, int(file.partition(".")[0]))
    for place, states in record.seen.items():
        made |= {job: place for _state, job in states if job}
    started = _started(player)
    record.figures["jobs started"] += len(started)
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for job in started:
        if job not in made:
            record.violate("orphan", f"job {job} was started, and nobody recorded it")
            continue
        by_key[made[job][0]].append(job)
    for key, jobs in by_key.items():
        present = (record.ledger.get(key) or {}).get("job") or {}
        rest = [job for job in jobs if not _excuse(player, job, *made[job])]
        if len(rest) > 1:
            told = ", ".join(f"{job} (attempt {made[job][1]})" for job in rest)
            record.violate("duplicate", f"run {key[:12]} was started {len(rest)} times: {told}")
        for job in rest:
            if job != present.get("id"):
                record.violate(
                    "orphan", f"job {job} of run {key[:12]} was started; the record names {present}"
                )


def _excuse(player: Player, job: str, key: str, attempt: int) -> str:
    """Why a run may have been started again after this job; empty where nothing speaks for it."""
    record = player.record
    address = f"models/{program.EXPERIMENT}/{key}/{attempt}.ilearner"
    if any(job in entry["path"] and "lost-job" in entry.get("fault", "") for entry in record.journal):
        return "the service lost it"
    if job in record.destroyed:
        return "it went with its web service"
    if address in record.damaged:
        return "its model was lost"
    if key in record.corrupted:
        return "its record was lost"
    if any(state == "failed" for state, _job in record.seen.get((key, attempt), ())):
        return "it failed"
    if record.disturbed and _version(player, key) in (*record.disturbed, None):
        return "its data was changed meanwhile"
    if (service := record.services.get(job)) and not player.world.exists(service):
        return "it went with its web service"
    states = [player.world.job_state(endpoint, job) for endpoint in _endpoints(player)]
    return "it failed" if "Failed" in states else ""


def _version(player: Player, key: str) -> str | None:
    data: dict[str, Any] = (player.record.ledger.get(key) or {}).get("data") or {}
    return data.get("version")


def _endpoints(player: Player) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for workspace, token in player.places.values():
        for service in player.world.manage(workspace, token) or []:
            found += player.world.manage(workspace, token, f"/{service['Id']}/endpoints") or []
    return found


def _canaries(player: Player) -> set[str]:
    """Every secret that there is in this history's part of the cloud."""
    world = player.world
    found = {world.key, world.arm_token, *(token for _workspace, token in player.places.values())}
    for endpoint in _endpoints(player):
        found |= {endpoint["PrimaryKey"], endpoint["SecondaryKey"]}
    return found | {quote(secret, safe="") for secret in found}


def _secrets(player: Player, canaries: set[str]) -> None:
    """No secret is in state, ledger, verdicts, logs, messages or errors."""
    texts = {
        path.name: path.read_text(errors="replace")
        for path in player.folder.glob("*.*")
        if path != player.cloud_file
    }
    texts |= {"errors": "\n".join(player.record.errors), "messages": "\n".join(player.record.messages)}
    texts["studio.log"] = player.world.studio_log[player.log_start :]
    for name in player.world.names(player.registry):
        if not name.endswith(".ilearner"):
            texts[name] = (player.world.download(player.registry, name) or b"").decode(errors="replace")
    for name, text in texts.items():
        if any(secret in text for secret in canaries) or _SIGNATURE.search(text):
            player.record.violate("secret", f"{name} holds a secret")
