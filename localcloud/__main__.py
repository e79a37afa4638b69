"""``python -m localcloud --cloud-file F --port P1 --blob-port P2 --data-dir D [--https-port P3]``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

_CANNOT_START = 2


def main() -> int:
    """Run the local cloud; 2, with cause and remedy on standard error, where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m localcloud", description="The local cloud, on loopback.")
    parser.add_argument(
        "--cloud-file", type=Path, required=True, help="addresses and keys of the local cloud"
    )
    parser.add_argument("--port", type=int, required=True, help="the local cloud's port")
    parser.add_argument("--https-port", type=int, help="a second port of the local cloud, with HTTPS")
    parser.add_argument("--blob-port", type=int, required=True, help="the blob proxy's port")
    parser.add_argument("--data-dir", type=Path, required=True, help="where the local cloud keeps its state")
    parser.add_argument("--log-dir", type=Path, help="a folder of logs to keep short")
    parser.add_argument("--workers", type=int, help="worker processes for batch jobs (default: one a core)")
    parser.add_argument(
        "--executor", default="processes", help="where jobs run: processes, or a Dask scheduler's address"
    )
    parser.add_argument("--allow-faults", action="store_true", help="let /_local/faults make it misbehave")
    parser.add_argument("--allow-scripts", action="store_true", help="run graphs with Execute Python Script")
    arguments = parser.parse_args()

    from localcloud.facilities import logs
    from localcloud.facilities.cloud import read_cloud
    from localcloud.facilities.errors import StartError
    from localcloud.server.process import serve

    logs.configure()
    try:
        cloud = read_cloud(arguments.cloud_file)
        serve(
            cloud,
            arguments.port,
            arguments.blob_port,
            arguments.data_dir,
            workers=arguments.workers,
            executor=arguments.executor,
            https_port=arguments.https_port,
            log_dir=arguments.log_dir,
            allow_faults=arguments.allow_faults,
            allow_scripts=arguments.allow_scripts,
        )
    except StartError as error:
        print(f"error: {error.cause}\nremedy: {error.remedy}", file=sys.stderr)
        return _CANNOT_START
    # All is saved and the workers are gone. Unloading the libraries would take longer than stopping did.
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
