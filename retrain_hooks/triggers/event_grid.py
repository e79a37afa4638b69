"""Events of a storage account, as Azure Event Grid delivers them: a hint to look now, and nothing more.

What an event says is not read, so that one that is lost, late, repeated, in another order or forged can do no more than make
the container be listed. Each request has to bring the key: in the header ``X-Retrain-Key`` (a delivery property of the
subscription), as ``?key=`` of the address, or as the HMAC-SHA256 of its body, ``X-Retrain-Signature: sha256=<hex>``.

The two handshakes by which a subscription finds out whether it is welcome are answered to who has the key. Sources: "Endpoint
validation with Event Grid event schema" and "with CloudEvents schema" in Microsoft's Event Grid documentation (2026).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

MOST_BYTES = 2**20
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


@dataclass(frozen=True)
class Request:
    """A request: *headers* by their names in lower case, the address's *query*, the *body*."""

    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What is answered; *hint* says whether to look now."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hint: bool = False


def answer(request: Request, key: str) -> Answer:
    """What to answer to a *request*, where *key* is the one that it has to bring. Never raises."""
    if len(request.body) > MOST_BYTES:
        return Answer(413, f"more than {MOST_BYTES} bytes")
    if not _welcome(request, key):
        return Answer(401, "no key, or a wrong one")
    if request.method == "OPTIONS":
        origin = request.headers.get("webhook-request-origin", "")
        return Answer(
            200, headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"} if origin else {}
        )
    if request.method != "POST":
        return Answer(405, "POST events")
    try:
        events = json.loads(request.body)
    except (ValueError, RecursionError):
        return Answer(400, "the body is no JSON")
    if code := _validation_code(events):
        return Answer(200, json.dumps({"validationResponse": code}), {"Content-Type": "application/json"})
    return Answer(200, hint=True)


def _welcome(request: Request, key: str) -> bool:
    """Whether it brings the key. The time that takes does not tell how much of it is right."""
    secret = key.encode()
    if not secret:
        return False
    if signature := request.headers.get("x-retrain-signature"):
        signed = "sha256=" + hmac.new(secret, request.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature.encode(), signed.encode())
    brought = request.headers.get("x-retrain-key") or parse_qs(request.query).get("key", [""])[0]
    return hmac.compare_digest(brought.encode(), secret)


def _validation_code(events: object) -> str:
    """The code that a handshake wants to hear; empty where the events are none."""
    first = events[0] if isinstance(events, list) and events else None
    data = first.get("data") if isinstance(first, dict) and first.get("eventType") == _VALIDATION else None
    return str(data.get("validationCode") or "") if isinstance(data, dict) else ""
