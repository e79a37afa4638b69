"""Tells others what an update did: one record for each model that was trained, judged or bound, and each that failed.

A record is plain JSON, of a version, without secrets. A notification never fails and never holds up an update: what
can't be delivered within its time is one line of warning.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients import text
from clients.clock import Clock, SystemClock
from clients.errors import RetrainError
from retrain_hooks.notifications.channels import Channel, NotDelivered, Record
from retrain_hooks.registry.run_key import key_of

VERSION = 1
_GRACE = 1.0  # seconds that a channel which keeps its own time gets beyond it
_FORESEEN = ("verdict", "rules", "model")  # what a check put into inputs and a failed step did not make true
_REFUSAL = "the gate refuses"
Props = Mapping[str, Any]


@dataclass(frozen=True)
class Happened:
    """One event of one resource, as the engine tells it: inputs and outputs, empty where there were none.

    *error* is why the step failed, for the event ``failed``; *during* is then what would have been the event.
    """

    event: str
    urn: str
    type: str
    name: str
    inputs: Props
    outputs: Props
    old: Props
    during: str = ""
    error: str = ""


def record_of(happened: Happened, *, project: str, stack: str, clock: Clock | None = None) -> Record:
    """The record of what happened; which fields which event has is listed in ``docs/notifications.md``."""
    now = (clock or SystemClock()).now()
    told = {**happened.inputs, **{k: v for k, v in happened.outputs.items() if v is not None}}
    if happened.event == "failed":
        told = {k: v for k, v in told.items() if k not in _FORESEEN}
        if _REFUSAL in happened.error:
            told["verdict"] = "refused"
    record: dict[str, Any] = {
        "version": VERSION,
        "event": happened.event,
        "time": now.isoformat(timespec="seconds"),
        "project": project,
        "stack": stack,
        "resource": {"urn": happened.urn, "type": happened.type, "name": happened.name},
    }
    if happened.event == "failed":
        record |= {"during": happened.during, "error": "\n".join(map(text.told, happened.error.splitlines()))}
    kind = happened.type.rpartition(":")[2]
    record |= (_OF_FLEETS.get(kind) or _FIELDS[happened.during or happened.event])(told, happened.old)
    plain: dict[str, Any] = _plain({**record, "text": _sentence(record)})
    return plain


def _trained(told: Props, old: Props) -> Props:
    return {
        "experiment": (told.get("experiment") or {}).get("name"),
        "runKey": told.get("runKey"),
        "dataVersion": told.get("dataVersion") or (told.get("data") or {}).get("version"),
        "why": told.get("why"),
        "reused": told.get("reused"),
        "metrics": told.get("metrics"),
        "address": told.get("address"),
        "oldAddress": old.get("address"),
        "sha256": told.get("sha256"),
        "seconds": told.get("seconds"),
        "job": told.get("job"),
    }


def _judged(told: Props, _old: Props) -> Props:
    candidate = told.get("candidate") or {}
    return {
        "runKey": candidate.get("runKey"),
        "dataVersion": candidate.get("dataVersion"),
        "metrics": candidate.get("metrics"),
        "address": candidate.get("address"),
        "champion": (told.get("champion") or {}).get("address"),
        "verdict": told.get("verdict"),
        "rules": told.get("rules"),
        "model": (told.get("model") or {}).get("address"),
        "endpoint": told.get("endpointName"),
    }


def _bound(told: Props, old: Props) -> Props:
    endpoint = told.get("endpointName")
    # Where somebody else had bound a model, that is what was served until now.
    found = told.get("found")
    served = found.get(endpoint) if isinstance(found, Mapping) else None
    return {
        "runKey": key_of(str(told.get("address") or "")) or None,
        "address": told.get("address"),
        "oldAddress": served or old.get("address"),
        "sha256": told.get("sha256"),
        "endpoint": endpoint,
        "service": (told.get("service") or {}).get("id"),
        "serving": told.get("serving"),
        "probed": told.get("probed"),
    }


def _fleet(told: Props, _old: Props) -> Props:
    """Of a fleet as a whole: how many members there are by where they stand, and who failed."""
    return {"members": told.get("counts"), "failed": told.get("failed"), "plan": told.get("plan")}


_OF_FLEETS: Mapping[str, Callable[[Props, Props], Props]] = {"Fleet": _fleet, "FleetVerdict": _fleet}
_FIELDS: Mapping[str, Callable[[Props, Props], Props]] = {
    "trained": _trained,
    "judged": _judged,
    "bound": _bound,
}


def _sentence(record: Props) -> str:
    """One line for a person, which chat services show."""
    where = f"{record['project']}/{record['stack']}"
    run = f"run {str(record.get('runKey') or '?')[:12]}"
    version = f" (data version {record['dataVersion']})" if record.get("dataVersion") else ""
    event = record["event"]
    if "members" in record:
        members = record["members"] or {}
        counts = ", ".join(f"{number:g} {state}" for state, number in members.items())
        why = f": {(record['error'].splitlines() or [''])[0]}" if event == "failed" else f": {counts}"
        return f"{where}: fleet {record['resource']['name']}{why}"
    if event == "failed":
        what = {"trained": "training", "judged": "the gate", "bound": "binding"}[record["during"]]
        return f"{where}: {what} failed for {run}{version}: {(record['error'].splitlines() or [''])[0]}"
    if event == "trained":
        return f"{where}: {run}{version} {'is reused' if record.get('reused') else 'was trained'}"
    if event == "judged":
        return f"{where}: {run}{version} is judged: {record.get('verdict')}"
    if not record["address"]:
        return f"{where}: endpoint {record['endpoint']} serves no model before one has passed the gate"
    return f"{where}: endpoint {record['endpoint']} serves {record['address']}, before {record['oldAddress'] or 'none'}"


def _plain(value: Any) -> Any:
    """*value* as JSON has it: numbers that are none become null, and what is no data its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def deliver(channels: Iterable[Channel], record: Record, root: Path) -> list[str]:
    """Hand *record* to all *channels* that want its event, side by side; a line of warning for each that failed.

    Returns within the longest of their times. Never raises.
    """
    wanted = [channel for channel in channels if record["event"] in channel.events]
    sending = [(channel, _Sending(channel, record, root)) for channel in wanted]
    deadline = max((channel.seconds for channel in wanted), default=0.0) + _GRACE
    clock = SystemClock()
    end = clock.monotonic() + deadline
    warnings = []
    for channel, sent in sending:
        sent.join(max(end - clock.monotonic(), 0))
        problem = f"it had not ended after {deadline:g} s" if sent.is_alive() else sent.problem
        if problem:
            about = f"{record['event']} {record['resource']['name']}"
            warnings.append(f"notification of {about}: {channel}: {problem}; the update goes on")
    return warnings


class _Sending(threading.Thread):
    """Sends in the background; a daemon, so that one that hangs holds up nothing."""

    def __init__(self, channel: Channel, record: Record, root: Path) -> None:
        super().__init__(name=f"notify {channel}", daemon=True)
        self.problem = ""
        self._channel = channel
        self._record = record
        self._root = root
        self.start()

    def run(self) -> None:
        try:
            self._channel.send(self._record, self._root)
        except NotDelivered as error:
            self.problem = str(error)
        except RetrainError as error:
            self.problem = error.cause
        except OSError as error:
            self.problem = (error.strerror or type(error).__name__).lower()
        except BaseException as error:
            self.problem = type(error).__name__
