"""Plays a trial: an update under faults, then what it reported beside what is served."""

from __future__ import annotations

import contextlib
import re
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.chaos.bindings.drawn import Fault, Trial
from tests.chaos.bindings.house import LIVE, PILOT, STAGING, VERSIONS, House, Serving, owner
from tests.chaos.engine import Changes, Declared, EngineKilled, Run, StepFailed
from tests.chaos.forks import RATE

FALSE_SUCCESS, WRONG_REPORT, NO_CONVERGENCE, UNSEEN_DRIFT, TAKEN, DEFECT = (
    "false success",
    "wrong report",
    "no convergence",
    "drift that was not shown",
    "taken",
    "harness",
)
_WATCHED = (PILOT, LIVE)
_ADDRESS = r"(models/\S+?\.ilearner)"
_SERVES = re.compile(rf"\b({PILOT}|{LIVE}) serves {_ADDRESS}")
_NOT_BACK = re.compile(
    rf"\b({PILOT}|{LIVE}) could not be put back to {_ADDRESS}: .*?; "
    rf"(?:it says that it serves {_ADDRESS}|what it serves is not known)"
)
_REMEDY = "remedy: "
# How long a binding must stay: a model that is rolled back later was served, and what came then is drift.
_SETTLE = 0.5
# In the provider's clock, which runs faster.
_PROBE = {
    "container": "",
    "blobs": ["flights/v4.csv"],
    "rows": 8,
    "deadline": "10s",
    "settle": f"{_SETTLE * RATE}s",
}

Json = dict[str, Any]


