"""Records of what an update did, and their delivery, which never fails an update."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.gate.inputs import PromotionInputs
from retrain_hooks.gate.lifecycle import _refused
from retrain_hooks.gate.rules import Verdict
from retrain_hooks.notifications import delivery as notify
from retrain_hooks.notifications.channels import Channel, Command, JsonLines, Webhook, channel_of
from retrain_hooks.notifications.delivery import Happened, deliver, record_of
from tests.receiver import Receiver, receiving

KEY = "c8e7042df3d8" + "0" * 52
ADDRESS = f"models/flights/{KEY}/1.ilearner"
TRAINED = {
    "target": "local",
    "experiment": {"name": "flights", "digest": "d"},
    "data": {"version": "2013-02", "digest": "e", "blobs": ["flights/2013-02.csv"]},
    "runKey": KEY,
    "address": ADDRESS,
    "why": "DATA: 2013-01 -> 2013-02",
}
RECORD = {"event": "trained", "resource": {"name": "candidate"}}


def told(event: str, inputs: dict, outputs: dict | None = None, **more: Any) -> dict[str, Any]:
    """The record of an event of a resource called candidate."""
    happened = Happened(event, "urn:x", "a:b:C", "candidate", inputs, outputs or {}, **{"old": {}, **more})
    return dict(record_of(happened, project="retraining", stack="dev"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_record_of_a_training_says_what_was_trained_from_what_and_why():
    """All fields that the documentation lists, and none of the inputs that aren't named there."""
    outputs = TRAINED | {
        "sha256": "f",
        "metrics": {"auc": 0.75, "loss": math.nan},
        "seconds": 3.0,
        "job": "j1",
        "reused": False,
    }
    record = told("trained", TRAINED, outputs, old={"address": "models/flights/old/1.ilearner"})
    assert record.pop("time").endswith("+00:00")
    assert record == {
        "version": 1,
        "event": "trained",
        "project": "retraining",
        "stack": "dev",
        "resource": {"urn": "urn:x", "type": "a:b:C", "name": "candidate"},
        "experiment": "flights",
        "runKey": KEY,
        "dataVersion": "2013-02",
        "why": "DATA: 2013-01 -> 2013-02",
        "reused": False,
        "metrics": {"auc": 0.75, "loss": None},
        "address": ADDRESS,
        "oldAddress": "models/flights/old/1.ilearner",
        "sha256": "f",
        "seconds": 3,
        "job": "j1",
        "text": "retraining/dev: run c8e7042df3d8 (data version 2013-02) was trained",
    }


def test_a_record_of_a_pinned_run_names_the_data_that_it_was_trained_from():
    """Not the data version that the program asks for."""
    assert told("trained", TRAINED, TRAINED | {"dataVersion": "2013-01"})["dataVersion"] == "2013-01"


def test_a_record_of_a_verdict_has_the_rules_with_their_numbers():
    """The candidate, the champion, and the model that is served from now on."""
    inputs = {
        "endpointName": "retrained",
        "candidate": {"address": ADDRESS, "runKey": KEY, "metrics": {"auc": 0.7}, "dataVersion": "2013-02"},
        "verdict": "pending",
    }
    rules = [{"rule": "auc >= champion", "passed": False, "candidate": 0.7, "champion": 0.8}]
    outputs = {"verdict": "held", "rules": rules, "model": {"address": "m"}, "champion": {"address": "m"}}
    record = told("judged", inputs, outputs)
    assert (record["verdict"], record["rules"], record["endpoint"]) == ("held", rules, "retrained")
    assert (record["address"], record["champion"], record["model"]) == (ADDRESS, "m", "m")
    assert record["text"] == "retraining/dev: run c8e7042df3d8 (data version 2013-02) is judged: held"


@pytest.mark.parametrize(
    ("old", "found", "before"),
    [
        ({}, None, None),
        ({"address": "m1"}, None, "m1"),
        ({"address": "m1"}, {"retrained": "m2"}, "m2"),
    ],
)
def test_a_record_of_a_binding_goes_from_old_to_new(old, found, before):
    """The old model is the one that was served, also where somebody else had bound it."""
    inputs = {
        "endpointName": "retrained",
        "service": {"id": "s1"},
        "address": ADDRESS,
        "sha256": "f",
        "found": found,
    }
    record = told("bound", inputs, {"bound": "registry/x", "serving": {"retrained": ADDRESS}}, old=old)
    assert (record["address"], record["oldAddress"], record["runKey"]) == (ADDRESS, before, KEY)
    assert (record["endpoint"], record["service"], record["serving"]) == (
        "retrained",
        "s1",
        {"retrained": ADDRESS},
    )


