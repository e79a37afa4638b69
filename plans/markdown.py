"""A plan as Markdown: one comment on a pull request, details folded."""

from __future__ import annotations

import re

from plans.plan import Plan
from plans.words import headline, word

MARKER = "<!-- retraining plan: {stack} -->"
"""What the comment of a stack begins with, so that the next one replaces it."""
LIMIT = 60_000
"""Characters: GitHub takes 65,536 in a comment, Azure DevOps 150,000, GitLab a million."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~@])")


def as_markdown(plan: Plan) -> str:
    """The plan; cut where it would be longer than `LIMIT`."""
    parts = [MARKER.format(stack=plan.stack), f"### Plan for `{plan.stack}`: {_text(headline(plan))}", ""]
    for section in plan.sections:
        if section.stages[0].kind == "DataVersion":
            continue
        parts += [f"**{_text(section.title)}**", "", "| | |", "|---|---|"]
        parts += [f"| {title} | {_text(text)} |" for title, text in section.words]
        parts.append("")
    if deleted := plan.deletes:
        parts += [
            "> [!WARNING]",
            f"> Deleted or replaced: {_text(', '.join(each.name for each in deleted))}",
            "",
        ]
    if plan.drifted:
        parts += [f"Changed by others since the last update: {_text(', '.join(plan.drifted))}", ""]
    if plan.stages:
        parts += ["<details><summary>All steps</summary>", ""]
        parts += [
            f"- {word(each.operation, plan.done)} {_text(each.name)} ({_text(each.kind)})"
            for each in plan.stages
        ]
        parts += ["", "</details>", ""]
    parts.append(f"{plan.unchanged} unchanged")
    return _fitting(parts)


def as_summary(plan: Plan) -> str:
    """The plan in one line, for a chat."""
    return f"{plan.stack}: {headline(plan)}"


def _fitting(parts: list[str]) -> str:
    text = "\n".join(parts) + "\n"
    if len(text) <= LIMIT:
        return text
    kept, size = [], 0
    for part in parts:
        size += len(part) + 1
        if size > LIMIT - 200:
            break
        kept.append(part)
    folded = sum("<details>" in each for each in kept) > sum("</details>" in each for each in kept)
    end = ["", "</details>"] * folded
    return "\n".join(
        [*kept, *end, "", "The rest is left out: the comment would be too long. See `./dev preview`.", ""]
    )


def _text(text: str) -> str:
    """Text as it is, and mentions nobody."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ").replace("\\@", "@\u200b")
