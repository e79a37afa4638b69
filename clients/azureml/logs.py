"""The end of a job's or a deployment's log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.azureml.workspace import AzureMlWorkspace
from clients.http.transport import Transport

_STANDARD = "user_logs/std_log.txt"
_BYTES = 4096
_LINE = 200


def tail(workspace: AzureMlWorkspace, files: Mapping[str, Any], most: int) -> str:
    """The last line of a job's own log, of which at most 4 KB are read; *files* are the addresses of its logs by name.

    The addresses are signed: they are in no error.
    """
    address = str(files.get(_STANDARD) or "")
    if not address:
        return ""
    log = Transport("the job's log", address.partition("?")[0], remedy=workspace.target.remedy)
    size = int(log.send("HEAD", address, retried=True).headers.get("Content-Length") or 0)
    if not size:
        return ""
    wanted = {"x-ms-range": f"bytes={max(0, size - _BYTES)}-{size - 1}"}
    said = log.send("GET", address, headers=wanted).content.decode("utf-8", "replace")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:most] if lines else ""


def of_deployment(workspace: AzureMlWorkspace, deployment: str, lines: int) -> str:
    """The last lines of a deployment's inference server, in one; of a long line its beginning."""
    said = workspace.arm.ask(f"{deployment}/getLogs", {"tail": lines, "containerType": "InferenceServer"})
    content = str(said.get("content") or "").splitlines()
    return " | ".join(line.strip()[:_LINE] for line in content if line.strip())
