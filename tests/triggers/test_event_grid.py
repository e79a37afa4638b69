"""The webhook that hears of new data: who is let in, the two handshakes, and what an event may do."""

from __future__ import annotations

import hashlib
import hmac
import json
import random

import pytest

from retrain_hooks.triggers.event_grid import MOST_BYTES, Answer, Request, answer

KEY = "a key of the team"
EVENT = json.dumps(
    [{"eventType": "Microsoft.Storage.BlobCreated", "subject": "/blobs/flights/2.csv", "data": {}}]
).encode()
HANDSHAKE = json.dumps(
    [
        {
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "data": {"validationCode": "512d38b6", "validationUrl": "https://elsewhere.example/"},
        }
    ]
).encode()


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    return {"x-retrain-signature": "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("POST", {"x-retrain-key": KEY}, "", EVENT), 200),
        (Request("POST", {}, "key=a%20key%20of%20the%20team", EVENT), 200),
        (Request("POST", signed(EVENT), "", EVENT), 200),
        (Request("POST", {}, "", EVENT), 401),
        (Request("POST", {"x-retrain-key": KEY[:-1]}, "", EVENT), 401),
        (Request("POST", {"x-retrain-key": "schlüssel"}, "", EVENT), 401),
        (Request("POST", signed(EVENT, "another"), "", EVENT), 401),
        (Request("POST", signed(EVENT) | {"x-retrain-key": KEY}, "", EVENT + b" "), 401),
        (Request("POST", {"x-retrain-key": KEY}, "", b"{"), 400),
        (Request("POST", {"x-retrain-key": KEY}, "", b"[" * 100_000), 400),
        (Request("GET", {"x-retrain-key": KEY}), 405),
        (Request("POST", {"x-retrain-key": KEY}, "", b"x" * (MOST_BYTES + 1)), 413),
    ],
)
def test_who_is_let_in(request_: Request, status: int) -> None:
    """The key in a header, in the address or as a signature of the body; a hint is given only by an event of who has it."""
    found = answer(request_, KEY)
    assert (found.status, found.hint) == (status, status == 200)


def test_without_a_key_nobody_is_let_in() -> None:
    """A variable that is not set is no key that an empty one fits."""
    assert answer(Request("POST", {"x-retrain-key": ""}, "", EVENT), "").status == 401


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the library's function that is made for it, whichever way the key is brought."""
    compared = []
    monkeypatch.setattr(
        hmac, "compare_digest", lambda one, other: compared.append((one, other)) or one == other
    )
    for headers in ({"x-retrain-key": "b"}, signed(EVENT, "b"), {}):
        answer(Request("POST", headers, "", EVENT), KEY)
    assert len(compared) == 3


def test_both_handshakes() -> None:
    """The code of an Event Grid subscription, and the origin of a CloudEvents one; to who has the key only, and no hint."""
    key = {"x-retrain-key": KEY}
    assert answer(Request("POST", key, "", HANDSHAKE), KEY) == Answer(
        200, '{"validationResponse": "512d38b6"}', {"Content-Type": "application/json"}
    )
    origin = {"webhook-request-origin": "eventgrid.azure.net"}
    told = answer(Request("OPTIONS", key | origin), KEY)
    assert (told.headers["WebHook-Allowed-Origin"], told.hint) == ("eventgrid.azure.net", False)
    for refused in (Request("POST", {}, "", HANDSHAKE), Request("OPTIONS", origin)):
        assert answer(refused, KEY) == Answer(401, "no key, or a wrong one")


def test_whatever_is_sent_is_answered() -> None:
    """Two thousand bodies of chance, half of them JSON of odd shapes: an answer each, none but 200 and 400."""
    print("seed", seed := 14)
    chance = random.Random(seed)
    odd = [None, [], {}, [[]], [None], [{"eventType": []}], 7, "x", [{"eventType": HANDSHAKE.decode()}]]
    odd += [
        [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": data}]
        for data in (None, [], 1, {})
    ]
    for _time in range(2000):
        body = json.dumps(chance.choice(odd)).encode() if chance.random() < 0.5 else chance.randbytes(20)
        assert answer(Request("POST", {"x-retrain-key": KEY}, "", body), KEY).status in (200, 400)
