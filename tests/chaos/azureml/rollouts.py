"""Rollouts beside a client that scores all the time: what was lost, who answered, how calls were shared."""

from __future__ import annotations

import json
import time
import traceback
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from clients.storage import Container
from tests.chaos import program
from tests.chaos.azureml.candidates import AT_A_STEP, Candidate, candidate, register
from tests.chaos.azureml.declared import HOLDOUT, STEPS, Rollout, Stack
from tests.chaos.azureml.house import Call, Client, House, Traffic, Watcher
from tests.chaos.engine import State, StepFailed
from tests.chaos.world import ACCOUNT, World

ENDPOINT = "live"
# Of a service whose calls take a few milliseconds: a slow model takes ten times as long, a busy machine does not.
RULES = ("errors <= 0.01", "p95 <= 900")
BAKE, LONG_BAKE = "1s", "15s"
# Over so many calls, so far from its share may what a model answered be.
CALLS, POINTS = 2000, 3.0
LOST, REFUSED, UNDECIDED, KEPT, SPLIT, DEFECT = (
    "lost request",
    "answer of a refused model",
    "not as it was told",
    "kept",
    "split",
    "harness",
)
KINDS = {
    LOST: "requests lost",
    REFUSED: "answers of a model that was refused",
    UNDECIDED: "endpoints, states or records that say another model",
    KEPT: "deployments kept that are not to be, or not kept",
    SPLIT: "splits past 3 points",
    DEFECT: "defects of the campaign",
}


@dataclass
class Outcome:
    """How one rollout went: what the update *told* where it failed, and what did not hold, as (kind, text)."""

    candidate: Candidate
    seconds: float = 0.0
    told: str = ""
    figures: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)

    def violate(self, kind: str, text: str) -> None:
        """Note that something does not hold."""
        self.violations.append((kind, text))


