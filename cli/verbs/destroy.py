"""`./dev destroy`."""

from __future__ import annotations

from cli.options import AsJson, Config, Engine, EngineOption, Stack, Yes, overrides, wants_to_be_asked


def destroy(
    stack: Stack = "dev",
    config: Config = None,
    engine: EngineOption = Engine.auto,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Delete what the stack created; data, models and the ledger of runs stay."""
    from cli.runners import Wishes, open_runner

    ask = wants_to_be_asked(yes, as_json)
    open_runner(stack, overrides(config), engine).destroy(Wishes(ask=ask, as_json=as_json))
