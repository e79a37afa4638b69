"""A deployment's processes: as many as it has instances, watched, and started again when they end.

In flight may be twice as many calls as they answer at once: half of them wait for their turn, and their waiting counts
as part of the time. A call that takes too long is given up and goes on in its instance, which stays busy with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from localcloud.azureml.serving.errors import NotServing, ScoringRefused
from localcloud.azureml.serving.instance import Instance, InstanceDied, Reply
from localcloud.azureml.serving.logs import bound, tail
from localcloud.azureml.serving.plan import Plan

_log = logging.getLogger("localcloud.azureml.serving")

_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)  # before an instance is started again, by how often it failed
_SHOWN_LINES = 20
_LONGEST_CALL = 300.0  # seconds; an instance that is busy with one for longer is started again


class Replicas:
    """The processes of a deployment; they write to `log`. Used from the event loop only."""

    def __init__(self, plan: Plan, log: Path) -> None:
        self.plan = plan
        self._calls: set[asyncio.Task[Reply]] = set()
        self._log = log
        self._keepers: dict[asyncio.Task[None], Instance | None] = {}
        self._busy: dict[Instance, int] = {}
        self._turns: deque[asyncio.Future[Instance]] = deque()

    @property
    def available(self) -> bool:
        """Whether an instance is ready."""
        return bool(self._busy)

    async def start(self) -> None:
        """Start all instances, and wait until each has loaded the model. Raises `NotServing`, and nothing is left."""
        self._keep(await self._started(self.plan.instances))

    def resume(self) -> None:
        """Start them in the background; calls wait."""
        self._keep([None] * self.plan.instances)

    async def resize(self, plan: Plan) -> None:
        """Start the instances that are wanted more, or end some, once they are idle. Raises `NotServing`."""
        more = plan.instances - self.plan.instances
        if more > 0:
            self._keep(await self._started(more))
        self.plan = plan
        leaving = list(self._keepers)[plan.instances :]
        await asyncio.gather(*(self._retire(keeper) for keeper in leaving))

    async def _retire(self, keeper: asyncio.Task[None]) -> None:
        """End an instance once its calls are answered."""
        instance = self._keepers[keeper]
        if instance is not None:
            self._busy.pop(instance, None)
            await instance.idle(self.plan.settings.timeout)
        del self._keepers[keeper]
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)

    async def end(self) -> None:
        """End all processes."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers = {}

    async def drain(self) -> None:
        """End it once the calls in progress are answered."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=self.plan.settings.timeout)
        await self.end()

    async def score(self, body: bytes) -> Reply:
        """Answer a call. Raises `ScoringRefused`."""
        settings = self.plan.settings
        if len(self._calls) >= 2 * settings.concurrent * self.plan.instances:
            raise ScoringRefused(
                429,
                "TooManyRequests",
                f"The deployment answers {settings.concurrent * self.plan.instances} calls at once, and as many wait.",
            )
        turn = asyncio.Event()
        call = asyncio.create_task(self._answer(body, turn))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(settings.timeout):
                return await asyncio.shield(call)
        except TimeoutError:
            if not self.available:
                message = "No instance of the deployment is ready."
                raise ScoringRefused(503, "ServiceUnavailable", message) from None
            message = f"The model did not answer within {settings.timeout:g} s (requestTimeout)."
            raise ScoringRefused(408, "RequestTimeout", message) from None
        finally:
            if not turn.is_set():
                call.cancel()

    def _ended(self, call: asyncio.Task[Reply]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # of a call that was given up nobody hears

    async def _answer(self, body: bytes, turn: asyncio.Event) -> Reply:
        """Wait for a turn, say so by `turn`, and answer. Raises `ScoringRefused`."""
        instance = await self._free()
        turn.set()
        try:
            async with asyncio.timeout(max(_LONGEST_CALL, self.plan.settings.timeout)):
                return await instance.call(body)
        except InstanceDied:
            message = "The instance ended while it answered; it is started again."
            raise ScoringRefused(502, "BadGateway", message) from None
        except TimeoutError:
            await instance.end()  # its keeper starts another
            raise ScoringRefused(408, "RequestTimeout", "The model did not answer.") from None
        finally:
            if instance in self._busy:
                self._busy[instance] -= 1
                self._hand_on()

    async def _free(self) -> Instance:
        """An instance that can take a call; it counts as taken."""
        turn: asyncio.Future[Instance] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        self._hand_on()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result() in self._busy:
                self._busy[turn.result()] -= 1
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        """Give free instances to those who wait, the least busy first."""
        while self._turns:
            alive = [one for one in self._busy if not one.ended.is_set()]
            if not alive:
                return
            instance = min(alive, key=self._busy.__getitem__)
            if self._busy[instance] >= self.plan.settings.concurrent:
                return
            turn = self._turns.popleft()
            if not turn.done():
                self._busy[instance] += 1
                turn.set_result(instance)

    async def _started(self, number: int) -> list[Instance]:
        """So many new instances, all ready. Raises `NotServing`, and ends them all."""
        starts = [asyncio.create_task(self._first()) for _ in range(number)]
        try:
            return list(await asyncio.gather(*starts))
        except BaseException:
            for start in starts:
                start.cancel()
            for started in await asyncio.gather(*starts, return_exceptions=True):
                if isinstance(started, Instance):
                    await started.end()
            raise

    async def _first(self) -> Instance:
        """A new instance, ready. Raises `NotServing`."""
        try:
            instance = await Instance.start(self.plan, self._log)
        except OSError as error:
            raise NotServing(
                "BadArgument", f"{self.plan.python} cannot be started: {error.strerror}"
            ) from None
        try:
            reason = await self._not_ready(instance)
        except BaseException:
            await instance.end()
            raise
        if not reason:
            return instance
        await instance.end()
        lines = await asyncio.to_thread(tail, self._log, _SHOWN_LINES)
        raise NotServing("ResourceNotReady", f"{reason} The last lines of its log:\n{lines}")

    async def _not_ready(self, instance: Instance) -> str:
        """Wait until an instance is ready; why it is not."""
        waits = [asyncio.create_task(event.wait()) for event in (instance.ready, instance.ended)]
        try:
            await asyncio.wait(waits, timeout=self.plan.probes.patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if instance.ended.is_set():
            status = instance.status or 0
            how = f"by signal {-status}" if status < 0 else f"with {status}"
            return f"User container has crashed or terminated: it ended {how} before the model was loaded."
        if instance.ready.is_set():
            return ""
        return f"The model was not loaded within {self.plan.probes.patience:g} s, the time that its probes leave."

    def _keep(self, instances: Iterable[Instance | None]) -> None:
        for instance in instances:
            if instance is not None:
                self._busy[instance] = 0
            self._keepers[asyncio.create_task(self._keeping(instance))] = instance
        self._hand_on()

    async def _keeping(self, instance: Instance | None) -> None:
        """See to it that there is this one instance, or one in its place, until cancelled."""
        failures, task = 0, asyncio.current_task()
        assert task is not None
        try:
            while True:
                if instance is None:
                    await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                    try:
                        instance = await self._first()
                    except NotServing as error:
                        failures += 1
                        _log.warning("an instance does not start again: %s", str(error).partition("\n")[0])
                        continue
                    failures = 0
                    self._keepers[task] = instance
                    self._busy[instance] = 0
                    self._hand_on()
                await self._watch(instance)
                self._busy.pop(instance, None)
                _log.warning("an instance ended with status %s; it is started again", instance.status)
                instance = self._keepers[task] = None
                failures += 1
        finally:
            if instance is not None:
                self._busy.pop(instance, None)
                await instance.end()

    async def _watch(self, instance: Instance) -> None:
        """Return when it has ended, by itself or because it does not live."""
        probes, failures = self.plan.probes, 0
        while not instance.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(probes.period):
                    await instance.ended.wait()
                break
            await asyncio.to_thread(bound, self._log)
            failures = 0 if await instance.alive(probes.timeout) else failures + 1
            if failures >= probes.failures:
                self._busy.pop(instance, None)  # no call goes to it any more
                await instance.end()
