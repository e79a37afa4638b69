"""Runs a Pulumi program for the engine, as the CLI's `pulumi-language-python-exec` does.

Started as a script: `python program.py <engine process id> <settings as JSON> <program>`. Imports nothing of the
engine, so that the program's own modules can't be shadowed.
"""

import os
import sys

if __name__ == "__main__":
    sys.path.pop(0)

import asyncio
import ctypes
import json
import logging
import runpy
import signal
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

SHOWN = 32  # exit status: the user has been told what is wrong


def die_with_parent(parent: int) -> None:
    """End with the engine, however it ends (Linux)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit("the engine is gone")


def user_traceback(program: Path) -> str:
    """The exception in flight, from the program's own first frame on."""
    kind, error, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)
    for index, frame in enumerate(frames):
        if not frame.filename.startswith("<") and Path(frame.filename).absolute().is_relative_to(program):
            return "".join(traceback.format_exception(kind, error, trace, limit=index - len(frames)))
    return traceback.format_exc()


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


def main(argv: list[str]) -> int:
    """Run the program; the exit status is 0, 1 (a RunError, logged) or 32 (an exception, logged)."""
    parent, settings, program = int(argv[1]), json.loads(argv[2]), Path(argv[3]).absolute()
    die_with_parent(parent)

    import pulumi
    import pulumi.runtime

    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
    sys.argv = [str(program)]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(settings["parallel"], 1) * 4)
    loop.set_default_executor(executor)
    # A run that fails leaves futures unobserved; asyncio's complaints about them would hide the cause.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        os._exit(130)  # the engine says why; a traceback of the event loop says nothing

    signal.signal(signal.SIGINT, interrupted)

    def run() -> Any:
        runpy.run_path(str(program), run_name="__main__")
        return settle()

    status = 1
    try:
        if program.is_dir() and not (program / "__main__.py").exists():
            pulumi.log.error(f"unable to find main python program `__main__.py` in `{program}`")
            return SHOWN
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
        status = 0
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except Exception:
        pulumi.log.error("Program failed with an unhandled exception:\n" + user_traceback(program))
        status = SHOWN
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv))