class Rollouts:
    """The rollouts of *seed* to one endpoint of *house*, one after the other, from ``open`` to ``close``."""

    def __init__(self, world: World, seed: int, *, bake: str = BAKE, long_bake: str = LONG_BAKE) -> None:
        self.house = House(world, "rollouts")
        self.seed = seed
        self._stack = Stack(self.house, "rollouts", ENDPOINT)
        self._bake, self._long_bake = bake, long_bake
        self._state = State(self.house.folder / "state.json")
        self._client: Client | None = None
        self._watcher: Watcher | None = None
        self._served: Candidate | None = None
        self._previous: Candidate | None = None
        self._names: dict[str, Candidate] = {}  # candidates by their deployments
        self._checked = 0

    def open(self) -> Rollouts:
        """An endpoint with its first model, and the client that from then on scores."""
        house = self.house.open(ENDPOINT)
        house.upload_version(HOLDOUT, program.table(HOLDOUT))
        first = candidate(self.seed, 0)
        if told := self._update(first, self._bake):
            raise AssertionError(f"the first model is not served: {told}")
        self._served = first
        self._know(first)
        self._client = Client(house, ENDPOINT).start()
        self._watcher = Watcher(house, ENDPOINT).start()
        return self

    def close(self) -> None:
        """End client and watcher, and remove what was made."""
        for each in (self._client, self._watcher):
            if each is not None:
                each.stop()
        self.house.close()

    @property
    def _registry(self) -> Container:
        cloud = self.house.world.cloud()
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.house.world.key};"
            f"BlobEndpoint={cloud['azurite']};"
        )
        return Container(connection, self.house.registry, "")

    # One rollout

    def play(self, index: int) -> Outcome:
        """Roll the candidate *index* out, and judge; the second one (a good one) bakes for long, so that its shares can be
        counted.
        """
        one = candidate(self.seed, index)
        outcome, began = Outcome(one), time.monotonic()
        try:
            outcome.told = self._update(one, self._long_bake if index == 2 else self._bake)
            self._judge(one, outcome)
        except Exception:  # the campaign goes on, and says so
            outcome.violate(DEFECT, traceback.format_exc(limit=-4))
        outcome.seconds = time.monotonic() - began
        return outcome

    def _update(self, one: Candidate, bake: str) -> str:
        """An update that declares *one*; what it told where it failed."""
        run = register(self._registry, one)
        candidate = {"address": run.address, "sha256": run.sha256, "runKey": run.key, "metrics": run.metrics}
        declared = self._stack.program(Rollout(bake, RULES), lambda _known: candidate)
        try:
            self.house.run(self._state, lambda engine: engine.up(declared), rate=1.0)
        except StepFailed as failed:
            return str(failed)
        return ""

    # What must hold

    def _know(self, one: Candidate) -> None:
        for name, address in self.house.models(ENDPOINT).items():
            if address == one.run.address:
                self._names[name] = one

    def _judge(self, one: Candidate, outcome: Outcome) -> None:
        assert self._client is not None
        assert self._served is not None
        self._know(one)
        before, failed = self._served, bool(outcome.told)
        if failed != bool(one.fault):
            outcome.violate(
                UNDECIDED,
                f"a candidate ({one}) was {'refused' if failed else 'let through'}: {outcome.told}",
            )
        if not failed:
            self._previous, self._served = before, one
        end = len(self._client.calls)
        calls, self._checked = self._client.calls[self._checked : end], end
        self._judge_calls(calls, one, before, outcome)
        self._judge_rest(outcome)
        self._judge_kept(one if failed else None, outcome)
        outcome.figures["refused or returned" if failed else "rolled out"] += 1
        outcome.figures[f"candidates: {one}"] += 1

    def _judge_calls(self, calls: list[Call], one: Candidate, before: Candidate, outcome: Outcome) -> None:
        outcome.figures["calls of the client"] += len(calls)
        for call in calls:
            answered = self._names.get(call.deployment)
            own = answered is one or (answered is None and one.fault and call.deployment)
            if call.status != 200:
                late = answered is not None and answered.fault in AT_A_STEP and self._had_share(call)
                if late or (own and one.fault in AT_A_STEP):
                    outcome.figures["calls that a candidate failed at, of its share"] += 1
                else:
                    outcome.violate(LOST, f"{call.status} of {call.deployment or 'nobody'}, with {one}")
            if own and one.fault and one.fault not in AT_A_STEP:
                outcome.violate(REFUSED, f"{call.deployment} ({one}) answered {call.status}")
            elif (own and one.fault) or (answered and answered.fault in AT_A_STEP and self._had_share(call)):
                outcome.figures["calls that a candidate answered before it was returned"] += 1
            elif call.status == 200 and call.model not in (one.model, before.model):
                outcome.violate(REFUSED, f"{call.model} answered, not {before.model} or {one.model}")

    def _had_share(self, call: Call) -> bool:
        """Whether the deployment that answered had a share when the call began: by the looks just before and after that."""
        assert self._watcher is not None
        seen = self._watcher.seen
        place = bisect_left([asked for asked, _traffic in seen], call.begun)
        return any(call.deployment in traffic for _asked, traffic in seen[max(0, place - 1) : place + 1])

    def _judge_rest(self, outcome: Outcome) -> None:
        """After an update one model has all calls, and all that is written says which."""
        house, served = self.house, self._served
        assert served is not None
        address = served.run.address
        if (shares := house.served(ENDPOINT)) != {address: 100}:
            outcome.violate(UNDECIDED, f"{served.model} is to be served; the endpoint says {shares}")
        now = self._answers()
        if now != {served.model}:
            outcome.violate(UNDECIDED, f"{served.model} is to be served; the endpoint answers by {now}")
        serving = self._state.resources["binding"]["outputs"]["serving"]
        if serving != {ENDPOINT: address}:
            outcome.violate(UNDECIDED, f"{address} is served, and the state says {serving}")
        world, registry = house.world, house.registry
        marked = {
            json.loads(world.download(registry, name) or b"{}")["address"]
            for name in world.names(registry, "bound/")
        }
        if marked != {address}:
            outcome.violate(UNDECIDED, f"{address} is served, and marks name {marked}")
        if left := world.names(registry, "rollouts/"):
            outcome.violate(UNDECIDED, f"a rollout is left: {left}")

    def _judge_kept(self, refused: Candidate | None, outcome: Outcome) -> None:
        """The model before stays deployed, and nothing else but the candidate that was *refused* last."""
        there = set(self.house.models(ENDPOINT).values())
        wanted = {one.run.address for one in (self._served, self._previous) if one}
        if not wanted <= there <= wanted | ({refused.run.address} if refused else set()):
            names = {one.run.address: one.model for one in self._names.values()}
            kept = sorted(names.get(address, address) for address in there)
            outcome.violate(KEPT, f"{kept} are deployed, with {self._previous} before")

    def _answers(self) -> set[str]:
        """Which models answer some of the client's next calls."""
        assert self._client is not None
        calls, first = self._client.calls, len(self._client.calls) + 1  # one is under way
        end = time.monotonic() + 10
        while len(calls) < first + 10 and time.monotonic() < end:
            time.sleep(0.01)
        return {call.model for call in calls[first : first + 10]}

    # How calls were shared

    def shares(self) -> dict[int, list[bool]]:
        """Of each step's share, for each call that was made while the endpoint said it: whether the new model answered."""
        assert self._client is not None
        assert self._watcher is not None
        return shared(self._watcher.seen, self._client.calls)


