"""Paths with ``{member}`` and ``{version}`` in them: which blob is whose, and of which version."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from clients.errors import ConfigurationError
from clients.storage import Blob
from retrain_hooks.data.datasets import as_regex
from retrain_hooks.data.inputs import PLACEHOLDER

MEMBER, VERSION = "{member}", PLACEHOLDER
_PLACES = re.compile(r"(\{member\}|\{version\})")
_GROUPS = {MEMBER: "(?P<member>[^/]+)", VERSION: "(?P<version>[^/]+)"}

# Blobs by version, and those by member; a path without one of the two has it empty.
Versions = dict[str, list[Blob]]
Layout = dict[str, Versions]


@dataclass(frozen=True)
class Pattern:
    """A path in pieces: each is ``{member}``, ``{version}``, a text as it was written, or the name that was *filled* in."""

    pieces: tuple[tuple[str, bool], ...]

    @classmethod
    def parse(cls, path: str) -> Pattern:
        """Read one. Raises ConfigurationError where a name of a blob could be read in two ways."""
        found = cls(tuple((piece, False) for piece in _PLACES.split(path) if piece))
        if found.count(VERSION) > 1 or found.count(MEMBER) > 1:
            raise ConfigurationError(
                f"{path!r} holds a placeholder twice", f"write each of {MEMBER} and {VERSION} once at most"
            )
        for name in path.split("/"):
            if sum(name.count(each) for each in (MEMBER, VERSION, "*")) > 1 and MEMBER in name:
                raise ConfigurationError(
                    f"in {path!r} nobody can say where the name of a member ends",
                    f"give {MEMBER} a folder or name of its own, as in flights/{MEMBER}/{VERSION}.csv",
                )
        return found

    def count(self, place: str) -> int:
        """How often it holds ``{member}`` or ``{version}``."""
        return self.pieces.count((place, False))

    def filled(self, place: str, name: str) -> Pattern:
        """The same with *name* in that place: a name is itself, whatever characters it has."""
        return Pattern(tuple((name, True) if piece == (place, False) else piece for piece in self.pieces))

    @property
    def beginning(self) -> str:
        """What all names of blobs begin with."""
        found = ""
        for text, given in self.pieces:
            if given:
                found += text
            elif text in _GROUPS:
                break
            else:
                found += text.partition("*")[0]
                if "*" in text:
                    break
        return found

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """What the names match: ``*`` stays within a folder, a final slash means all below it."""
        parts = [
            re.escape(text) if given else _GROUPS.get(text) or as_regex(text) for text, given in self.pieces
        ]
        below = ".+" if self.pieces and self.pieces[-1][0].endswith("/") else ""
        return re.compile("".join(parts) + below, re.DOTALL)

    def layout(self, blobs: Iterable[Blob]) -> Layout:
        """Which of *blobs* is whose, and of which version."""
        found: defaultdict[str, Versions] = defaultdict(dict)
        for blob in blobs:
            if match := self.regex.fullmatch(blob.name):
                groups = match.groupdict()
                own = found[groups.get("member") or ""]
                own.setdefault(groups.get("version") or "", []).append(blob)
        return dict(found)
