"""The world that commit 91e2b28 left: four stacks, their local cloud and its registry, brought back on a fresh one.

`states_91e2b28/README.md` says how it was made. Addresses and secrets are the fresh cloud's own; the subscription is the
old one's, because resource ids hold it.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

from cli.cloud.settings import new_cloud, save
from tests.e2e.checkout import Checkout
from tests.e2e.registry import container, registry

STORED = Path(__file__).parent / "states_91e2b28"
STACKS = ("classic", "new", "classic-rings", "new-rings")
ADDRESSES = ("studio", "blob", "accountKey")
HOLDOUT_ROWS = 2000
SUBSCRIPTION = "84e9a22c-9885-47a0-b510-6d3647b640f1"


def restore(checkout: Checkout) -> None:
    """Give *checkout*, which has no cloud yet, the old one's content and all four stacks; its cloud runs then."""
    folder = checkout.root / ".local/cloud"
    save(replace(new_cloud(folder), subscription=SUBSCRIPTION), folder / "cloud.json")
    filled = _filler(checkout)
    with ZipFile(STORED / "models.zip") as models:
        kept = {Path(name).stem: models.read(name) for name in models.namelist()}
    _restore_database(folder / "studio", filled((STORED / "cloud.sql").read_text()), kept)
    for stack in STACKS:
        state = checkout.root / f".pulumi/stacks/retraining/{stack}.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text(filled((STORED / f"{stack}.json").read_text()))
        (checkout.root / f"Pulumi.{stack}.yaml").write_text((STORED / f"{stack}.yaml").read_text())
    checkout.succeed("cloud", "start")
    with registry(checkout) as place:
        for name, content in json.loads((STORED / "registry.json").read_text()).items():
            place.upload_blob(name, kept[content["model"]] if isinstance(content, dict) else content)
    with container(checkout, checkout.cloud["dataContainer"]) as place:
        rows = place.download_blob("flights/2013-03.csv").readall().splitlines(keepends=True)
        place.upload_blob("flights/2013-03-first.csv", b"".join(rows[: HOLDOUT_ROWS + 1]))


def _restore_database(folder: Path, script: str, models: dict[str, bytes]) -> None:
    """The database of the services, and the models that they serve."""
    (folder / "models").mkdir(parents=True)
    for digest, content in models.items():
        (folder / f"models/{digest}.ilearner").write_bytes(content)
    with closing(sqlite3.connect(folder / "studio.db")) as connection:
        connection.executescript(script)


def _filler(checkout: Checkout) -> Callable[[str], str]:
    """Puts the cloud's addresses and account key, and new secrets, where stored text has ``{studio}`` or ``{key 1}``."""
    known = defaultdict(secrets.token_hex, {name: checkout.cloud[name] for name in ADDRESSES})
    place = re.compile(rf"\{{({'|'.join(ADDRESSES)}|(?:key|token) \d+)\}}")
    return lambda text: place.sub(lambda found: known[found[1]], text)
