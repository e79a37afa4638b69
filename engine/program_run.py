"""The program of a run: a process, or a function of this one, for tests, which mocks can't give a preview or a state."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping
from typing import Any

import grpc

from engine.children import program
from engine.children.processes import Child
from engine.events import Diagnostic
from engine.runs import Run
from engine.steps.executor import Executor


class Inline:
    """A function that runs in a thread, with the SDK's settings of its own; for the engine it is as a `Child`."""

    def __init__(self, function: Callable[[], Any], run: Run, settings: Mapping[str, Any]) -> None:
        self._status: int | None = None

        def declare() -> None:
            from pulumi import runtime

            runtime.set_all_config(run.texts, run.secret_keys)
            runtime.configure(runtime.Settings(**settings))
            self._status = program.run(function, run.ws.main, settings)

        def body() -> None:
            try:
                contextvars.Context().run(declare)
            except grpc.RpcError:
                pass  # the engine didn't wait for what it still had to say
            finally:
                run.wake.set()

        self._thread = threading.Thread(target=body, name="program", daemon=True)
        self._thread.start()

    def interrupt(self) -> None:
        """A function can't be interrupted; its registrations fail from now on."""

    def wait(self, timeout: float) -> int | None:
        """What it came to, or None while it runs on."""
        self._thread.join(timeout)
        return self._status


def report_exit(child: Child | Inline, executor: Executor) -> None:
    """Report a program that ended badly and hasn't said why."""
    status = child.wait(5)
    if not status:
        return
    executor.failures.extend(executor.logged)
    if status in (1, program.SHOWN) and executor.failures:
        return
    how = f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
    executor.diagnose(Diagnostic("error", f"the program {how}\nremedy: see what it printed"))
