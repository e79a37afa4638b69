"""What is read and written: values, paths, secrets, configuration, the checkpoint, the display."""

from __future__ import annotations

import io
import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from backend.checkpoint import State, dump_state, load_state
from backend.passphrase import Crypter
from backend.urns import make_urn
from backend.values import UNKNOWN, Reference, Secret, equal
from cli.views.display import Renderer
from cli.views.json_view import digest
from engine import (
    Diagnostic,
    PropertyDiff,
    Result,
    StackError,
    Step,
    StepFailed,
    StepFinished,
    Workspace,
    paths,
)
from engine.planning.requests import seconds
from engine.property_changes import ignore_changes, of_inputs
from engine.providers.wire import from_wire, to_wire

# Written by the CLI 3.260 for the passphrase "correct horse".
SALT = "v1:mzuLmwXtNfQ=:v1:bqbkC2qoQ3O35FQe:aROAuaXUAABjXbzllIltknokUPBmog=="


def test_values_survive_the_wire() -> None:
    """Unknowns, secrets and references come back as they were; whole numbers stay whole."""
    props = {
        "text": "t",
        "number": 3,
        "fraction": 1.5,
        "flag": True,
        "nothing": None,
        "list": [1, {"deep": Secret("s")}],
        "secret": Secret({"a": [1]}),
        "unknown": UNKNOWN,
        "ref": Reference("urn:pulumi:s::p::t::n", "id", ""),
    }
    back = from_wire(to_wire(props, secrets=True, resources=True, unknowns=True))
    assert equal(back, props)
    plain = from_wire(to_wire(props))
    assert plain["secret"] == {"a": [1]}
    assert plain["ref"] == "id"
    assert "unknown" not in plain


def test_not_a_number_and_infinities_are_kept_as_pulumi_encodes_them() -> None:
    """The state holds their bits, since JSON has no word for them."""
    state = State(urn="urn", type="t", custom=True, inputs={"nan": math.nan, "inf": math.inf})
    data = json.loads(json.dumps(dump_state(state, None), allow_nan=False))
    assert data["inputs"]["inf"]["value"] == "7ff0000000000000"
    back = load_state(data, None)
    assert math.isnan(back.inputs["nan"])
    assert back.inputs["inf"] == math.inf


def test_what_another_engine_wrote_and_this_one_does_not_know_is_kept() -> None:
    """Fields such as stack traces survive a round trip."""
    data = {
        "urn": "u",
        "custom": True,
        "type": "t",
        "stackTrace": [{"sourcePosition": "x#1"}],
        "importID": "i",
    }
    assert dump_state(load_state(data, None), None) == data


def test_a_secret_keeps_its_ciphertext_until_it_changes() -> None:
    """Reading and writing a state doesn't encrypt anew, and needs no key."""

    def forbidden() -> str:
        raise AssertionError("no key is needed")

    data = {"urn": "u", "custom": True, "type": "t", "inputs": {"s": {"4dabf18193072939515e22adb298388d":
            "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:a:b"}}}  # fmt: skip
    crypter = Crypter(forbidden, SALT)
    assert dump_state(load_state(data, crypter), crypter) == data


def test_a_salt_of_the_cli_opens_with_its_passphrase_and_no_other() -> None:
    """Key derivation and encryption are Pulumi's."""
    crypter = Crypter(lambda: "correct horse", SALT)
    assert crypter.decrypt(crypter.encrypt("text")) == "text"
    with pytest.raises(StackError, match="incorrect passphrase"):
        Crypter(lambda: "wrong", SALT).encrypt("text")


@pytest.mark.parametrize(("given", "salt"), [("wrong", SALT), ("correct horse", "v2:x:y")])
def test_a_key_is_prepared_beside_and_what_is_wrong_with_it_is_said_when_it_is_needed(
    given: str, salt: str
) -> None:
    """Preparing asks for the passphrase in another thread, and ends quietly."""
    asked_in: list[str] = []

    def passphrase() -> str:
        asked_in.append(threading.current_thread().name)
        return "correct horse"

    right, wrong = Crypter(passphrase, SALT), Crypter(lambda: given, salt)
    for crypter in (right, wrong):
        crypter.prepare()
    for thread in threading.enumerate():
        if thread.name == "key":
            thread.join()
    assert right.decrypt(right.encrypt("text")) == "text"
    assert asked_in == ["key"]
    with pytest.raises(StackError, match=r"passphrase|salt"):
        wrong.encrypt("text")


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a.b", ["a", "b"]),
        ("a[0].b", ["a", 0, "b"]),
        ('a["b.c"][*]', ["a", "b.c", "*"]),
        ('["x y"].z', ["x y", "z"]),
    ],
)
def test_property_paths_are_read(text: str, steps: list[Any]) -> None:
    """Dots, indexes, quoted keys and wildcards."""
    assert paths.parse(text) == steps


def test_ignored_changes_are_set_back_to_their_old_values() -> None:
    """Also within lists and by wildcard; what is new stays out."""
    new = {"a": 2, "tags": {"x": 2, "y": 2, "z": 1}, "list": [{"p": 2}, {"p": 2}], "added": 1}
    old = {"a": 1, "tags": {"x": 1, "y": 1}, "list": [{"p": 1}, {"p": 1}]}
    assert ignore_changes(new, old, ["tags.*", "list[*].p", "added"]) == {
        "a": 2,
        "tags": {"x": 1, "y": 1},
        "list": [{"p": 1}, {"p": 1}],
    }


