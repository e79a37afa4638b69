"""Makes environments with uv, each once, and keeps them by the digest of their recipe."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from localcloud.azureml.environments.recipe import EnvironmentFailed, Recipe

_LONGEST = 1200.0  # seconds
_MADE = "made"
_SHOWN_LINES = 8
_PASSED_ON = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PASSED_ON_PREFIXES = ("UV_", "XDG_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


class Environments:
    """The environments below `directory`. Used from the event loop only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def python(self, recipe: Recipe) -> Path:
        """The interpreter of an environment, which is made where it is missing. Raises `EnvironmentFailed`."""
        home = self._directory / recipe.digest
        python = home / "bin" / "python"
        async with self._locks[recipe.digest]:
            if not ((home / _MADE).exists() and python.exists()):
                await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
                await self._make(recipe, home, python)
        return python

    async def _make(self, recipe: Recipe, home: Path, python: Path) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await _uv("venv", "--no-project", "--python", recipe.python, str(home))
        if recipe.requirements:
            requirements = home / "requirements.txt"
            requirements.write_text("\n".join(recipe.requirements) + "\n", encoding="utf-8")
            await _uv("pip", "install", "--python", str(python), "-r", str(requirements))
        (home / _MADE).touch()


def _passed_on(ours: Mapping[str, str]) -> dict[str, str]:
    """What uv needs of our environment; what it builds runs code of others."""
    return {
        name: value
        for name, value in ours.items()
        if name in _PASSED_ON or name.upper().startswith(_PASSED_ON_PREFIXES)
    }


async def _uv(*arguments: str) -> None:
    """Run uv. Raises `EnvironmentFailed` with its last lines."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise EnvironmentFailed("there is no uv beside this Python or on PATH, which makes environments")
    process = await asyncio.create_subprocess_exec(
        *(uv, "--no-progress", "--quiet", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # No download of a Python: which there are, is the machine's.
        env={**_passed_on(os.environ), "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_LONGEST):
            said, _ = await process.communicate()
    except TimeoutError:
        raise EnvironmentFailed(f"uv did not end within {_LONGEST:.0f} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
        raise EnvironmentFailed("uv cannot make it: " + "\n".join(lines[-_SHOWN_LINES:]))
