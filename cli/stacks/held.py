"""Holding the stacks that live in the local cloud, so that nothing runs in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from cli.errors import CliError
from cli.project import backend_of, is_local
from cli.stacks.names import with_files


@contextlib.contextmanager
def all_local_stacks(warn: Callable[[str], None]) -> Iterator[None]:
    """Hold every stack of this checkout whose target is the local cloud. Raises LockedError, which names who runs."""
    with contextlib.ExitStack() as held:
        for stack in sorted({*with_files(), *_once_held()}):
            if _may_be_local(stack) and (backend := backend_of(stack)) is not None:
                held.enter_context(backend.locked(warn))
        yield


def _once_held() -> list[str]:
    """The stacks that were ever run: one may have no state, and no file any more."""
    backend = backend_of("dev")
    folder = backend.locks.parent if backend else None
    return [path.name for path in folder.iterdir() if path.is_dir()] if folder and folder.is_dir() else []


def _may_be_local(stack: str) -> bool:
    try:
        return is_local(stack)
    except CliError:  # a file that can't be read does not say
        return True
