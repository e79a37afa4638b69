"""A worker process: ``python -m localcloud.works.batch.worker``, one job after the other, without a database.

Reads one job a line from standard input and says on standard output how it goes, as JSON lines. It ends when its
server does, however that ends: standard input closes, and on Linux the kernel kills it with its parent.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import queue
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from graph import warm_up
from localcloud.facilities import logs
from localcloud.works.batch.computing import JobFailure
from localcloud.works.batch.execution import run_job

_PR_SET_PDEATHSIG = 1
_DETAILS_LIMIT = 4000

_log = logging.getLogger("localcloud.works.batch.worker")


def main() -> None:
    """Serve jobs until standard input ends."""
    _die_with_parent()
    # What libraries print must not get between the JSON lines.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(orders,), daemon=True).start()
    logs.configure()
    # What a learner warns of (it did not converge) belongs to its result, not to the server's log.
    warnings.simplefilter("ignore")

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")

    warm_up()
    say({"kind": "ready"})
    while True:
        order = orders.get()
        say({"kind": "begun"})
        say(_outcome(order, say))


def _die_with_parent() -> None:
    # Ctrl-C goes to the whole process group; the server decides what happens to its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # A parent that is gone by now has closed standard input, which ends this process too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _read_orders(orders: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        orders.put(line)
    os._exit(0)


def _outcome(order: str, say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    try:
        results = run_job(json.loads(order), lambda progress: say({"kind": "progress", "progress": progress}))
        return {"kind": "finished", "results": results}
    except JobFailure as failure:
        details = str(failure)
    except Exception as error:
        _log.exception("unexpected error in a job")
        details = f"Error 0000: Internal error: {type(error).__name__}: {error}"
    return {"kind": "failed", "details": " ".join(details.split())[:_DETAILS_LIMIT]}


if __name__ == "__main__":
    main()
