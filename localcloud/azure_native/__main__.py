"""`python -m localcloud.azure_native --cloud-file FILE --port PORT`: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from localcloud.azure_native.errors import ProviderError
from localcloud.azure_native.server import Server


def main(arguments: list[str] | None = None) -> int:
    """Serve the stand-in; returns the exit status (2: it could not start)."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.azure_native", description=__doc__)
    parser.add_argument(
        "--cloud-file", type=Path, required=True, help="what the local cloud's supervisor writes"
    )
    parser.add_argument("--port", type=int, required=True, help="loopback port; 0 takes a free one")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the local cloud logs each call already
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    try:
        server = Server(options.cloud_file, options.port)
    except ProviderError as error:
        print(f"error: {error.cause}\nremedy: {error.remedy}", file=sys.stderr)
        return 2
    server.start()
    print(f"azure-native answers on 127.0.0.1:{server.port}", file=sys.stderr, flush=True)
    stopped.wait()
    server.stop()
    # A call may wait for the local cloud for a minute, and Python would join its thread; a stop is at once.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
