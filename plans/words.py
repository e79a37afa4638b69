"""A plan in words, as lines that fit a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from plans.plan import Plan
from plans.stage import Stage

WIDEST = 100
_NARROWEST = 60
_TITLES = 11
_MOST = 8
_DONE = {
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    "replace": "replaced",
    "leave": "left as it is",
}
_PLANNED = {
    "update": "change",
    "leave": "leave as it is",
}


def as_text(plan: Plan, width: int = WIDEST) -> str:
    """The plan in lines of at most `width` characters (60 to 100)."""
    return "\n".join(_lines(plan, max(_NARROWEST, min(width, WIDEST))))


def headline(plan: Plan) -> str:
    """The plan in one line."""
    if not plan.stages:
        return "nothing changes" if not plan.done else "nothing was changed"
    told: dict[str, list[str]] = {}
    for stage in plan.told:
        if stage.kind != "DataVersion":
            told.setdefault(stage.does[plan.done], []).append(stage.about)
    return ", ".join(
        [
            *(f"{does} {' and '.join(about)}" for does, about in told.items()),
            *(f"{word(operation, plan.done)} {len(each)}" for operation, each in plan.others.items()),
        ]
    ) or ("look up data")


def word(operation: str, done: bool) -> str:
    """The operation, before or after it."""
    return (_DONE if done else _PLANNED).get(operation, operation)


def _lines(plan: Plan, width: int) -> Iterator[str]:
    yield from _wrapped(f"{'Done for' if plan.done else 'Plan for'} {plan.stack}: ", headline(plan), width)
    for section in plan.sections:
        yield ""
        yield _cut(f"{_mark(section.stages[0])} {section.title}", width)
        for title, text in section.words:
            yield from _wrapped(f"    {title:<{_TITLES}}", text, width)
    if plan.others or plan.unchanged:
        yield ""
    for operation, stages in plan.others.items():
        yield from _wrapped(f"  {word(operation, plan.done)}: ", _named(stages), width)
    if plan.drifted:
        yield from _wrapped("  changed by others since the last update: ", ", ".join(plan.drifted), width)
    if plan.unchanged:
        yield f"  unchanged: {plan.unchanged} resource" + "s" * (plan.unchanged != 1)
    if plan.stages and not plan.deletes:
        yield "  deleted: nothing"


def _mark(stage: Stage) -> str:
    return {"create": "+", "adopt": ">", "take over": ">"}.get(stage.operation, "~")


def _named(stages: list[Stage]) -> str:
    """The names, the first few of many."""
    names = [stage.name for stage in stages]
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return f"{len(names)} ({', '.join(names[:_MOST])}{more})"


def _wrapped(head: str, text: str, width: int) -> list[str]:
    indent = " " * (4 + _TITLES) if head.startswith("    ") else "    "
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False
    ) or [head]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
