"""Text from outside, at one door: one line, bounded, without control characters and without secrets.

Errors (``RetrainError``), what a job says of itself (``JobStatus``) and whatever is shown of other words of a service
pass through ``told`` before they reach a state, a record, a terminal or a log.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 4000
# Whole sequences, such as colours, titles and links. Of what else begins as one only the control character goes: a name
# that lost its first letter to it would not be known as a secret's.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-9;:?]*[DEFGHJKfhlmn]|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)|\x1b[()][AB0]"
)
_NAMES = (
    "sig",
    "AccountKey",
    "SharedAccessKey",
    "SharedAccessSignature",
    "Password",
    "Pwd",
    "api-key",
    "api_key",
    "apikey",
    "subscription-key",
    "primaryKey",
    "secondaryKey",
    "primaryToken",
    "secondaryToken",
    "accessToken",
    "access_token",
    "refresh_token",
    "id_token",
    "clientSecret",
    "client_secret",
    "client_assertion",
)


def _spelt(name: str) -> str:
    """*name*, each character as it is or quoted for an address, once or more often."""
    return "".join(
        f"(?:{re.escape(one)}|%(?:25)*(?:{ord(one.lower()):02x}|{ord(one.upper()):02x}))" for one in name
    )


_QUOTE = r"""(?:\\*["']|&quot;|%(?:25)*2[27])?"""
_IS = r"(?:\s*[=:]\s*|\s*%(?:25)*3[ad]\s*)"
# A value ends at its quote, where it has one, else where a parameter, a part or a sentence does.
_VALUE = r"""(?:(?P<q>\\*["'])(?:(?!(?P=q)).)*(?:(?P=q))?|(?!\*\*\*)[^&;,\s"'<>\\{}\[\]]+)"""
_SCHEMES = r"(?:Bearer|SharedKeyLite|SharedKey|Basic|Digest|Negotiate)"
_NAMED = re.compile(
    rf"(?i)(?P<kept>(?:{'|'.join(map(_spelt, _NAMES))}){_QUOTE}{_IS}){_VALUE}",
)
_HEADER = re.compile(rf"(?i)(?P<kept>Authorization{_QUOTE}{_IS})(?:{_SCHEMES}\s+)?{_VALUE}")
_SCHEME = re.compile(
    r"(?i)\b(?P<kept>(?:Bearer|SharedKeyLite|SharedKey)(?:\s+|%20|\+))(?!\*\*\*)[^\s\"'<>,;&\\]+"
)
_LISTED = re.compile(
    r"""(?i)(?P<kept>(?P<q>\\*["'])(?:primary|secondary)(?P=q)\s*:\s*)(?P=q)(?:(?!(?P=q)).)*(?P=q)"""
)
_BARE = re.compile(
    r"[A-Za-z0-9+/]{86}=="  # keys of storage accounts and endpoints
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"  # tokens that are signed JSON
)
_USER = re.compile(r"(?P<kept>://)[^/\s@:]+:[^/\s@]+@")


def redact(text: str) -> str:
    """*text* without signatures, keys, tokens and passwords, however they are spelt."""
    for secrets in (_HEADER, _NAMED, _SCHEME, _LISTED):
        text = secrets.sub(r"\g<kept>***", text)
    return _USER.sub(r"\g<kept>***@", _BARE.sub("***", text))


def clean(text: str) -> str:
    """*text* in one line, without what a terminal obeys, a reader does not see, or no encoding has."""
    text = _ESCAPES.sub("", text)
    return " ".join("".join(_shown(one) for one in text).split())


def told(text: object, most: int = MOST) -> str:
    """Text from outside as it may be kept and shown, at most *most* characters."""
    # What is cut off first can't be shown anyway, and costs no time.
    shown = redact(clean(str(text)[: 8 * most]))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _shown(one: str) -> str:
    if one.isascii() and one.isprintable():
        return one
    kind = unicodedata.category(one)
    if kind == "Cs":
        return "\ufffd"
    if kind[0] == "Z" or one in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85":
        return " "
    return "" if kind in ("Cc", "Cf") else one
