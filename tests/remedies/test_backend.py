"""What the file backend of Pulumi's stacks advises: its project, its configuration, its state, its passphrase."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend import stacks
from backend.checkpoint import Snapshot, State, dump_state, dump_value, load_checkpoint
from backend.files import Backend, write_atomically
from backend.passphrase import Crypter, find_passphrase
from backend.values import Secret
from backend.workspace import Workspace, stack_name
from tests.healing import Told, case

PROJECT: dict[str, Any] = {
    "name": "flights",
    "runtime": "python",
    "backend": {"url": "file://."},
    "config": {"seed": {"type": "integer"}},
}
FINE = {"config": {"flights:seed": "1"}}
CASES = ("act", "wrong", "right")
URN = "urn:pulumi:dev::flights::retrain:X::a"


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)


def opened(folder: Path, project: Any = PROJECT, stack: Any = FINE, **options: Any) -> Workspace:
    """The stack dev of a project with these files; None: no such file."""
    for name, content in (("Pulumi.yaml", project), ("Pulumi.dev.yaml", stack)):
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return Workspace.open(folder, "dev", **options)


def projects(folder: Path) -> Callable[[Any], object]:
    return lambda project: opened(folder, project)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param({**PROJECT, "name": ""}, PROJECT, marks=pytest.mark.heals("add `name: <project>`")),
        pytest.param(
            {**PROJECT, "options": {"refresh": "always"}},
            PROJECT,
            marks=pytest.mark.heals("give --refresh instead"),
        ),
        pytest.param(None, PROJECT, marks=pytest.mark.heals("run it in a project's folder")),
        pytest.param("{", PROJECT, marks=pytest.mark.heals("correct it", at="backend/yaml_files.py")),
        pytest.param("- a", PROJECT, marks=pytest.mark.heals("correct it", at="backend/yaml_files.py")),
    ],
)
def test_a_projects_file(remedy: Told, tmp_path: Path, wrong: Any, right: Any) -> None:
    """Corrected as it says, it is opened."""
    remedy.fails(lambda: opened(tmp_path, wrong))
    assert opened(tmp_path, right).project == "flights"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param({}, FINE, marks=pytest.mark.heals("set it in {} or with -c {}=<value>")),
        pytest.param({"config": {"flights:seed": "one"}}, FINE, marks=pytest.mark.heals("correct it in {}")),
        pytest.param(
            {"config": FINE["config"] | {"pulumi:autonaming": "{}"}},
            FINE,
            marks=pytest.mark.heals(
                "run it with the Pulumi CLI (--engine pulumi), or leave it out", at="backend/workspace.py"
            ),
        ),
    ],
)
def test_a_stacks_file(remedy: Told, tmp_path: Path, wrong: Any, right: Any) -> None:
    """Corrected as it says, its configuration is read."""
    remedy.fails(lambda: opened(tmp_path, stack=wrong).config())
    assert opened(tmp_path, stack=right).config()["flights:seed"].text == "1"


@pytest.mark.heals("set it in {} or with -c {}=<value>")
@pytest.mark.heals("correct -c {}=…")
def test_values_for_one_run(remedy: Told, tmp_path: Path) -> None:
    """Given, and given right."""
    remedy.fails(lambda: opened(tmp_path, stack={}).config())
    remedy.fails(lambda: opened(tmp_path, stack={}, config={"seed": "one"}).config())
    assert opened(tmp_path, stack={}, config={"seed": "1"}).config()


@pytest.mark.parametrize(
    CASES,
    [
        case(
            "name the stack without one, for example {}",
            lambda name: stack_name(name, "flights"),
            "anna/fix",
            "anna-fix",
        ),
        case(
            "use 1 to 100 letters, digits, hyphens, underscores and periods",
            lambda name: stack_name(name, "flights"),
            "a b",
            "a_b",
        ),
    ],
)
def test_names_of_stacks(remedy: Told, act: Callable[[Any], object], wrong: object, right: object) -> None:
    """As the remedy writes one."""
    remedy.fails(lambda: act(wrong))
    act(right)


# State


def checkpoint(*resources: State, crypter: Crypter | None = None, salt: str = "", **more: Any) -> str:
    providers = {"secrets_providers": {"type": "passphrase", "state": {"salt": salt}}} if salt else {}
    latest = {"resources": [dump_state(one, crypter) for one in resources], **providers}
    return json.dumps(
        {"version": 3, "checkpoint": {"stack": "organization/flights/dev", "latest": latest}} | more
    )


def resource(**outputs: Any) -> State:
    return State(urn=URN, type="retrain:X", custom=True, id="1", outputs=outputs)


def text(ws: Workspace) -> Snapshot:
    return load_checkpoint(ws.backend.read() or "", ws.crypter_for)


@pytest.mark.heals("restore it from its .bak beside it")
@pytest.mark.heals("restore the state from its .bak")
def test_a_damaged_state_is_restored_from_its_backup(remedy: Told, tmp_path: Path) -> None:
    """The file that it names is there, and is read: half a checkpoint, and one that lost its salt."""
    ws = opened(tmp_path, passphrase="a")
    crypter = ws.new_crypter()
    fine = checkpoint(resource(key=Secret("s3cret")), crypter=crypter, salt=crypter.salt)
    lost = checkpoint(resource(key=Secret("s3cret")), crypter=crypter)
    backup = ws.backend.file.with_name(f"{ws.backend.file.name}.bak")
    for damaged in (fine[:99], lost):
        ws.backend.write(fine)
        ws.backend.write(damaged)
        remedy.fails(lambda: text(ws).resources[0].outputs["key"].value)
        backup.replace(ws.backend.file)
        assert text(ws).resources[0].outputs["key"].value == "s3cret"


@pytest.mark.heals("wait for that run to end, or free the lock with ./dev cancel")
@pytest.mark.parametrize("way", ["wait", "cancel"])
def test_a_lock_ends(remedy: Told, tmp_path: Path, way: str) -> None:
    """With its run, or by hand."""
    ws = opened(tmp_path)
    ws.backend.write(checkpoint())
    another = Backend(tmp_path, "flights", "dev")
    holding = another.locked(lambda _line: None)
    holding.__enter__()
    remedy.fails(lambda: ws.backend.locked(lambda _line: None).__enter__())
    if way == "wait":
        holding.__exit__(None, None, None)
    else:
        assert "freed the lock" in stacks.cancel(ws)
    with ws.backend.locked(lambda _line: None):
        pass


@contextmanager
def nobody() -> Iterator[None]:
    """Not root, who may do everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.heals("check its owner")
