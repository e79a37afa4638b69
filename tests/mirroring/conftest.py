from __future__ import annotations

import pytest

from cli.mirroring.server import Server
from tests.mirroring.world import World, a_server


@pytest.fixture(autouse=True)
def _folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow keeps a folder only where it is asked to."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def server(tmp_path) -> Server:
    return a_server(tmp_path / "mlruns")
