"""Names of members, and of their endpoints: which can be, and which nobody can tell apart."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from clients.names import listed, shown
from clients.protocols import DEFAULT_ENDPOINT
from retrain_hooks.fleet.members.inputs import Member

_MOST = 200
_ENDPOINT = re.compile(r"[a-z0-9]{1,24}")
_OTHERS = re.compile(r"[^a-z0-9]+")
_LONGEST, _HASH = 24, 6


def wrong_name(name: str) -> str:
    """What is wrong with the name of a member, and what to do; empty for nothing."""
    if not name.strip():
        return "it has no name; give it one"
    if len(name) > _MOST:
        return f"its name has {len(name):,} characters; give it one of {_MOST} at most"
    if "/" in name:
        return f"its name {shown(name)!r} has a slash in it; give it one without"
    if any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in name):
        return f"its name {shown(name)!r} has characters that nobody sees; give it one without them"
    return ""


def wrong_endpoint(name: str) -> str:
    """What is wrong with the name that was given to an endpoint, and what to do; empty for nothing."""
    if name == DEFAULT_ENDPOINT:
        return "a web service's endpoint `default` cannot be re-bound; give the member another endpoint"
    if not _ENDPOINT.fullmatch(name):
        return f"{shown(name)!r} is not a name for an endpoint; use 1 to 24 lower-case letters and digits"
    return ""


def endpoint_of(name: str) -> str:
    """The name of a member's endpoint: the letters and digits of its own, with a hash where that is not all of it.

    Case is none of it: no service tells names apart by it, and no fleet has two members that differ in nothing else.
    """
    lower = _one(name)
    plain = _OTHERS.sub("", lower)
    if plain == lower and _ENDPOINT.fullmatch(plain) and plain != DEFAULT_ENDPOINT:
        return plain
    return plain[: _LONGEST - _HASH] + hashlib.sha256(lower.encode()).hexdigest()[:_HASH]


_ALIKE: tuple[tuple[Callable[[Member], str], str], ...] = (
    (lambda one: one.name, "there are {count} members of this name; give each a name of its own"),
    (
        lambda one: _one(one.name),
        "a service cannot tell the names {names} apart; give them names that differ in more than case or blanks",
    ),
    (
        lambda one: one.endpoint,
        "the members {names} would have one endpoint, {endpoint}; give one of them another `endpoint`",
    ),
    (
        lambda one: _one(one.formerly),
        "the members {names} both say that they were {former}; only one of them can have been",
    ),
)


def told_apart(members: Sequence[Member]) -> tuple[Member, ...]:
    """The same members, with a problem for each that is not told apart from another one."""
    problems: dict[int, str] = {}
    for alike, problem in _ALIKE:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for at, one in enumerate(members):
            groups[alike(one)].append(at)
        for key, group in groups.items():
            if key and len(group) > 1:
                text = _said(problem, [members[at] for at in group])
                for at in group:
                    problems.setdefault(at, text)
    present = {_one(one.name) for one in members}
    for at, one in enumerate(members):
        if one.formerly and _one(one.formerly) in present:
            text = f"it says that it was {shown(one.formerly)}, which is a member still; leave out `formerly`"
            problems.setdefault(at, text)
    return tuple(replace(one, problem=problems.get(at, one.problem)) for at, one in enumerate(members))


def _said(problem: str, alike: Sequence[Member]) -> str:
    return problem.format(
        count=len(alike),
        names=listed([one.name for one in alike]),
        endpoint=alike[0].endpoint,
        former=shown(alike[0].formerly),
    )


def _one(name: str) -> str:
    """What is the same for names that a service may take for one."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