def test_a_fleet_has_one_record_with_its_numbers():
    """Its members by where they stand, and who failed; of a red verdict why."""
    counts = {"members": 3.0, "serving": 2.0, "failed": 1.0}
    outputs = {"counts": counts, "failed": ["bob: no data"], "plan": ["3 new: ann, bob, cid"]}
    kind = "pulumi-python:dynamic/retrain:Fleet"
    happened = Happened("bound", "urn:x", kind, "fleet-members", {}, outputs, {})
    found = record_of(happened, project="retraining", stack="fleet")
    assert found["members"] == {"members": 3, "serving": 2, "failed": 1}
    assert found["failed"] == ["bob: no data"]
    assert found["text"] == "retraining/fleet: fleet fleet-members: 3 members, 2 serving, 1 failed"
    red = Happened(
        "failed", "urn:x", f"{kind}Verdict", "v", outputs, {}, {}, during="judged", error="1 of 3 failed"
    )
    assert record_of(red, project="p", stack="s")["text"] == "p/s: fleet v: 1 of 3 failed"


def test_a_refusal_is_a_failed_judgement_whose_verdict_is_refused():
    """What a check foresaw isn't told as if it had come true."""
    inputs = {
        "candidate": {"runKey": KEY, "address": ADDRESS},
        "verdict": "pending",
        "model": {"address": ADDRESS},
    }
    place = {
        "target": "local",
        "service": {"id": "s", "workspace": {"resource": "/w"}},
        "endpointName": "live",
        "resource": "m",
        "gate": {"rules": ["auc >= 0.65"]},
    }
    wanted = PromotionInputs.parse(place | inputs)
    error = str(_refused(wanted, Verdict(()), "the endpoint is unchanged"))
    record = told("failed", inputs, during="judged", error=error)
    assert (record["event"], record["during"], record["verdict"], record["model"]) == (
        "failed",
        "judged",
        "refused",
        None,
    )
    assert record["error"] == error
    assert told("failed", inputs, during="judged", error="no answer")["verdict"] is None


def test_no_signature_of_an_address_is_in_an_errors_text():
    """A service's error may quote an address with its SAS."""
    record = told("failed", TRAINED, during="trained", error="GET https://x/y?sv=1&sig=abc%3D failed")
    assert "abc" not in json.dumps(record)
    assert record["text"].startswith(
        "retraining/dev: training failed for run c8e7042df3d8 (data version 2013-02): GET"
    )


