"""A program that is a function of this process: for tests, which mocks can't give a preview or a state.

result = up(ws, Options(program=declare, env={"PULUMI_DEBUG_PROVIDERS": f"things:{port}"}), events.append)
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from engine.events import Diagnostic
from engine.program import settle

if TYPE_CHECKING:
    from engine.steps import Executor


class InlineProgram:
    """Runs the function in a thread with the SDK's settings of its own."""

    def __init__(
        self,
        program: Callable[[], Any],
        settings: Mapping[str, Any],
        config: Mapping[str, str],
        secrets: list[str],
    ) -> None:
        self._program = program
        self._settings = settings
        self._config = dict(config)
        self._secrets = secrets
        self._thread: threading.Thread | None = None
        self._executor: Executor | None = None

    def start(self, executor: Executor, wake: threading.Event) -> None:
        """Start it; `wake` is set when it ends."""
        self._executor = executor
        context = contextvars.Context()

        def run() -> None:
            try:
                context.run(self._run)
            finally:
                wake.set()

        self._thread = threading.Thread(target=run, name="program", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        import pulumi
        from pulumi import runtime
        from pulumi.runtime.settings import ROOT

        ROOT.set(None)
        runtime.configure(runtime.Settings(**self._settings))
        runtime.set_all_config(self._config, self._secrets)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        threads = ThreadPoolExecutor(max_workers=self._settings["parallel"] * 4)
        loop.set_default_executor(threads)
        try:
            loop.run_until_complete(runtime.run_in_stack(self._run_program))
        except pulumi.RunError as error:
            self._say(str(error))
        except Exception:
            self._say("Program failed with an unhandled exception:\n" + traceback.format_exc())
        finally:
            # What a failed program leaves is let end: a coroutine that never began would be warned of, anywhere.
            if left := asyncio.all_tasks(loop):
                for task in left:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(left, timeout=1))
            threads.shutdown(wait=True, cancel_futures=True)
            loop.close()
            asyncio.set_event_loop(None)

    async def _run_program(self) -> None:
        result = self._program()
        if inspect.isawaitable(result):
            await result
        await settle()

    def _say(self, message: str) -> None:
        if self._executor is not None:
            self._executor.diagnose(Diagnostic("error", message))

    def check_exit(self) -> None:
        """What failed has been said."""
        self.wait(5)

    def interrupt(self) -> None:
        """A function can't be interrupted; its registrations fail from now on."""

    def wait(self, timeout: float) -> int | None:
        """0 when it has ended."""
        if self._thread is None:
            return None
        self._thread.join(timeout)
        return None if self._thread.is_alive() else 0
