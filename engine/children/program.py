"""Runs a Pulumi program, or the dynamic providers of one, for the engine.

Started as a script, which ends with the engine:

    python program.py <engine process id> program <settings as JSON> <program>
    python program.py <engine process id> providers <engine address>

Imports nothing of the engine, so that the program's own modules can't be shadowed.
"""

import os
import sys

if __name__ == "__main__":
    sys.path.pop(0)

import asyncio
import ctypes
import inspect
import json
import logging
import runpy
import signal
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SHOWN = 32  # exit status: the user has been told what is wrong


def run(program: Callable[[], Any], folder: Path, settings: Mapping[str, Any]) -> int:
    """Run a program that is a function, as the CLI's `pulumi-language-python-exec` does with one of files in `folder`.

    The SDK is configured, with these `settings`. The result is 0, 1 (a RunError, logged) or 32 (an exception, logged).
    """
    import pulumi
    import pulumi.runtime

    # A run that fails leaves futures unobserved; asyncio's complaints about them would hide the cause.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(max_workers=max(settings["parallel"], 1) * 4)
    loop.set_default_executor(threads)

    async def declare() -> None:
        result = program()
        if inspect.isawaitable(result):
            await result
        await settle()

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(declare))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:
        pulumi.log.error("Program failed with an unhandled exception:\n" + user_traceback(folder))
        return SHOWN
    finally:
        # What a failed program leaves is let end: a coroutine that never began would be warned of, anywhere.
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left, timeout=1))
        threads.shutdown(wait=True, cancel_futures=True)
        loop.close()
        asyncio.set_event_loop(None)
    return 0


async def settle() -> None:
    """Wait until nothing that the program has begun is under way, or something of it failed.

    The SDK does so too, but looks at all that is under way each time that one thing ends: with a thousand resources
    most of a run's time. What it finds done it takes at once.
    """
    from pulumi.runtime.settings import SETTINGS, _get_rpc_manager, get_root_resource

    if getattr(get_root_resource(), "_async_program", None) is not None:
        return  # what is under way may wait for that
    await asyncio.sleep(0)
    while under_way := [task for task in (*_get_rpc_manager().rpcs, *SETTINGS.outputs) if not task.done()]:
        done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_EXCEPTION)
        if any(not task.cancelled() and task.exception() for task in done):
            return


def user_traceback(folder: Path) -> str:
    """The exception in flight, from the first frame of the program's own folder on."""
    kind, error, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)
    for index, frame in enumerate(frames):
        if not frame.filename.startswith("<") and Path(frame.filename).absolute().is_relative_to(folder):
            return "".join(traceback.format_exception(kind, error, trace, limit=index - len(frames)))
    return traceback.format_exc()


def main(engine: str, what: str, *arguments: str) -> int:
    """Run the program, or serve its providers until the engine ends (on Linux, however it ends)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != int(engine):
        sys.exit("the engine is gone")
    if what == "providers":
        sys.path.insert(0, "")
        sys.argv[1:] = arguments  # a provider finds the engine's address as its `argv[1]`, as under the CLI
        runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
        return 0

    import pulumi
    from pulumi import runtime

    settings, program = json.loads(arguments[0]), Path(arguments[1]).absolute()
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    runtime.configure(runtime.Settings(**settings))
    if program.is_dir() and not (program / "__main__.py").exists():
        pulumi.log.error(f"unable to find main python program `__main__.py` in `{program}`")
        return SHOWN
    sys.argv = [str(program)]
    # The engine says why; a traceback of the event loop says nothing.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    return run(lambda: runpy.run_path(str(program), run_name="__main__") and None, program, settings)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