@dataclass
class Outcome:
    """How one trial went: *violations* as (kind, text), *figures* what was counted, *told* the update's own words."""

    seed: int
    index: int
    trial: str
    seconds: float = 0.0
    violations: list[tuple[str, str]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    told: str = ""

    def violate(self, kind: str, text: str) -> None:
        """Note that something does not hold."""
        self.violations.append((kind, text))

    def to_json(self) -> Json:
        """As data."""
        return asdict(self)


def play(house: House, trial: Trial, sabotage: str = "") -> Outcome:
    """Play *trial*, with a product broken by *sabotage* perhaps, judge what was reported, and bring the house to rest."""
    outcome = Outcome(trial.seed, trial.index, str(trial))
    began = time.monotonic()
    try:
        _Play(house, trial, outcome, sabotage).play()
    except Exception:  # the campaign goes on, and says so
        outcome.violate(DEFECT, traceback.format_exc(limit=-4))
    outcome.seconds = time.monotonic() - began
    return outcome


class _Play:
    """One trial in a house; *outcome* is filled in."""

    def __init__(self, house: House, trial: Trial, outcome: Outcome, sabotage: str) -> None:
        self.sabotage = sabotage
        self.house, self.trial, self.outcome = house, trial, outcome
        self.faults = trial.faults
        self.endpoints = [endpoint for ring in trial.rings for endpoint in ring]
        self.old = self.new = ""

    def play(self) -> None:
        self._rest()
        before = {name: self.house.serving(name) for name in _WATCHED}
        self.old = before[LIVE].answers
        here = [self.house.addresses[version] for version in VERSIONS].index(self.old)
        self.new = self.house.addresses[VERSIONS[(here + self.trial.version) % len(VERSIONS)]]
        self.house.world.put_faults(self.trial.index, [fault.placed(self._path) for fault in self.faults])
        failure = self._update()
        self._count_faults()
        # What lasts goes on; no other request meets a fault from here on.
        self.house.world.put_faults(0, [])
        after = {name: self.house.serving(name) for name in _WATCHED}
        if failure is None:
            self.outcome.figures["succeeded"] += 1
            self._judge_success(after)
        else:
            self.outcome.told = failure
            self.outcome.figures["failed"] += 1
            self._judge_failure(failure, before, after)
        self.house.world.await_faults()
        self._judge_later(after, failure is None)
        self._converge()
        if self.trial.move and not self.outcome.violations:
            self._move()

    def _path(self, endpoint: str, what: str) -> str:
        return self.house.scoring_path(endpoint) if what == "score" else self.house.binding_path(endpoint)

    # The update

    def _update(self) -> str | None:
        """Update, after a first attempt that was killed where the trial says so; what it reported as a failure."""
        if self.trial.kill:
            phase, nth, match = self.trial.kill
            trigger = {"do": "kill", "phase": phase, "nth": nth, "match": match}
            try:
                self._up((trigger,))
                return None
            except EngineKilled:
                self.outcome.figures["killed, and gone on with"] += 1
            except StepFailed as failed:
                return str(failed)
        try:
            self._up()
        except StepFailed as failed:
            return str(failed)
        return None

    def _up(
        self,
        triggers: tuple[Json, ...] = (),
        *,
        preview: bool = False,
        declared: tuple[Declared, ...] | None = None,
    ) -> Changes:
        found: list[Changes] = []

        def verb(run: Run) -> None:
            found.append(run.up(declared or (self._declared(),), preview=preview))

        self.house.run(self.house.binding, verb, triggers, self.sabotage)
        return found[0]

    def _declared(self, name: str = "binding", alias: str = "", live: str = LIVE) -> Declared:
        bake = self.trial.bake
        rings = [
            {"name": "+".join(ring), "endpoints": list(ring), "bake": bake, "rules": ["errors <= 0.5"]}
            for ring in self.trial.rings
        ]
        inputs = {
            "target": "local",
            "service": self.house.service,
            "endpointName": live,
            "stagingEndpoint": STAGING,
            "resource": self.house.resource,
            "address": self.new,
            "sha256": "",
            "rings": rings,
            "probe": _PROBE | {"container": self.house.data},
            "owner": owner(self.house.kind, name, self.house.lineage),
        }
        return Declared(name, "ModelBinding", lambda _known: inputs, ("bound", "serving", "probed"), alias)

    def _count_faults(self) -> None:
        for fault, rule in zip(self.faults, self.house.world.faults(), strict=True):
            self.outcome.figures[f"fault: {_called(fault)}"] += rule["fired"]
            self.outcome.figures["met a fault"] |= bool(rule["fired"])

    # What it reported

    def _judge_success(self, after: dict[str, Serving]) -> None:
        for name in self.endpoints:
            if after[name] != Serving(self.new, self.new) and not self._rolled_back_later(name, after[name]):
                self.outcome.violate(FALSE_SUCCESS, f"{name} was to serve {self.new}: {_shown(after[name])}")
        outputs = self.house.binding.resources["binding"]["outputs"]
        if outputs["serving"] != dict.fromkeys(self.endpoints, self.new) or not outputs["probed"]:
            self.outcome.violate(FALSE_SUCCESS, f"the outputs are {outputs['serving']}")

    def _rolled_back_later(self, name: str, now: Serving) -> bool:
        """Whether a fault may have put another model back on an endpoint after the time that it had to stay."""
        rules = [fault.rule for fault in self.faults if fault.place == (name, "bind")]
        late = any(rule["kind"] == "rolled-back" and rule["seconds"] >= _SETTLE for rule in rules)
        return late and now.says == now.answers

    def _judge_failure(self, text: str, before: dict[str, Serving], after: dict[str, Serving]) -> None:
        served, not_back = dict(_SERVES.findall(text)), {found[0]: found for found in _NOT_BACK.findall(text)}
        figures, wrong = self.outcome.figures, self._wrong
        if _REMEDY not in text or "internal error" in text or "Traceback" in text:
            wrong(f"no cause and remedy: {text}")
        changed = {name for name in _WATCHED if after[name] != before[name]}
        for name in _WATCHED:
            if self._rolled_back_later(name, after[name]):
                continue
            told = f"it served {_shown(before[name])}, and now {_shown(after[name])}; {text}"
            if name in not_back:
                _name, good, says = not_back[name]
                if good != before[name].answers or says not in ("", after[name].says):
                    wrong(f"{name} is not as it is told: {told}")
            elif name in served and after[name] != Serving(served[name], served[name]):
                wrong(f"{name} does not serve what is told: {told}")
            elif name in changed:
                wrong(f"{name} was changed, which is not told: {told}")
        figures["failed before anything was changed"] += not served and not not_back
        figures["not put back, and said so"] += bool(not_back)
        figures["restored"] += not changed

    def _wrong(self, text: str) -> None:
        self.outcome.violate(WRONG_REPORT, text)

    def _judge_later(self, then: dict[str, Serving], succeeded: bool) -> None:
        """What was served goes on, or else what changed behind the update's back is shown as drift."""
        now = {name: self.house.serving(name) for name in self.endpoints}
        reported = dict.fromkeys(now, self.new) if succeeded else {name: then[name].says for name in now}
        drifted = [name for name, seen in now.items() if seen.says != reported[name]]
        if succeeded:
            for name in set(now) - set(drifted):
                if now[name].answers != self.new:
                    self.outcome.violate(FALSE_SUCCESS, f"{name}, later: {_shown(now[name])}")
        if not drifted:
            return
        self.outcome.figures["rolled back after it had settled"] += 1
        shown = _shown(now[drifted[0]])
        if self._up(preview=True).operations.get("binding") not in ("update", "create"):
            self.outcome.violate(UNSEEN_DRIFT, f"a preview shows nothing of {drifted[0]}: {shown}")
        if succeeded:
            self.house.run(self.house.binding, lambda run: run.refresh())
            address = self.house.binding.resources["binding"]["inputs"]["address"]
            if address not in [now[name].says for name in drifted]:
                self.outcome.violate(UNSEEN_DRIFT, f"a refresh shows {address} of {drifted[0]}: {shown}")

    # Afterwards

    def _rest(self) -> None:
        self.house.world.clear_faults()

    def _converge(self) -> None:
        """Without faults the next update succeeds, whatever came before; all endpoints serve one model."""
        self._rest()
        self.faults, self.sabotage = (), ""
        rings, self.trial = self.trial.rings, _with_all(self.trial)
        self.endpoints = [PILOT, LIVE]
        try:
            self._up()
        except StepFailed as failed:
            self.outcome.violate(NO_CONVERGENCE, f"after {rings}: {failed}")
        served = {name: self.house.serving(name) for name in _WATCHED}
        if set(served.values()) != {Serving(self.new, self.new)}:
            self.outcome.violate(NO_CONVERGENCE, ", ".join(map(_shown, served.values())))
        if left := self.house.world.names(self.house.registry, "rollouts/"):
            self.outcome.violate(NO_CONVERGENCE, f"a rollout is left: {left}")

    def _move(self) -> None:
        """What happens to the binding's name or endpoint leaves served models, and their markers, as they are."""
        move, rings = self.trial.move, self.trial.rings
        before = {name: self.house.serving(name) for name in _WATCHED}
        self.outcome.figures[f"move: {move}"] += 1
        if move == "bound twice":
            self._up(declared=(self._declared(), self._declared("second")))
        elif move == "renamed":
            self._up(declared=(self._declared("other", "binding"),))
            if "binding" in self.house.binding.resources:
                self.outcome.violate(TAKEN, "a binding that was renamed with an alias is there twice")
        else:
            self.trial = replace(self.trial, rings=((PILOT,),))
            with contextlib.suppress(EngineKilled):
                trigger = {"do": "kill", "phase": "before", "nth": 1, "match": "PUT */bound/*"}
                self._up((trigger,), declared=(self._declared(live=PILOT),))
            self.trial = replace(self.trial, rings=rings)
        self._up(declared=(self._declared(alias="other"),))
        if (after := {name: self.house.serving(name) for name in _WATCHED}) != before:
            self.outcome.violate(TAKEN, f"{move}: {before} → {after}")
        missing = set(_WATCHED) - self.house.marked(self.new)
        if missing:
            self.outcome.violate(
                TAKEN, f"{move}: nothing marks what {missing} serve; a prune would retire it"
            )
        if extra := self._up(preview=True).operations:
            self.outcome.violate(TAKEN, f"{move}: the next preview says {extra}")


def _with_all(trial: Trial) -> Trial:
    return replace(trial, rings=((PILOT,), (LIVE,)), bake="0", faults=(), kill=None)


def _called(fault: Fault) -> str:
    """A fault as the table has it."""
    rule = fault.rule
    if "method" not in rule:
        return f"{rule['kind']} on {'staging' if fault.place[0] == STAGING else 'a ring'}"
    what = fault.place[1] if isinstance(fault.place, tuple) else fault.place.split("/")[1]
    status = f" {rule['status']}" if "status" in rule else ""
    return f"{rule['kind']}{status}, {rule['method']} {what}"


def _shown(serving: Serving) -> str:
    short = re.sub(r"models/\w+/(\w{6})\w+/", r"\1/", f"{serving.answers} answers, it says {serving.says}")
    return short.replace(".ilearner", "")