def test_a_plain_diff_names_the_paths_that_changed() -> None:
    """Nulls count as absent; secrecy alone is no change."""
    diff = of_inputs({"a": {"b": [1, 2]}, "n": None, "s": Secret("x")}, {"a": {"b": [1, 3, 4]}, "s": "x"})
    assert {p: d.kind for p, d in (diff.details or {}).items()} == {"a.b[1]": "update", "a.b[2]": "add"}
    assert diff.changed_keys == ["a"]


def test_durations_are_read_as_go_writes_them() -> None:
    """Custom timeouts are kept in seconds."""
    assert [seconds(t) for t in ("5m", "1h30m", "1.5s", "250ms")] == [300, 5400, 1.5, 0.25]


def test_a_urn_has_its_parents_types_but_not_the_stacks() -> None:
    """As `pulumi` composes it."""
    stack = make_urn("dev", "p", "", "pulumi:pulumi:Stack", "p-dev")
    group = make_urn("dev", "p", stack, "x:y:Group", "g")
    assert make_urn("dev", "p", group, "x:y:Thing", "t") == "urn:pulumi:dev::p::x:y:Group$x:y:Thing::t"


PROJECT = """name: demo
runtime: python
config:
  size: {type: integer, default: 3}
  name: {type: string}
  parts: {type: array, items: {type: string}, default: [a, b]}
  other:region: {value: here}
"""


def project(root: Path, stack: str, config: dict[str, str] | None = None) -> Workspace:
    (root / "Pulumi.yaml").write_text(PROJECT)
    (root / "Pulumi.dev.yaml").write_text(stack)
    return Workspace.open(root, "dev", config=config or {})


def test_configuration_has_defaults_and_overrides_and_leaves_the_file_alone(tmp_path: Path) -> None:
    """A key without namespace is the project's; a structured value is JSON."""
    text = "config:\n  demo:name: n\n  flag: true\n"
    values = {k: v.text for k, v in project(tmp_path, text, {"size": "7"}).config().items()}
    assert values == {
        "demo:name": "n",
        "demo:flag": "true",
        "demo:size": "7",
        "demo:parts": '["a","b"]',
        "other:region": "here",
    }
    assert (tmp_path / "Pulumi.dev.yaml").read_text() == text


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("", "Stack 'dev' is missing configuration value 'demo:name'"),
        (
            "config: {name: n, size: big}",
            "Stack 'dev' with configuration key 'size' must be of type 'integer'",
        ),
        ("config: {name: n, parts: [[1]]}", "configuration key 'parts' must be of type 'array<string>'"),
        ("config: {name: n, 'pulumi:autonaming': {mode: verbatim}}", "pulumi:autonaming: not implemented"),
    ],
)
def test_a_missing_or_mistyped_value_is_an_error_in_the_clis_words(
    tmp_path: Path, stack: str, message: str
) -> None:
    """Found out before the program is started."""
    with pytest.raises(StackError) as error:
        project(tmp_path, stack).config()
    assert message in error.value.cause
    assert error.value.remedy


def test_a_secret_of_the_stack_file_is_decrypted(tmp_path: Path) -> None:
    """`secure:` values work with the passphrase and are marked secret."""
    cipher = Crypter(lambda: "correct horse", SALT).encrypt("hush")
    ws = project(tmp_path, f"encryptionsalt: {SALT}\nconfig:\n  demo:name:\n    secure: {cipher}\n")
    ws.passphrase = "correct horse"
    value = ws.config()["demo:name"]
    assert (value.text, value.secret) == ("hush", True)


@pytest.mark.parametrize(
    "text",
    [
        "name: x\nruntime: nodejs\n",
        "runtime: python\n",
        "name: x\nruntime: python\nbackend: {url: s3://b}\n",
        "name: x\nruntime: python\noptions: {refresh: always}\n",
    ],
)
def test_a_project_that_cannot_be_run_is_refused(tmp_path: Path, text: str) -> None:
    """Other languages, backends and ways to run are named."""
    (tmp_path / "Pulumi.yaml").write_text(text)
    with pytest.raises(StackError):
        Workspace.open(tmp_path, "dev")


def shown(events: list[Any], result: Result, verb: str = "up") -> str:
    """The renderer's plain text."""
    out = io.StringIO()
    renderer = Renderer(Console(file=out, width=200), verb, interactive=False)
    for event in events:
        renderer(event)
    renderer.finish(result)
    return out.getvalue()


def test_the_display_shows_old_and_new_and_says_each_thing_once() -> None:
    """Properties with `=>`, unknowns as [unknown], a summary; repeated messages and markup are harmless."""
    diff = [PropertyDiff("key", "update", "a", "b"), PropertyDiff("id", "update", "x", None, unknown=True)]
    step = Step("update", "urn:pulumi:dev::p::t:i:T::thing", "t:i:T", "thing", {}, {}, diff)
    result = Result(
        False, [step], {"out": "new"}, {"update": 1, "same": 2}, 1.0, ["it broke"], {"out": "old"}
    )
    say = Diagnostic("warning", "look [bold]here[/bold]")
    text = shown([StepFinished(step, 0.5), say, say, StepFailed(step, "it broke")], result)
    assert '~ key: "a" => "b"' in text
    assert '~ id : "x" => [unknown]' in text
    assert text.count("look [bold]here[/bold]") == 1
    assert text.count("it broke") == 1
    assert '~ out: "old" => "new"' in text
    assert "~ 1 updated" in text
    assert "2 unchanged" in text


def test_the_result_is_json() -> None:
    """As `--json` prints it."""
    step = Step("create", "u", "t", "n", None, {"a": 1})
    data = json.loads(json.dumps(digest(Result(True, [step], {}, {"create": 1}, 1.23456))))
    assert data["changeSummary"] == {"create": 1}
    assert data["steps"][0]["op"] == "create"
