"""`./dev runs mirror`: which server, and what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.verbs.models.mirror import mirror
from tests.healing import Told
from tests.mirroring.world import World


@pytest.mark.heals("give one: --to URI, or set MLFLOW_TRACKING_URI")
def test_a_mirror_wants_a_server(
    remedy: Told,
    project_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the stack's file, the option, or MLflow's own variable."""
    world = World()
    world.trained(1)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("cli.services.registry.open_registry", lambda _stack: _Registry(world))
    remedy.fails(lambda: mirror())
    place = (tmp_path / "mlruns").as_uri()
    mirror(to=place)
    assert "1 runs, 1 models and 0 aliases written" in capsys.readouterr().out
    (project_root / "Pulumi.dev.yaml").write_text(f"config:\n  mlflow:trackingUri: {place}\n")
    mirror()
    assert "nothing has changed" in capsys.readouterr().out


class _Registry:
    def __init__(self, world: World) -> None:
        self.container = world.registry