def shared(seen: Sequence[tuple[float, Traffic]], calls: Sequence[Call]) -> dict[int, list[bool]]:
    """The calls that began and ended between two looks that saw the same step; True where the newer one answered."""
    found: dict[int, list[bool]] = {share: [] for share in STEPS[:-1]}
    begun = [call.begun for call in calls]
    before: set[str] = set()
    for (start, traffic), (end, after) in pairwise(seen):
        if len(traffic) == 1:
            before = set(traffic)
        new = [name for name in traffic if name not in before]
        if traffic != after or len(traffic) != 2 or len(new) != 1 or traffic[new[0]] not in found:
            continue
        for call in calls[bisect_left(begun, start) : bisect_left(begun, end)]:
            if call.ended <= end:
                found[traffic[new[0]]].append(call.deployment == new[0])
    return found


def uneven(shares: dict[int, list[bool]], calls: int = CALLS) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Figures of each share over each *calls* calls in turn, and where it is further off than POINTS, or can't be told."""
    figures, violations = {}, []
    for share, answered in shares.items():
        chunks = [answered[at : at + calls] for at in range(0, len(answered) - calls + 1, calls)]
        told = [100 * sum(chunk) / calls for chunk in chunks]
        shown = f"{min(told):.1f} to {max(told):.1f} %" if told else "not told"
        figures[f"answered with a share of {share} %, over each {calls} of {len(answered)} calls"] = shown
        if not told:
            violations.append((SPLIT, f"{share} %: {len(answered)} calls only"))
        violations += [(SPLIT, f"{share} %: {one:.1f} %") for one in told if abs(one - share) > POINTS]
    return figures, violations


def played(
    world: World,
    count: int,
    seed: int,
    *,
    calls: int = CALLS,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    **bakes: str,
) -> tuple[list[Outcome], dict[str, str], list[tuple[str, str]]]:
    """*count* rollouts in *world*: their outcomes, the figures of the split, and what of it does not hold."""
    rollouts = Rollouts(world, seed, **bakes)
    outcomes: list[Outcome] = []
    try:
        rollouts.open()
        for index in range(1, count + 1):
            outcomes.append(rollouts.play(index))
            on_outcome(outcomes[-1])
        return outcomes, *uneven(rollouts.shares(), calls)
    finally:
        rollouts.close()


def figures(
    outcomes: Sequence[Outcome], split: dict[str, str], uneven: list[tuple[str, str]]
) -> dict[str, str]:
    """The figures by name, in the order in which they are shown."""
    total: Counter[str] = sum((each.figures for each in outcomes), Counter())
    names = sorted(total, key=lambda name: (name.startswith("candidates"), name))
    counted = Counter(kind for each in outcomes for kind, _text in each.violations)
    counted.update(kind for kind, _text in uneven)
    seconds = sorted(each.seconds for each in outcomes) or [0.0]
    found = {"rollouts": str(len(outcomes))} | {name: str(total[name]) for name in names} | split
    found["seconds per rollout (median, longest)"] = f"{seconds[len(seconds) // 2]:.1f}, {seconds[-1]:.1f}"
    return found | {name: str(counted[kind]) for kind, name in KINDS.items()}


def last_line(outcomes: Sequence[Outcome], uneven: list[tuple[str, str]]) -> str:
    """``N rollouts: L requests lost, A answers of a model that was refused``."""
    counted = Counter(kind for each in outcomes for kind, _text in each.violations)
    return (
        f"{len(outcomes)} rollouts: {counted[LOST]} {KINDS[LOST]}, {counted[REFUSED]} {KINDS[REFUSED]}, "
        f"{len(uneven)} {KINDS[SPLIT]}"
    )


def to_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON has it."""
    return {
        "index": outcome.candidate.index,
        "candidate": str(outcome.candidate),
        "seconds": outcome.seconds,
        "told": outcome.told,
        "figures": dict(outcome.figures),
        "violations": outcome.violations,
    }
