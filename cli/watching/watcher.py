"""The loop of `watch`: look, decide, preview, act. It knows no clock, engine or service but those that it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.errors import one_line
from cli.times import local_time
from cli.watching.deploying import TOKEN, Deployer, Failed, Foreseen
from cli.watching.records import Fired, Records
from clients.clock import Clock
from retrain_hooks.registry.run_key import digest
from retrain_hooks.triggers import new_data
from retrain_hooks.triggers.declared import Declared
from retrain_hooks.triggers.trigger import Decision, Scene

_SLICE = 60.0  # seconds; a machine that slept, a pause and a stack's file are noticed so soon
_FIRST_RETRY = timedelta(minutes=1)
_LAST_RETRY = timedelta(hours=1)


@dataclass(frozen=True)
class Situation:
    """A stack as it is now: what it declares, whether it was deployed, and what triggers may read."""

    triggers: tuple[Declared, ...]
    policy: str
    deployed: bool
    scene: Callable[[Mapping[str, Any], datetime], Scene]


class Watcher:
    """Watches one *stack*; *read* tells how it is, anew at each look."""

    def __init__(
        self,
        stack: str,
        records: Records,
        read: Callable[[], Situation],
        deployer: Deployer,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._stack, self._records, self._read, self._deployer = stack, records, read, deployer
        self._clock, self._say = clock, say
        self._memory = records.memory()
        self._failed = False

    def once(self) -> bool:
        """Look at everything, act, and say whether nothing failed."""
        self._failed = False
        self.step(everything=True)
        return not self._failed

    def run(self, wait: Callable[[float], bool]) -> None:
        """Look whenever a trigger wants it, for ever. *wait* waits for so many seconds; whether new data was hinted at."""
        hinted = False
        while True:
            until = self.step(hinted=hinted)
            left = (until - self._clock.now()).total_seconds()
            hinted = wait(min(max(left, 0.0), _SLICE))

    def step(self, *, everything: bool = False, hinted: bool = False) -> datetime:
        """One look at what is due, and what follows from it; when there is something to look at next."""
        now = self._clock.now()
        if (until := self._records.paused_until) is not None:
            if now < until:
                if everything:
                    self._say(
                        f"{self._stack} is paused until {local_time(until)}: nothing is looked at (--resume ends that)"
                    )
                return until
            self._records.paused_until = None
            self._say("the pause is over")
        try:
            there = self._read()
        except Exception as error:  # whatever it is: the stack's file may be put right meanwhile
            self._failed = True
            self._note("failed", now, error=_said(error))
            return now + _FIRST_RETRY
        if not there.deployed:
            if everything:
                self._say(_not_deployed(self._stack))
            return now + _FIRST_RETRY
        memory = self._memory
        memory.fired = self._pending(there.policy)
        patient = now < _moment(memory.retry_at)
        renewed = self._look(
            there, now, everything=everything, hinted=hinted or bool(memory.fired and not patient)
        )
        if memory.fired and (everything or renewed or not patient):
            self._act(there.policy, now)
        looks = [_moment(kept["next"]) for kept in memory.triggers.values()]
        return min([*looks, *([_moment(memory.retry_at)] if memory.fired else [])], default=now + _LAST_RETRY)

    def rehearse(self) -> None:
        """Say what a look at everything would do, and why. Writes nothing, and starts nothing but reading."""
        now, there = self._clock.now(), self._read()
        if (until := self._records.paused_until) is not None and now < until:
            self._say(f"{self._stack} is paused until {local_time(until)}; without that:")
        if not there.deployed:
            self._say(_not_deployed(self._stack))
            return
        fired = [*self._pending(there.policy)]
        for trigger in there.triggers:
            decision = trigger.decide(there.scene(self._kept(trigger), now))
            self._say(f"{trigger.kind.name}: {'fires' if decision.fire else 'waits'}: {decision.reason}")
            fired += [_fired(trigger, decision)] if decision.fire else []
        if not fired:
            self._say("nothing would be done")
            return
        seen, config = self._foresee(fired)
        if not self._trains(seen):
            self._say(f"nothing would be done: {_unchanged(seen)}")
            return
        does = "auto" if self._is_approved(there.policy, seen, config) else there.policy
        then = {
            "auto": "it would be applied",
            "ask": "a plan would wait for approval",
            "never": "it would only be said",
        }
        self._say(f"would train {_keys(seen)}{_planned(seen)}; under the policy {there.policy} {then[does]}")
        self._say(f"the same by hand: {self._by_hand(seen, config)}")

    def _look(self, there: Situation, now: datetime, *, everything: bool, hinted: bool) -> bool:
        """Look at the triggers that are due; whether there is new data. What fired is kept before anything is done about it.

        What has fired, and is not done yet, does not fire again; new data does, since it may put right what failed.
        """
        memory, fired, renewed = self._memory, False, False
        names = {trigger.name for trigger in there.triggers}
        changed = bool(memory.triggers.keys() - names)
        memory.triggers = {name: kept for name, kept in memory.triggers.items() if name in names}
        # New data last: where anything is done about the latest data, the reasons say what of it is new.
        for trigger in sorted(there.triggers, key=_lists):
            kept = memory.triggers.get(trigger.name)
            wanted = everything or (_lists(trigger) and (hinted or fired))
            if kept is not None and not wanted and now < _moment(kept["next"]):
                continue
            changed = True
            try:
                decision = trigger.decide(there.scene(self._kept(trigger), now))
            except Exception as error:  # one trigger does not keep the others from being looked at
                self._could_not_look(trigger, error, now)
                continue
            again = decision.next_look or now + _LAST_RETRY
            memory.triggers[trigger.name] = {"keep": dict(decision.keep), "next": again.isoformat()}
            if decision.fire and (
                _lists(trigger) or all(one.trigger != trigger.name for one in memory.fired)
            ):
                self._say(f"{trigger.kind.name}: {decision.reason}")
                memory.fired.append(_fired(trigger, decision))
                fired, renewed = True, renewed or _lists(trigger)
            elif everything:
                self._say(f"{trigger.kind.name} waits: {decision.reason}")
        if changed:
            self._records.keep(memory)
        return renewed

    def _pending(self, policy: str) -> list[Fired]:
        """What has fired and is not done yet; a plan that waits, too, once it is approved, or the policy is `auto` now."""
        plan = {} if self._memory.fired else self._records.plan
        if policy != "auto" and not plan.get("approved"):
            plan = {}
        token = plan.get("config", {}).get("force", "")
        return self._memory.fired or [Fired("plan", reason, token) for reason in plan.get("reasons", [])]

    def _could_not_look(self, trigger: Declared, error: Exception, now: datetime) -> None:
        self._failed = True
        kept = self._memory.triggers.get(trigger.name, {})
        failures = kept.get("failures", 0) + 1
        again = now + _pause(failures)
        self._memory.triggers[trigger.name] = {
            "keep": self._kept(trigger),
            "next": again.isoformat(),
            "failures": failures,
        }
        self._say(f"{trigger.kind.name} can't be looked at: {_said(error)}; again at {local_time(again)}")
        self._note(
            "failed",
            now,
            [Fired(trigger.kind.name, "could not be looked at")],
            error=_said(error),
            aloud=False,
        )

    def _kept(self, trigger: Declared) -> dict[str, Any]:
        return dict(self._memory.triggers.get(trigger.name, {}).get("keep", {}))

    def _act(self, policy: str, now: datetime) -> None:
        """Preview what has fired, and apply it under the *policy*. What fails is tried again later."""
        memory, records = self._memory, self._records
        try:
            seen, config = self._foresee(memory.fired)
            if not self._trains(seen):
                records.plan = {}
                if seen.present in memory.begun:
                    self._note(
                        "applied",
                        now,
                        memory.fired,
                        detail=f"{seen.present[:12]}, by an update that was begun before",
                    )
                else:
                    self._note("unchanged", now, memory.fired, detail=_unchanged(seen))
            elif policy == "auto" or self._is_approved(policy, seen, config):
                memory.begun = list(seen.keys.values()) or memory.begun
                records.keep(memory)
                self._say(f"training {_keys(seen)}{_planned(seen)}")
                self._deployer.up(config, seen.expect)
                records.plan = {}
                self._note("applied", now, memory.fired, seen)
            elif policy == "ask":
                self._leave_plan(seen, config, now)
            else:
                told = f"the policy is never: {self._by_hand(seen, config)}"
                self._note("told", now, memory.fired, seen, detail=told)
        except (Failed, OSError) as error:
            self._failed = True
            memory.failures += 1
            again = self._clock.now() + _pause(memory.failures)
            memory.retry_at = again.isoformat()
            self._note("failed", now, memory.fired, error=str(error))
            self._say(
                f"failed {memory.failures} time{'s' * (memory.failures > 1)} in a row; again at {local_time(again)}"
            )
        else:
            memory.settle()
        records.keep(memory)

    def _foresee(self, fired: list[Fired]) -> tuple[Foreseen, dict[str, str]]:
        """What a preview tells, with the configuration of this run: a force token where one is asked for, or is deployed.

        A token that an update of `watch` left in the state stays, until other data is trained, since without it the model of
        before would come back.
        """
        token = next((one.token for one in fired if one.token), "")
        if not token:
            seen = self._deployer.preview({})
            if not seen.forced or not seen.keys:
                return seen, {}
            token = seen.forced
        config = {"force": token}
        return self._deployer.preview(config), config

    def _trains(self, seen: Foreseen) -> bool:
        """Whether there is something to do: another run key, or what an update left half done."""
        return bool(seen.keys or (self._memory.begun and seen.others))

    def _is_approved(self, policy: str, seen: Foreseen, config: Mapping[str, str]) -> bool:
        """Whether somebody has approved just this."""
        plan = self._records.plan if policy == "ask" else {}
        return bool(plan.get("approved")) and plan.get("approve") == self._by_hand(seen, config)

    def _leave_plan(self, seen: Foreseen, config: Mapping[str, str], now: datetime) -> None:
        approve = self._by_hand(seen, config)
        if self._records.plan.get("approve") != approve:
            self._records.plan = {
                "stack": self._stack,
                "at": now.isoformat(),
                "reasons": [one.reason for one in self._memory.fired],
                "runKeys": dict(seen.keys),
                "plan": list(seen.plan),
                "config": dict(config),
                "approve": approve,
            }
        self._note(
            "waits",
            now,
            self._memory.fired,
            seen,
            detail=f"approve it: ./dev approve -s {self._stack}, or do it yourself: {approve}",
        )

    def _by_hand(self, seen: Foreseen, config: Mapping[str, str]) -> str:
        words = [*seen.expect, *(f"--config {key}={value}" for key, value in config.items())]
        return " ".join(["./dev up -s", self._stack, *words])

    def _note(
        self,
        outcome: str,
        now: datetime,
        fired: list[Fired] | None = None,
        seen: Foreseen | None = None,
        *,
        detail: str = "",
        error: str = "",
        aloud: bool = True,
    ) -> None:
        entry = {
            "at": now.isoformat(),
            "outcome": outcome,
            "triggers": [one.kind for one in fired or ()],
            "reasons": [one.reason for one in fired or ()],
            "runKeys": dict(seen.keys) if seen else {},
            "detail": detail,
            "error": error,
        }
        self._records.note({key: value for key, value in entry.items() if value})
        if aloud:
            keys = f" {_keys(seen)}" if seen else ""
            self._say(f"{outcome}{keys}{': ' if detail or error else ''}{detail or error}")


def _lists(trigger: Declared) -> bool:
    return trigger.kind.name == new_data.NAME


def _fired(trigger: Declared, decision: Decision) -> Fired:
    """What fired, with a token that is the same whenever the cause is."""
    token = TOKEN + digest([trigger.name, decision.cause])[:12] if trigger.force else ""
    return Fired(trigger.kind.name, decision.reason, token, trigger.name)


def _said(error: Exception) -> str:
    """What an error says, in a line, with its remedy."""
    cause, remedy = getattr(error, "cause", ""), getattr(error, "remedy", "")
    return one_line(f"{cause} (remedy: {remedy})" if cause else f"{type(error).__name__}: {error}")


def _keys(seen: Foreseen) -> str:
    return ", ".join(f"{name} {key[:12]}".strip() for name, key in seen.keys.items()) or ", ".join(
        seen.others
    )


def _planned(seen: Foreseen) -> str:
    return f" ({'; '.join(filter(None, seen.plan))})" if any(seen.plan) else ""


def _unchanged(seen: Foreseen) -> str:
    same = (
        f"the run key would be the same, {seen.present[:12]}" if seen.present else "no run key would change"
    )
    more = f"; ./dev up has other things to do: {', '.join(seen.others)}" if seen.others else ""
    return f"{same} (force: true beside a trigger trains all the same){more}"


def _not_deployed(stack: str) -> str:
    return f"{stack} isn't deployed yet, so that there is nothing to retrain: ./dev up -s {stack} comes first"


def _pause(failures: int) -> timedelta:
    return min(_FIRST_RETRY * (1 << min(failures - 1, 10)), _LAST_RETRY)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
