"""`./dev refresh`."""

from __future__ import annotations

from cli.options import AsJson, Config, Engine, EngineOption, Stack, Yes, overrides, wants_to_be_asked


def refresh(
    stack: Stack = "dev",
    config: Config = None,
    engine: EngineOption = Engine.auto,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Read how the services really are into the stack's state."""
    from cli.runners import Wishes, open_runner

    ask = wants_to_be_asked(yes, as_json)
    open_runner(stack, overrides(config), engine).refresh(Wishes(ask=ask, as_json=as_json))
