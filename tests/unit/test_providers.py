"""Pulumi's host for the lifecycles: frozen references, translated values, errors in two lines."""

from __future__ import annotations

import base64
import subprocess
import sys
import traceback

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown

from clients.errors import ConfigurationError
from retrain_hooks import providers
from retrain_hooks.host.lifecycle import UNKNOWN, Context, Diff
from tests.unit.fakes import Listener, OpenGuard

FROZEN = {
    "StudioWebServiceProvider": "gASVOwAAAAAAAACMF3JldHJhaW5faG9va3MucHJvdmlkZXJzlIwYU3R1ZGlvV2ViU2VydmljZVByb3ZpZGVylJOUKYGULg==",
    "StudioEndpointProvider": "gASVOQAAAAAAAACMF3JldHJhaW5faG9va3MucHJvdmlkZXJzlIwWU3R1ZGlvRW5kcG9pbnRQcm92aWRlcpSTlCmBlC4=",
    "DataVersionProvider": "gASVNgAAAAAAAACMF3JldHJhaW5faG9va3MucHJvdmlkZXJzlIwTRGF0YVZlcnNpb25Qcm92aWRlcpSTlCmBlC4=",
    "TrainedModelProvider": "gASVNwAAAAAAAACMF3JldHJhaW5faG9va3MucHJvdmlkZXJzlIwUVHJhaW5lZE1vZGVsUHJvdmlkZXKUk5QpgZQu",
    "PromotionProvider": "gASVNAAAAAAAAACMF3JldHJhaW5faG9va3MucHJvdmlkZXJzlIwRUHJvbW90aW9uUHJvdmlkZXKUk5QpgZQu",
    "ModelBindingProvider": "gASVNwAAAAAAAACMF3JldHJhaW5faG9va3MucHJvdmlkZXJzlIwUTW9kZWxCaW5kaW5nUHJvdmlkZXKUk5QpgZQu",
}


@pytest.mark.parametrize("name", FROZEN)
def test_what_every_state_holds_of_a_provider_never_changes(name):
    """A moved or renamed provider class makes `destroy` of an older state fail."""
    provider = getattr(providers, name)()
    assert serialize_provider(provider) == FROZEN[name]
    assert name.encode() in base64.b64decode(FROZEN[name])


class Life:
    """A lifecycle that records what reaches it and fails as told."""

    failure: Exception | None = None
    seen: dict

    def __init__(self, context: Context) -> None:
        self.context = context

    def check(self, new, old):
        Life.seen = new
        if Life.failure:
            raise Life.failure
        return new | {"found": UNKNOWN}

    def diff(self, old, new):
        return Diff(True, ("name",))

    def create(self, new):
        if Life.failure:
            raise Life.failure
        return "id", new

    def read(self, id_, old):
        return None


class Hosted(providers._Provider):
    """A provider around Life."""

    lifecycle = Life


@pytest.fixture
def host(monkeypatch) -> Hosted:
    monkeypatch.setattr(providers, "_context", lambda: Context(Listener(), OpenGuard()))
    monkeypatch.setattr(sys, "tracebacklimit", None, raising=False)
    Life.failure = None
    return Hosted()


def test_unknown_values_keep_being_unknown_on_both_sides(host):
    """The logic sees a sentinel of its own, Pulumi sees its own."""
    result = host.check({}, {"__provider": "x", "a": Unknown(), "b": {"c": [Unknown()]}})
    assert Life.seen == {"a": UNKNOWN, "b": {"c": [UNKNOWN]}}
    assert isinstance(result.inputs["found"], Unknown)
    assert isinstance(result.inputs["b"]["c"][0], Unknown)


def test_a_refusal_is_a_check_failure_with_cause_and_remedy(host):
    """Bad input is refused in two lines."""
    Life.failure = ConfigurationError("it is\n wrong", "make it right")
    failures = host.check({}, {"a": 1}).failures
    assert [(failure.property, failure.reason) for failure in failures] == [
        ("", "it is wrong\nremedy: make it right")
    ]


@pytest.mark.parametrize(
    ("failure", "shown"),
    [
        (ConfigurationError("it is wrong", "make it right"), "it is wrong\nremedy: make it right\n"),
        (KeyError("x"), "internal error: KeyError: 'x'\nremedy: report it"),
    ],
)
def test_what_pulumi_prints_of_a_failed_create_is_cause_and_remedy(host, failure, shown):
    """No stack of this process reaches the user."""
    host.configure(None)
    Life.failure = failure
    try:
        host.create({"a": 1})
    except Exception:
        text = traceback.format_exc()
    assert text.startswith(shown)
    assert "Traceback" not in text


def test_replacements_are_passed_on(host):
    """The diff reaches Pulumi whole."""
    found = host.diff("id", {}, {})
    assert (found.changes, found.replaces) == (True, ["name"])


def test_what_is_gone_is_read_as_an_empty_id(host):
    """None would crash the host."""
    assert (host.read("id", {}).id, host.read("id", {}).outs) == ("", {})


# What is imported where it is used: HTTP, retries, the SDKs of Azure, tables, learners, and what is reached over a wire.
_LATER = (
    *(
        "requests",
        "urllib3",
        "charset_normalizer",
        "stamina",
        "tenacity",
        "azure",
        "numpy",
        "pandas",
        "sklearn",
    ),
    *("rich", "typer", "localcloud", "engine", "backend", "pulumi_azure_native"),
)


def test_importing_the_providers_brings_in_nothing_heavy():
    """A provider process starts in a fraction of a second: besides Pulumi it loads this project and little else."""
    code = (
        "import sys, pulumi.dynamic; before = set(sys.modules); import retrain_hooks.providers\n"
        "print(*(name for name in sys.modules if name not in before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = out.stdout.split()
    assert [name for name in loaded if name.partition(".")[0] in _LATER] == []
    own = ("clients", "retrain_hooks", "graph", "plans", "sandbox", "tables", "tasks")
    others = [name for name in loaded if name.partition(".")[0] not in own]
    assert len(others) < 20, others  # modules of the standard library
