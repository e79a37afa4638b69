"""The start of a script that drives a local cloud with azure-ai-ml's MLClient, unchanged: `ml` and what it needs.

It runs in a process of its own: importing the SDK warns of what is not ours. It knows of the local cloud by its
`cloud_metadata`, trusts its authority by REQUESTS_CA_BUNDLE, and resolves names below `localhost` as RFC 6761 has it,
which not every resolver does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.cloud.azureml.aml import Aml
from tests.studio.running import ARM_TOKEN, SUBSCRIPTION
from tests.studio.shared import Shared

_START = """
import json, os, socket, time, warnings
warnings.simplefilter("ignore")
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **named: resolve(
    "127.0.0.1" if str(host).endswith(".localhost") else host, *more, **named
)
from azure.core.credentials import AccessToken
from azure.ai.ml import Input, MLClient, Output, command, load_job
from azure.ai.ml.entities import (
    CodeConfiguration, Data, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model,
)

class Credential:
    def get_token(self, *scopes, **named):
        return AccessToken(os.environ["TOKEN"], int(time.time()) + 3600)

place = os.environ["CLOUD"]
ml = MLClient(
    Credential(), os.environ["SUBSCRIPTION"], os.environ["GROUP"], os.environ["WORKSPACE"],
    enable_telemetry=False, show_progress=False, cloud="Local", cloud_metadata={
        "azure_portal": "https://portal.azure.com", "resource_manager": place,
        "active_directory": place, "aml_resource_id": "https://ml.azure.com",
        "storage_endpoint": "localhost:" + place.rpartition(":")[2], "registry_discovery_endpoint": place,
    },
)
say = lambda **said: print("\\nSAID " + json.dumps(said))
"""


def drive(aml: Aml, script: str, directory: Path, **environment: str) -> dict[str, object]:
    """Run a script after that start, in a directory; what it `say`s, by name, and all that it prints as `printed`."""
    assert isinstance(aml.cloud, Shared)
    known = {
        "CLOUD": f"https://127.0.0.1:{aml.cloud.https_port}",
        "TOKEN": ARM_TOKEN,
        "SUBSCRIPTION": SUBSCRIPTION,
        "GROUP": aml.group,
        "WORKSPACE": aml.name,
        "REQUESTS_CA_BUNDLE": str(aml.cloud.ca),
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        "AZUREML_RUN_POLLING_INTERVAL_MAX": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", _START + textwrap.dedent(script)],
        cwd=directory,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **known,
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    said: dict[str, object] = {"printed": done.stdout}
    for line in done.stdout.splitlines():
        if line.startswith("SAID "):
            said |= json.loads(line[5:])
    return said
