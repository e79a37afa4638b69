"""What runs a stack's verbs: the Pulumi CLI where it is on PATH, the embedded engine elsewhere.

`open_runner` chooses, after it has seen to it that the stack's target is there.
"""

from __future__ import annotations

from collections.abc import Collection

from cli.options import Engine
from cli.runners.run import Run, Runner


def environment(stack: str, overrides: dict[str, str], *, cloud: bool = True) -> dict[str, str]:
    """What the program and the providers find in their environment; starts the local cloud where it is the target.

    It is, too, where the environment names its Resource Manager: the providers then sign in as the environment says.
    """
    from cli.project import cloud_file, is_local

    if not cloud:
        return {}
    local, named = is_local(stack, overrides), _named_by_environment()
    if not local and not named:
        return {}
    from cli.cloud.supervisor import Supervisor
    from cli.console import say

    found = Supervisor(say=say).start()
    attached = {"PULUMI_DEBUG_PROVIDERS": f"azure-native:{found.azureNative}"}
    return attached | ({"RETRAIN_CLOUD_FILE": str(cloud_file())} if local else {})


def _named_by_environment() -> bool:
    """Whether the environment's Resource Manager is this checkout's local cloud."""
    import os

    from cli.cloud import settings
    from cli.project import cloud_file

    url = os.environ.get("RETRAIN_ARM_URL", "").rstrip("/")
    found = settings.load(cloud_file()) if url else None
    return found is not None and url in (found.studio, found.studioHttps)


def open_runner(
    stack: str,
    overrides: dict[str, str],
    engine: Engine,
    *,
    cloud: bool = True,
    asked: Collection[str] = (),
) -> Runner:
    """The engine for one verb on one stack; `cloud=False` for verbs that call no service.

    `asked` names what program and providers are asked to do (`cli.wishes`).
    """
    from cli.project import qualified, stack_config
    from cli.runners import pulumi

    named = {qualified(key): value for key, value in overrides.items()}
    stack_config(stack)  # refuses keys that are none
    executable = None if engine is Engine.embedded else pulumi.find(required=engine is Engine.pulumi)
    env = environment(stack, overrides, cloud=cloud) | dict.fromkeys(asked, "1")
    run = Run(stack, named, env)
    if executable:
        return pulumi.PulumiRunner(run, executable)
    from cli.runners.embedded import EmbeddedRunner

    return EmbeddedRunner(run)
