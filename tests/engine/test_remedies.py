"""What the embedded engine advises, done: the next run is green."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

import engine
from engine.providers import plugins
from engine.providers.plugins import Plugin, _ports
from engine.runs import Options
from engine.testing import ProgramStack
from tests.engine.conftest import Stack, Thing
from tests.engine.test_hooks import Heard, hooked
from tests.engine.test_processes import PROGRAM, PROVIDER
from tests.engine.things import Served, Things
from tests.healing import Told
from tests.waiting import own_port

heals = pytest.mark.heals


def failed(result: Any) -> str:
    """What a run that failed says."""
    assert not result.ok
    return "\n".join(result.failures)


@heals("run it with the Pulumi CLI (--engine pulumi), or leave it out", at="engine/errors.py")
def test_an_option_that_is_left_out(remedy: Told, stack: Stack) -> None:
    """What it does not do it refuses; without it, it goes on."""
    hidden: dict[str, Any] = {"opts": pulumi.ResourceOptions(hide_diffs=["value"])}
    remedy(failed(stack.up(lambda: Thing("a", {"value": "v"}, **hidden) and None)))
    assert stack.up(lambda: Thing("a", {"value": "v"}) and None).ok


@heals("target it as well")
def test_what_rests_on_a_target(remedy: Told, stack: Stack) -> None:
    """Targeted as well, both are destroyed."""

    def program() -> None:
        first = Thing("a", {"value": "v"})
        Thing("b", {"value": first.echo})

    stack.up(program)
    urns = {name: found["urn"] for name, found in stack.resources().items()}
    remedy(failed(stack.destroy(targets=(urns["a"],))))
    assert stack.destroy(targets=(urns["a"], urns["b"])).ok
    assert "a" not in stack.resources()


@heals("destroy --run-program")
def test_hooks_of_deletes(remedy: Told, stack: Stack) -> None:
    """With the program they are heard."""
    heard = Heard()

    def program() -> None:
        Thing("a", {}, hooked(heard, "before_delete"))

    stack.up(program)
    remedy(failed(stack.destroy()))
    assert stack.destroy(program, run_program=True).ok
    assert [one.name for one in heard.calls] == ["a"]


@heals("attach one with PULUMI_DEBUG_PROVIDERS={}:<port>, or use the Pulumi CLI")
@heals("write it as <package>:<port>")
def test_a_provider_that_is_attached(remedy: Told, tmp_path: Path, served: Served) -> None:
    """Under the name and the port of one that runs."""

    def program() -> None:
        Thing("a", {"value": "v"})

    (tmp_path / "p").mkdir()
    remedy(failed(ProgramStack(program, tmp_path / "p").preview(check=False)))
    remedy.fails(lambda: _ports("things"))
    assert _ports(f"things:{served.port}") == {"things": served.port}
    assert ProgramStack(program, tmp_path / "p", attach={"things": served.port}).up().changes["create"] == 2


@heals("see that it runs and that PULUMI_DEBUG_PROVIDERS names its port")
def test_a_provider_that_runs(remedy: Told, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the port where nobody answers."""
    with monkeypatch.context() as soon:
        soon.setattr(plugins, "_BEGIN_SECONDS", 0.05)
        remedy.fails(lambda: Plugin("things", own_port(), "127.0.0.1:1", None))
    Plugin("things", served.port, "127.0.0.1:1", None).close()


class WithoutAttach(Things):
    """A provider of an older kind."""

    def Attach(self, request: Any, context: Any) -> Any:
        import grpc

        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Attach")


@heals("implement it")
def test_a_provider_that_implements_attach(remedy: Told, served: Served) -> None:
    """As the test's own does."""
    older = Served(WithoutAttach())
    try:
        remedy.fails(lambda: Plugin("things", older.port, "127.0.0.1:1", None))
    finally:
        older.close()
    Plugin("things", served.port, "127.0.0.1:1", None).close()


@heals("see what it printed; run up again, what it had finished is kept")
@heals("see what it printed")
def test_processes_that_end(remedy: Told, tmp_path: Path) -> None:
    """A provider and a program that ended in the middle: corrected, the next run goes on from what is kept."""
    (tmp_path / "Pulumi.yaml").write_text(
        "name: demo\nruntime: python\nconfig:\n  prefix: {default: p}\n  mode: {type: string}\n"
    )
    (tmp_path / "provider.py").write_text(PROVIDER)
    main = tmp_path / "__main__.py"

    def up(mode: str) -> Any:
        return engine.up(
            engine.Workspace.open(tmp_path, "dev", config={"mode": mode}, passphrase=""), Options(), print
        )

    main.write_text("import os, sys\nprint('why', flush=True)\nos._exit(3)\n")
    remedy(failed(up("one")))
    main.write_text(PROGRAM)
    remedy(failed(up("dies")))
    assert up("one").ok