@pytest.mark.heals("free the disk or fix its owner")
def test_a_state_of_another_owner(remedy: Told, tmp_path: Path) -> None:
    """Given back to whom it belongs, it is read and written."""
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    ws = opened(tmp_path)
    ws.backend.write(checkpoint())
    ws.backend.file.chmod(0o000)
    ws.backend.file.parent.chmod(0o555)
    with nobody():
        remedy.fails(ws.backend.read)
        remedy.fails(lambda: write_atomically(ws.backend.file, "x"))
    ws.backend.file.chmod(0o644)
    ws.backend.file.parent.chmod(0o777)
    with nobody():
        assert ws.backend.read() == checkpoint()
        write_atomically(ws.backend.file, "x")


@pytest.mark.heals("./dev stack ls", at="backend/stacks.py")
@pytest.mark.heals("give what `stack export` wrote")
@pytest.mark.heals("see what you import, or --force it")
@pytest.mark.heals("destroy it first, or --force it and leave them behind")
def test_a_stack_that_is_listed(remedy: Told, tmp_path: Path) -> None:
    """One that was never updated has nothing to export, free or remove; one that is listed has."""
    ws = opened(tmp_path)
    remedy.fails(lambda: stacks.cancel(ws))
    remedy.fails(lambda: stacks.remove_stack(ws))
    remedy.fails(lambda: stacks.export_stack(ws))
    ws.backend.write(checkpoint(resource()))  # as its first update does
    assert [one["name"] for one in stacks.list_stacks(ws.backend)] == ["dev"]
    exported = stacks.export_stack(ws)
    remedy.fails(lambda: stacks.import_stack(ws, {"nodes": {}}, print))
    stacks.import_stack(ws, exported, print)
    others = json.loads(json.dumps(exported).replace(":dev::", ":prod::"))
    remedy.fails(lambda: stacks.import_stack(ws, others, print))
    stacks.import_stack(ws, others, print, force=True)
    remedy.fails(lambda: stacks.remove_stack(ws))
    stacks.remove_stack(ws, force=True)
    ws.backend.write(checkpoint())  # destroyed
    stacks.remove_stack(ws)
    assert stacks.list_stacks(ws.backend) == []


# Secrets


@pytest.mark.heals("set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE")
@pytest.mark.heals("set PULUMI_CONFIG_PASSPHRASE_FILE to it")
@pytest.mark.heals("set PULUMI_CONFIG_PASSPHRASE to the stack's")
def test_a_passphrase_is_set(remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By either variable, and the right one."""
    file = tmp_path / "passphrase"
    remedy.fails(lambda: find_passphrase(None))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(file))
    remedy.fails(lambda: find_passphrase(None))
    file.write_text("right\n")
    assert find_passphrase(None) == "right"
    sealed = Crypter.new(lambda: "right")
    remedy.fails(lambda: Crypter(lambda: "wrong", sealed.salt).check())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "right")
    Crypter(lambda: find_passphrase(None), sealed.salt).check()


@pytest.mark.heals("restore its encryptionsalt")
@pytest.mark.heals("restore the stack file")
@pytest.mark.heals("it was encrypted with another salt: restore the stack file")
def test_a_stacks_file_without_its_salt(remedy: Told, tmp_path: Path) -> None:
    """None, half of one, another one: with its own the secret is read."""
    ws = opened(tmp_path, passphrase="a")
    crypter = ws.new_crypter()
    config = {"config": FINE["config"] | {"flights:token": {"secure": crypter.encrypt("s3cret")}}}
    for salt in (None, "v1:half", Crypter.new(lambda: "a").salt):
        damaged = config | ({"encryptionsalt": salt} if salt else {})
        remedy.fails(lambda damaged=damaged: opened(tmp_path, stack=damaged, passphrase="a").config())
    restored = opened(tmp_path, stack=config | {"encryptionsalt": crypter.salt}, passphrase="a")
    assert restored.config()["flights:token"].text == "s3cret"


@pytest.mark.heals("set PULUMI_CONFIG_PASSPHRASE")
def test_a_secret_is_written_where_there_is_a_passphrase(
    remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A salt is made of it."""
    remedy.fails(lambda: dump_value(Secret("s3cret"), None))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a")
    assert "s3cret" not in json.dumps(dump_value(Secret("s3cret"), opened(tmp_path).new_crypter()))
