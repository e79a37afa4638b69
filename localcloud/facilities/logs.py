"""The log: one line an event on standard error, with every secret taken out of the final text."""

from __future__ import annotations

import logging
import re
import sys

_SECRETS = (
    re.compile(r"(?i)([?&;]|\b)(sig|accountkey)=[^&;\s\"']+"),
    re.compile(r"(?i)\b(?P<kept>bearer|sharedkey|sharedkeylite)\s+[^\s\"',]+"),
    re.compile(r"[A-Za-z0-9+/]{86}=="),
)


def redact(text: str) -> str:
    """`text` without SAS signatures, account keys, bearer tokens and endpoint keys."""
    text = _SECRETS[0].sub(r"\1\2=***", text)
    text = _SECRETS[1].sub(r"\g<kept> ***", text)
    return _SECRETS[2].sub("***", text)


class RedactingFormatter(logging.Formatter):
    """Redacts after formatting, so that arguments and tracebacks are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        return redact(super().format(record))


def configure(level: int = logging.INFO) -> None:
    """Send the local cloud's and the server's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("azure", "httpx", "httpcore", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
