"""`./dev cancel`."""

from __future__ import annotations

from cli.options import Engine, EngineOption, Stack


def cancel(stack: Stack = "dev", engine: EngineOption = Engine.auto) -> None:
    """Free the lock that another run holds on the stack."""
    from cli.runners import open_runner

    open_runner(stack, {}, engine, cloud=False).cancel()
