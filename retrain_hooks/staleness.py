"""Why a model would be trained, in the words of a preview: what changed since the last one, old to new."""

from __future__ import annotations

from typing import Any

from retrain_hooks.lifecycle import Props


def why(old: Props, new: Props) -> str:
    """The reasons, joined by commas; *old* and *new* are checked inputs, *old* empty at first, ``address`` included.

    ``DATA 2013-01 → 2013-02``, ``CODE``, ``PARAMETERS``, ``FORCED``, ``PINNED``; ``LOST attempt 1 → 2``
    where nothing else differs; ``NEW`` where there was none before.
    """
    if not old.get("runKey"):
        return "NEW"
    reasons = [
        _changed("PINNED", old.get("pin"), new.get("pin")),
        _changed(
            "DATA",
            _short(old["data"], "version", "digest"),
            _short(new["data"], "version", "digest"),
        ),
        _changed("CODE", _short(old["experiment"], "digest"), _short(new["experiment"], "digest")),
        _changed("PARAMETERS", _parameters(old), _parameters(new)),
        _changed("FORCED", old.get("force"), new.get("force")),
    ]
    found = [reason for reason in reasons if reason]
    return ", ".join(found) or _changed("LOST attempt", _attempt(old), _attempt(new))


def _changed(reason: str, old: Any, new: Any) -> str:
    if old == new:
        return ""
    return f"{reason} {old or 'none'} → {new or 'none'}"


def _attempt(props: Props) -> str:
    """The attempt that an address ends with."""
    return str(props.get("address") or "").rpartition("/")[2].partition(".")[0]


def _short(part: Props, *names: str) -> str:
    """The first name's value, with the start of the digest, which is what decides."""
    values = [str(part.get(name) or "") for name in names]
    values[-1] = values[-1][:8]
    return values[0] if len(values) == 1 else f"{values[0]} ({values[-1]})"


def _parameters(props: Props) -> str:
    parameters = dict(props.get("parameters") or {}) | {"seed": props.get("seed") or 0}
    return " ".join(f"{name}={_number(value)}" for name, value in sorted(parameters.items()))


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
