"""Values in a stack's file (`Pulumi.STACK.yaml`), changed in place: comments and order stay."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.errors import CliError
from cli.project import read_yaml

# The value of a line `key: value  # comment`, quoted or not, and the comment.
_REST = re.compile(
    r"""^(\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'](?:[^#]|(?<=\S)#)*?)?)(\s+\#.*|\s*)$""",
    re.ASCII,  # what Unicode calls a space is part of a value
)


def set_value(path: Path, key: str, value: Any) -> None:
    """Set a qualified key in a stack's file, which is made where it is missing."""
    from backend.yaml_files import load

    before = path.read_text() if path.exists() else ""
    after = changed(before, key, value)
    config = (load(after) or {}).get("config") or {}
    if config.get(key) != value:
        raise CliError(
            f"{path.name} is written in a way that can't be changed here", f"edit {key} in it by hand"
        )
    replace(path, after)


def unset_value(path: Path, key: str) -> bool:
    """Take a qualified key out of a stack's file, however long its value is; whether it was there."""
    from backend.yaml_files import load

    before = path.read_text() if path.exists() else ""
    config = dict((load(before) or {}).get("config") or {})
    if key not in config:
        return False
    after = without(before, key)
    del config[key]
    if ((load(after) or {}).get("config") or {}) != config:
        raise CliError(
            f"{path.name} is written in a way that can't be changed here", f"take {key} out of it by hand"
        )
    replace(path, after)
    return True


def without(text: str, key: str) -> str:
    """The text of a stack's file without one key, and what is below it."""
    lines = text.split("\n")
    found = next(((i, match) for i, line in enumerate(lines) if (match := _entry(key).match(line))), None)
    if found is None:
        return text
    start, entry = found
    indent = len(entry[1]) - len(entry[1].lstrip())
    below = re.compile(rf"\s{{{indent + 1}}}|\s{{{indent}}}-(\s|$)")
    end = start + 1
    while end < len(lines) and (
        below.match(lines[end]) or (not lines[end].strip() and _more(lines, end, below))
    ):
        end += 1
    kept = [*lines[:start], *lines[end:]]
    if not any(re.match(r"\s+[^\s#]", line) for line in kept):
        kept = [re.sub(r"^config:\s*$", "config: {}", line) for line in kept]
    return "\n".join(kept)


def _more(lines: list[str], at: int, below: re.Pattern[str]) -> bool:
    """Whether an empty line is within a value: what comes next belongs to it."""
    following = next((line for line in lines[at:] if line.strip()), "")
    return below.match(following) is not None


def _entry(key: str) -> re.Pattern[str]:
    return re.compile(rf"""^(\s+(["']?){re.escape(key)}\2\s*:)(.*)$""")


def changed(text: str, key: str, value: Any) -> str:
    """The text of a stack's file with one key set."""
    lines = text.removesuffix("\n").split("\n") if text else []
    entry = f"  {key}: {scalar(value)}"
    start = next(
        (i for i, line in enumerate(lines) if re.match(r"config:\s*(\{\s*\}\s*)?(#.*)?$", line)), None
    )
    if start is None:
        if any(line.startswith("config:") for line in lines):
            raise CliError("the stack's file has its configuration on one line", f"edit {key} in it by hand")
        return "\n".join([*lines, "config:", entry, ""])
    lines[start] = re.sub(r"\{\s*\}\s*", "", lines[start])
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " #"):
        end += 1
    for i in range(start + 1, end):
        if found := _entry(key).match(lines[i]):
            rest = _REST.match(found[3])
            nested = not found[3].split("#")[0].strip(" \t\r")
            if rest is None or nested:
                raise CliError(f"{key} holds more than a plain value", "edit it in the stack's file by hand")
            lines[i] = f"{found[1]} {scalar(value)}{rest[2].rstrip()}"
            return "\n".join([*lines, ""])
    while not lines[end - 1].strip():
        end -= 1
    return "\n".join([*lines[:end], entry, *lines[end:], ""])


def scalar(value: Any) -> str:
    """A value as YAML on one line; a text is quoted where it would be read as something else."""
    import yaml

    class OneLine(yaml.SafeDumper):
        """Writes a text of several lines between double quotes, with the ends of its lines as characters."""

    OneLine.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style='"' if len(text.splitlines()) > 1 or "\n" in text else None
        ),
    )
    text: str = yaml.dump(value, Dumper=OneLine, default_flow_style=True, width=2**31, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def for_this_run(stack_data: Mapping[str, Any], overrides: Mapping[str, str], salt: str | None) -> str:
    """A stack's file for one run of the CLI: with overrides (by qualified key), and the salt of the state's secrets.

    The CLI writes what it finds missing into the file that it is given, so the stack's own is never given to it.
    """
    import yaml

    content = dict(stack_data)
    content["config"] = {
        **(content.get("config") or {}),
        **{key: _structured(value) for key, value in overrides.items()},
    }
    if salt and "encryptionsalt" not in content:
        content["encryptionsalt"] = salt
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return text


def _structured(value: str) -> Any:
    """An object or a list, written as JSON, as what it is; anything else as it is written."""
    import json

    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, dict | list) else value


@contextmanager
def salt_kept_out(path: Path) -> Iterator[None]:
    """Take out again the salt that the CLI adds to a stack's file that has none: the state holds it too.

    Whatever else the CLI writes stays.
    """
    before = path.read_bytes() if path.exists() else None
    known = read_yaml(path)
    yield
    after = read_yaml(path)
    if after.pop("encryptionsalt", None) and after == known:
        path.unlink() if before is None else replace(path, before.decode())


def replace(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    if path.exists():
        part.chmod(path.stat().st_mode & 0o777)
    part.replace(path)
