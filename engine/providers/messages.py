"""What providers and programs say when they fail, cut to what a user needs."""

from __future__ import annotations

import re

_HEAD = "Traceback (most recent call last):"
_TYPED = re.compile(r"^(?P<type>[A-Za-z_][\w.]*): (?P<text>.*)$", re.DOTALL)


def provider_message(details: str) -> str:
    """The error in a dynamic provider's answer, which is a Python traceback, without the frames.

    An exception with a remedy is one of ours: its text stands for itself. Of others the type's name stays.
    """
    text = details.strip()
    if _HEAD in text:
        lines = text.rsplit(_HEAD, 1)[1].splitlines()
        start = next((i for i, line in enumerate(lines) if line and not line.startswith(" ")), 0)
        text = "\n".join(lines[start:]).strip() or text
    match = _TYPED.match(text)
    if match is None or ("." not in match["type"] and not match["type"].endswith(("Error", "Exception"))):
        return text
    if "\nremedy: " in match["text"]:
        return match["text"]
    return f"{match['type'].rsplit('.', 1)[-1]}: {match['text']}"