def test_channels_get_the_events_that_they_want(tmp_path, receiver, monkeypatch):
    """A webhook's address may come from the environment, when the record is sent."""
    monkeypatch.setenv("HOOK", receiver.url)
    script = f"import sys; open({str(tmp_path / 'out')!r}, 'w').write(sys.stdin.read())"
    channels = [
        Webhook(url_from="HOOK"),
        Webhook(receiver.url, events=["bound"]),
        JsonLines("below/log.jsonl"),
        Command([sys.executable, "-c", script], events=["trained"], seconds=30),
    ]
    for _ in range(2):
        assert deliver(channels, RECORD, tmp_path) == []
    assert receiver.records == [RECORD, RECORD]
    assert receiver.paths == ["/services/T0/secret-path"] * 2
    lines = (tmp_path / "below/log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [RECORD, RECORD]
    assert json.loads((tmp_path / "out").read_text()) == RECORD


class Broken(Channel):
    """Does as it is told."""

    def __init__(self, does):
        object.__setattr__(self, "does", does)
        object.__setattr__(self, "seconds", 0.05)

    def send(self, record, root):
        self.does()

    def __str__(self):
        return "broken"


def raising():
    raise KeyError("a secret")


@pytest.mark.parametrize("status", [302, 400, 500])
def test_any_other_answer_than_2xx_is_one_line_without_the_address(tmp_path, receiver, status):
    """A redirect isn't followed: a record goes where it was sent, or nowhere."""
    receiver.status = status
    assert deliver([Webhook(receiver.url)], RECORD, tmp_path) == [
        f"notification of trained candidate: webhook 127.0.0.1: it answered with status {status}; the update goes on"
    ]
    assert len(receiver.records) == 1


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        (
            Webhook("http://127.0.0.1:9/secret-path"),
            "webhook 127.0.0.1: it can't be reached, or gives no answer within 5 s",
        ),
        (
            Webhook(url_from="NO_SUCH_HOOK"),
            "webhook NO_SUCH_HOOK: the environment variable NO_SUCH_HOOK is not set",
        ),
        (JsonLines("/proc/no/such/file"), "file /proc/no/such/file: no such file or directory"),
        (Command(["./no-such-command"]), "command ./no-such-command: no such file or directory"),
        (
            Command([sys.executable, "-c", "import sys; sys.exit('broken: sig=abc')"], seconds=30),
            f"command {sys.executable}: it ended with status 1: broken: sig=***",
        ),
        (
            Command([sys.executable, "-c", "import signal; signal.pause()"], seconds=0.05),
            f"command {sys.executable}: it had not ended after 0.05 s",
        ),
        (Broken(raising), "broken: KeyError"),
    ],
    ids=lambda value: str(value).partition(" ")[0] if isinstance(value, Channel) else "",
)
def test_what_cannot_be_delivered_is_one_line_of_warning(tmp_path, channel, said):
    """Whatever goes wrong: the cause in a few words, without a secret."""
    assert deliver([channel], RECORD, tmp_path) == [
        f"notification of trained candidate: {said}; the update goes on"
    ]


def test_a_webhook_that_does_not_answer_is_given_up(tmp_path, receiver):
    """After its own time."""
    receiver.hangs = threading.Event()
    [warning] = deliver([Webhook(receiver.url, seconds=0.05)], RECORD, tmp_path)
    assert "gives no answer within 0.05 s" in warning


def test_one_that_hangs_holds_up_neither_the_update_nor_the_others(tmp_path, monkeypatch):
    """A channel that doesn't keep its time is left behind."""
    monkeypatch.setattr(notify, "_GRACE", 0.05)
    never = threading.Event()
    [warning] = deliver([Broken(never.wait), JsonLines("log", seconds=0.01)], RECORD, tmp_path)
    assert (
        warning
        == "notification of trained candidate: broken: it had not ended after 0.1 s; the update goes on"
    )
    assert (tmp_path / "log").read_text()
    never.set()


@pytest.mark.parametrize(
    ("entry", "channel"),
    [
        ({"file": "a.jsonl"}, JsonLines("a.jsonl")),
        (
            {"webhook": "https://x.example/y", "events": ["bound"]},
            Webhook("https://x.example/y", events=["bound"]),
        ),
        ({"webhookFrom": "HOOK", "seconds": 2}, Webhook(url_from="HOOK", seconds=2)),
        ({"command": ["./tell", "them"]}, Command(["./tell", "them"])),
    ],
)
def test_the_configuration_declares_channels(entry, channel):
    """Four kinds, each with the events and the time that it is to have."""
    assert channel_of(entry) == channel


@pytest.mark.parametrize(
    "entry",
    [
        "a.jsonl",
        {},
        {"file": "a", "webhook": "https://x"},
        {"file": "a", "event": ["bound"]},
        {"file": ""},
        {"webhook": "ftp://x.example"},
        {"webhook": "https://[x"},
        {"webhook": "secret-path"},
        {"command": "./tell them"},
        {"command": []},
        {"file": "a", "events": ["bond"]},
        {"file": "a", "events": "bound"},
        {"file": "a", "seconds": 0},
        {"file": "a", "seconds": True},
        {"file": "a", "seconds": 3600},
        {"file": "a", "seconds": "2"},
    ],
)
def test_an_entry_that_declares_no_channel_is_refused_with_a_remedy(entry):
    """Before anything is done, and without quoting an address."""
    with pytest.raises(ConfigurationError) as error:
        channel_of(entry)
    assert error.value.remedy
    assert "secret-path" not in str(error.value)


def test_an_address_is_not_shown(tmp_path):
    """Not in a representation either, which a debugger or a log may print."""
    assert "secret-path" not in repr(Webhook("https://x.example/secret-path"))
    assert str(Webhook("https://x.example/secret-path")) == "webhook x.example"
