"""Runs `pulumi.dynamic` so that it ends with the engine: `python -u provider_host.py <engine address>`.

The engine's process id comes in `PULUMI_ENGINE_PID`. The provider finds the engine's address as its `argv[1]`,
as under the CLI.
"""

import os
import sys

sys.path[0] = ""

import ctypes  # noqa: E402
import runpy  # noqa: E402
import signal  # noqa: E402


def main() -> None:
    """Serve dynamic providers until the engine ends."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != int(os.environ.pop("PULUMI_ENGINE_PID")):
        sys.exit("the engine is gone")
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
