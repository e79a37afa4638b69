"""The files of an experiment that run elsewhere: by name and bytes, as they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from clients.errors import ExperimentInvalid
from retrain_hooks.experiments.yaml_fields import Value
from retrain_hooks.registry.run_key import digest

DEFINITIONS = ("job.yml", "deployment.yml", "data.json", "sample.json")
_NEVER = frozenset(
    (
        *(".git", ".venv", ".ipynb_checkpoints", ".DS_Store", ".amlignore", ".gitignore"),
        *("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    )
)
_MOST_BYTES = 300 * 2**20


@dataclass(frozen=True)
class Code:
    """Files by their names, relative to the folder that a command or a scoring script runs in, with `/` on all systems."""

    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @cached_property
    def digest(self) -> str:
        """Covers names and bytes (64 hex).

        A line that ends otherwise is another byte: what is uploaded is what is hashed, and only Git knows which file is a
        text (`experiments/** -text` in .gitattributes makes checkouts alike). A file's mode is not covered: an upload
        to blobs keeps none.
        """
        return digest({name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()})


def read_code(value: Value, folder: Path) -> Code:
    """The files of a code folder that a field names, but those that its `.amlignore`, else its `.gitignore`, leaves out.

    *folder* is the experiment's. Like `az ml`, it reads the ignore file of the code folder only. The experiment's own
    definitions (`DEFINITIONS`) are no code, whatever folder the code is in. Raises ExperimentInvalid.
    """
    given = value.text("the path of a folder")
    root = inside(folder, given, value, "code folder")
    if not root.is_dir():
        raise value.invalid(
            f"there is no code folder {given}", remedy="create the folder, or correct its path"
        )
    own = folder.resolve()
    size = 0
    files: dict[str, bytes] = {}
    try:
        for name, path in _walk(root, own, value):
            size += path.stat().st_size
            if size > _MOST_BYTES:
                raise value.invalid(
                    f"the code folder {given} holds more than {_MOST_BYTES // 2**20} MiB",
                    remedy="list what is no code in the .amlignore of the code folder",
                )
            files[name] = path.read_bytes()
    except OSError as error:
        raise value.invalid(
            f"the code folder {given} cannot be read: {error}", remedy="correct the folder"
        ) from None
    return Code(dict(sorted(files.items())))


def inside(folder: Path, given: str, value: Value, what: str) -> Path:
    """A path that a field names, relative to the experiment's folder. Raises ExperimentInvalid where it leaves that."""
    path = (folder / given).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _outside(value, f"the {what} {given} is not in the experiment's folder")
    return path


def _outside(value: Value, what: str) -> ExperimentInvalid:
    return value.invalid(
        what, remedy="keep all that an experiment consists of in its folder, itself and not as a link"
    )


def _walk(root: Path, own: Path, value: Value) -> Iterator[tuple[str, Path]]:
    from pathspec import GitIgnoreSpec

    listed = next((root / name for name in (".amlignore", ".gitignore") if (root / name).is_file()), None)
    ignored = GitIgnoreSpec.from_lines(listed.read_text(encoding="utf-8-sig").splitlines() if listed else ())
    waiting = [root]
    while waiting:
        for entry in sorted(os.scandir(waiting.pop()), key=lambda each: each.name):
            path = Path(entry.path)
            name = path.relative_to(root).as_posix()
            folder = entry.is_dir(follow_symlinks=False)
            if entry.name in _NEVER or ignored.match_file(name + "/" * folder):
                continue
            if path.parent == own and entry.name in DEFINITIONS:
                continue
            if folder:
                waiting.append(path)
                continue
            if entry.is_symlink() and (entry.is_dir() or not path.resolve().is_relative_to(own)):
                raise _outside(value, f"{name} is a link that leads elsewhere")
            if entry.is_file():
                yield name, path
