"""`./dev preview`."""

from __future__ import annotations

from cli.options import (
    AsJson,
    Config,
    Diff,
    Engine,
    EngineOption,
    Expect,
    Parallel,
    Quiet,
    Refresh,
    Stack,
    Target,
    overrides,
    with_expected,
)


def preview(
    stack: Stack = "dev",
    config: Config = None,
    engine: EngineOption = Engine.auto,
    refresh: Refresh = False,
    expect_no_changes: Quiet = False,
    diff: Diff = False,
    expect: Expect = None,
    target: Target = None,
    parallel: Parallel = None,
    as_json: AsJson = False,
) -> None:
    """Show what `up` would train and bind, old → new; nothing is submitted, nothing is written."""
    from cli.runners import Wishes, open_runner

    wishes = Wishes(
        as_json=as_json,
        refresh=refresh,
        expect_no_changes=expect_no_changes,
        diff=diff,
        targets=tuple(target or ()),
        parallel=parallel,
    )
    open_runner(stack, with_expected(overrides(config), expect), engine).preview(wishes)
