"""`./dev up`."""

from __future__ import annotations

from cli.options import (
    AsJson,
    Config,
    Engine,
    EngineOption,
    Expect,
    GoOn,
    Parallel,
    Refresh,
    Stack,
    Target,
    Yes,
    overrides,
    wants_to_be_asked,
    with_expected,
)


def up(
    stack: Stack = "dev",
    config: Config = None,
    engine: EngineOption = Engine.auto,
    refresh: Refresh = False,
    expect: Expect = None,
    target: Target = None,
    parallel: Parallel = None,
    continue_on_error: GoOn = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Train what is to be trained, bind it, and show what the endpoint answers."""
    from cli.runners import Wishes, open_runner

    ask = wants_to_be_asked(yes, as_json)
    runner = open_runner(stack, with_expected(overrides(config), expect), engine)
    runner.up(
        Wishes(
            ask=ask,
            as_json=as_json,
            refresh=refresh,
            targets=tuple(target or ()),
            parallel=parallel,
            continue_on_error=continue_on_error,
        )
    )
    if not as_json:
        from cli.console import out
        from retrain_hooks.report import after_up

        after_up(runner.outputs(), out())
