"""What a value of a document says: a plain one, an expression, or a secret; and the path of a blob."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PARAMETER = re.compile(r"@\{?\s*pipeline\(\)\.parameters\.(\w+)\s*\}?")
_SECRET_NAME = re.compile(
    r"passw|pwd|secret|credential|token|connection ?string|\bsas\b|sas(uri|token)|"
    r"(account|access|api|shared|storage|principal|primary|secondary)[ _-]?key",
    re.IGNORECASE,
)
_SECRETS = re.compile(r"apikey|serviceprincipalkey|sasuri|sastoken|accountkey|encryptedcredential|password")
_KEY = re.compile(r"(?:AccountKey|SharedAccessSignature|sig|Password|Pwd)=([^;&\"'\s]+)", re.IGNORECASE)
# A moment in a path: version 2's interpolation, version 1's partition or the variables of its slice.
_INTERPOLATED = re.compile(r"@\{[^{}]*\}")
_PARTITION = re.compile(r"\{(\w+)\}")
_SHORT = 6


@dataclass(frozen=True)
class Secret:
    """A value that is not to be written."""


@dataclass(frozen=True)
class Expression:
    """A value that is computed when the pipeline runs."""


def plain(value: Any, parameters: Mapping[str, Any]) -> Any:
    """The value, with the defaults of the pipeline's *parameters*; an Expression or a Secret where it is one."""
    if isinstance(value, dict):
        kind = str(value.get("type", "")).casefold()
        if kind in ("securestring", "azurekeyvaultsecret"):
            return Secret()
        if kind != "expression":
            return Expression()
        value = value.get("value")
        if isinstance(value, str) and value.startswith("["):
            return Expression()
    if not isinstance(value, str):
        return value
    if value.startswith("@@"):
        return value[1:]
    if found := _PARAMETER.fullmatch(value.strip()):
        declared = parameters.get(found[1])
        if not isinstance(declared, dict) or "defaultValue" not in declared:
            return Expression()
        return (
            Secret()
            if str(declared.get("type", "")).casefold() == "securestring"
            else declared["defaultValue"]
        )
    if value.startswith(("@", "$$")) and not value.startswith("@{"):
        return Expression()
    return value


def secret_name(name: str) -> bool:
    """Whether a value of this name is a secret."""
    return bool(_SECRET_NAME.search(name))


def secrets_in(value: Any, name: str = "") -> set[str]:
    """All secrets of a document, so that none of them gets into what is written or said."""
    if isinstance(value, dict):
        inner = name if str(value.get("type", "")).casefold() != "securestring" else "password"
        found = set()
        for key, one in value.items():
            found |= secrets_in(one, inner if key == "value" else key)
        return found
    if isinstance(value, list):
        return {one for each in value for one in secrets_in(each, name)}
    if not isinstance(value, str):
        return set()
    found = set(_KEY.findall(value))
    if _SECRETS.fullmatch(name.replace(" ", "").casefold()) or secret_name(name):
        found.add(value)
    return {one for one in found if len(one) >= _SHORT}


def without(text: str, secrets: set[str]) -> str:
    """*text* in which no secret is left."""
    for one in sorted(secrets, key=len, reverse=True):
        text = text.replace(one, "***")
    return text


@dataclass(frozen=True)
class Blob:
    """Where a blob is: its *container*, and its *path* in it, with the moments of a slice as ``{version}``."""

    container: str
    path: str
    problem: str = ""

    @classmethod
    def parse(cls, text: str) -> Blob:
        """``container/folder/file.csv`` → its parts; a SAS or a host in front is no part of it."""
        text = re.sub(r"^https?://[^/]+/", "", text.partition("?")[0]).strip("/")
        text = _INTERPOLATED.sub("{version}", text)
        text = _PARTITION.sub("{version}", text)
        moments = text.count("{version}")
        if moments > 1:
            first, last = text.index("{version}"), text.rindex("{version}")
            if "/" in text[first:last]:
                return cls(*_split(text), "several parts of its path change with the time")
            text = text[:first] + text[last:]
        return cls(*_split(text))

    def versioned(self) -> tuple[str, str]:
        """The path of the data's versions, and the version that there is now; empty where it changes with the time."""
        if "{version}" in self.path:
            return self.path, ""
        folder, _, name = self.path.rpartition("/")
        stem, dot, suffix = name.rpartition(".") if "." in name.lstrip(".") else (name, "", "")
        return f"{folder}{'/' if folder else ''}{{version}}{dot}{suffix}", stem


def _split(text: str) -> tuple[str, str]:
    container, _, path = text.partition("/")
    return container, path
