"""`./dev data …`: versions of a table in the data container of a stack's target: store, list, look, compare."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.console import out, print_json, print_table, size, want_a_yes
from cli.errors import CliError, warn
from cli.options import AsJson, Stack, Yes
from cli.times import local, title, utc

if TYPE_CHECKING:
    import pandas as pd

    from authoring.comparing import Change
    from clients.storage import Blob, Container

Where = Annotated[str, typer.Argument(help="Where the versions are, such as 'sales/{version}.csv'.")]
_SHOWN: Final = 30
_VERSION: Final = re.compile(r"[^\s/\\{}*?#]+")


def put(
    path: Where,
    file: Annotated[Path, typer.Argument(help="The file to store, or the folder whose files are its parts.")],
    version: Annotated[str, typer.Option("--version", help="What the version is called, such as 2013-02.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Store it over a version that has other bytes.")
    ] = False,
    yes: Yes = False,
    stack: Stack = "dev",
) -> None:
    """Store a table, a file or a folder of parts, as a data version; what is not a table, or would change a version that is there, is refused.

    Example: ./dev data put 'sugar/{version}.csv' --version v1 sugar.csv
    """
    from cli.authoring.files import files_at, frame_of

    files = files_at(file)
    names = _blobs(path, version, file, [name for name, _content in files])
    frame = frame_of(files)
    contents = dict(zip(names, (content for _name, content in files), strict=True))
    container = _container(stack)
    there = {blob.name: blob for blob in _versions(container, path).get(version, [])}
    where = f"{container.name}/{path.replace('{version}', version)}"
    if contents.keys() == there.keys() and all(
        _same(container, there[name], content) for name, content in contents.items()
    ):
        out().print(f"{where} is there already, with the same bytes", markup=False)
        return
    if more := sorted(there.keys() - contents.keys()):
        raise CliError(
            f"{where} is there already, with parts that {file} has not: {more[0]}",
            "give it another --version: models were perhaps trained from this one",
        )
    if there:
        if not replace:
            raise CliError(
                f"{where} is there already, with other bytes",
                "give it another --version: models were perhaps trained from this one; or say --replace",
            )
        want_a_yes(f"Store other bytes as {where}?", yes=yes)
    _compare_with_newest(container, path, version, frame)
    for (name, content), part in zip(contents.items(), files, strict=True):
        rows = len(frame) if len(files) == 1 else len(frame_of([part]))
        etag = there[name].etag if name in there else None
        container.write(name, content, etag=etag, metadata={"rows": str(rows)})
    parts = f"{len(files)} parts, " if len(files) > 1 else ""
    stored = size(sum(map(len, contents.values())))
    out().print(
        f"stored {where}: {parts}{len(frame):,} rows, {len(frame.columns)} columns, {stored}", markup=False
    )
    _print_types(frame)


def ls(path: Where, stack: Stack = "dev", as_json: AsJson = False) -> None:
    """List the versions of a table: rows, size, digest, and when each was stored.

    Example: ./dev data ls 'sales/{version}.csv'
    """
    container = _container(stack)
    rows = []
    for version, blobs in _versions(container, path).items():
        counted = [blob.metadata.get("rows", "") for blob in blobs]
        known = all(each.isdigit() for each in counted)
        stored = max((blob.modified for blob in blobs if blob.modified), default=None)
        rows.append(
            {
                "version": version,
                "rows": sum(map(int, counted)) if known else None,
                "files": len(blobs),
                "bytes": sum(blob.size for blob in blobs),
                "digest": _digest(blobs),
                "stored": utc(stored) if stored else None,
            }
        )
    if as_json:
        print_json(rows)
    elif rows:
        _print_versions(rows)
    else:
        out().print(f"{container.name}/{path} has no version: ./dev data put stores one", markup=False)


def show(
    path: Where,
    version: Annotated[str, typer.Option("--version", help="The version, or latest.")] = "latest",
    stack: Stack = "dev",
) -> None:
    """Show what a data version holds: its columns, their types, missing values.

    Example: ./dev data show 'sales/{version}.csv' --version 2013-02
    """
    from authoring.profile import look
    from cli.authoring.profile_table import print_profile

    print_profile(look(_frame(_container(stack), path, version)), "", {})


def diff(
    path: Where,
    old: Annotated[str, typer.Argument(help="The one version.")],
    new: Annotated[str, typer.Argument(help="The other version.")],
    stack: Stack = "dev",
    as_json: AsJson = False,
) -> None:
    """Say what changed between two versions: rows, columns, types, and how far values moved.

    Example: ./dev data diff 'sales/{version}.csv' 2013-01 2013-02
    """
    from authoring.comparing import compare

    container = _container(stack)
    changes = compare(_frame(container, path, old), _frame(container, path, new))
    if as_json:
        print_json(
            [{"what": each.what, "old": each.old, "new": each.new, "note": each.note} for each in changes]
        )
        return
    _print_changes(changes, old, new)


def _print_changes(changes: list[Change], old: str, new: str) -> None:

    if not changes:
        out().print(f"{old} and {new} hold the same rows", markup=False)
        return
    print_table(
        ("", old, new, ""), [(each.what, each.old, each.new, each.note) for each in changes], right=()
    )


def _print_versions(rows: list[dict[str, Any]]) -> None:

    print_table(
        ("version", "rows", "files", "size", "digest", title("stored")),
        [
            (
                row["version"],
                "" if row["rows"] is None else f"{row['rows']:,}",
                str(row["files"]),
                size(row["bytes"]),
                (row["digest"] or "")[:12],
                local(row["stored"] or ""),
            )
            for row in rows
        ],
        right=("rows", "files", "size"),
    )


def _container(stack: str) -> Container:
    from cli.services.registry import open_context

    context, target = open_context(stack, {})
    return context.data(target)


def _blobs(path: str, version: str, file: Path, parts: list[str]) -> list[str]:
    """The names of the blobs that the *parts* of a version are. Raises CliError for what no stack could ask for."""
    from retrain_hooks.data.datasets import as_regex
    from retrain_hooks.data.inputs import PLACEHOLDER
    from retrain_hooks.data.versions import LATEST, WINDOW
    from tables import ending

    _placed(path)
    if not _VERSION.fullmatch(version) or version == LATEST or WINDOW in version or version.startswith("."):
        raise CliError(
            f"{version!r} cannot be the name of a data version",
            "write one without blanks and slashes, such as 2013-02 or v2; latest and 2013-01..2013-03 ask for others",
        )
    place = path.replace(PLACEHOLDER, version)
    if place.endswith("/"):
        return [place + part for part in parts]
    folder, _, pattern = place.rpartition("/")
    if "*" in pattern and "*" not in folder:
        wanted = re.compile(as_regex(pattern))
        for part in parts:
            if not wanted.fullmatch(part):
                raise CliError(
                    f"{part} is not called as {pattern!r} says", "name the parts so, or write another path"
                )
        return [f"{folder}/{part}" for part in parts]
    if len(parts) > 1 or "*" in place:
        raise CliError(
            f"{path!r} is one file, and {file} a folder of parts"
            if len(parts) > 1
            else f"{path!r} does not say which folder parts are stored in",
            f"write the path of a folder, with its slash: …/{PLACEHOLDER}/",
        )
    if ending(place) != ending(file.name if not file.is_dir() else parts[0]):
        raise CliError(
            f"{file.name} would be stored as {place}, which has another ending",
            "end the path as the file ends: a job tells by it how to read the table",
        )
    return [place]


def _print_types(frame: pd.DataFrame) -> None:
    """What columns were taken for: a line, of many columns the first."""
    from authoring.profile import types_of

    told = [f"{name} {kind}" for name, kind in types_of(frame).items()]
    more = f", and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    out().print(f"types: {', '.join(told[:_SHOWN])}{more}", markup=False, soft_wrap=True)


def _placed(path: str) -> None:
    from retrain_hooks.data.inputs import PLACEHOLDER

    if path.count(PLACEHOLDER) != 1 or path.startswith("/") or ".." in path.split("/"):
        raise CliError(
            f"{path!r} does not say where versions are", f"write it like 'sugar/{PLACEHOLDER}.csv', in quotes"
        )


def _same(container: Container, blob: Blob, content: bytes) -> bool:
    return blob.size == len(content) and container.read(blob.name)[0] == content


def _compare_with_newest(container: Container, path: str, version: str, frame: pd.DataFrame) -> None:
    """Warn of columns that the version before has and this one has not, or the other way round."""
    versions = [name for name in _versions(container, path) if name != version]
    if not versions:
        return
    try:
        before = [str(name) for name in _frame(container, path, versions[-1]).columns]
    except CliError as error:
        warn(f"it is not compared with {versions[-1]}: {error.cause}")
        return
    now = [str(name) for name in frame.columns]
    gone, more = [name for name in before if name not in now], [name for name in now if name not in before]
    if gone or more:
        what = [*(f"without {name}" for name in gone), *(f"with {name}" for name in more)]
        warn(f"it has other columns than {versions[-1]}: {', '.join(what)}")


def _versions(container: Container, path: str) -> dict[str, list[Blob]]:
    """The blobs of each version, in the order in which versions are where they are written alike."""
    from retrain_hooks.data.datasets import by_version
    from retrain_hooks.data.inputs import PLACEHOLDER
    from retrain_hooks.data.versions import in_order

    _placed(path)
    found = by_version(container.list(path.partition(PLACEHOLDER)[0].partition("*")[0], metadata=True), path)
    return {name: found[name] for name in in_order(found)}


def _frame(container: Container, path: str, version: str) -> pd.DataFrame:
    """The table of a version, its parts joined. Raises CliError for what is no table."""
    from cli.authoring.files import frame_of
    from retrain_hooks.data.datasets import resolve_dataset

    _placed(path)
    blobs = resolve_dataset(container, path, version).blobs
    return frame_of([(blob.name, container.read(blob.name)[0]) for blob in blobs])


def _digest(blobs: list[Blob]) -> str | None:
    """As previews show it; None where a blob has no Content-MD5."""
    from retrain_hooks.data.contents import Found

    return Found(blobs, {}).digest if all(blob.md5 for blob in blobs) else None
