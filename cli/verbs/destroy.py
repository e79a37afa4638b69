"""`./dev destroy`."""

from __future__ import annotations

from cli.options import (
    AsJson,
    Config,
    Engine,
    EngineOption,
    Parallel,
    Stack,
    Target,
    Yes,
    overrides,
    wants_to_be_asked,
)


def destroy(
    stack: Stack = "dev",
    config: Config = None,
    engine: EngineOption = Engine.auto,
    target: Target = None,
    parallel: Parallel = None,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Delete what the stack created; data, models and the ledger of runs stay."""
    from cli.runners import Wishes, open_runner

    ask = wants_to_be_asked(yes, as_json)
    wishes = Wishes(ask=ask, as_json=as_json, targets=tuple(target or ()), parallel=parallel)
    open_runner(stack, overrides(config), engine).destroy(wishes)
