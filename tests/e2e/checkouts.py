"""Checkouts one after the other at one place, with one local cloud that runs on: what each leaves is removed."""

from __future__ import annotations

import shutil
from pathlib import Path

import requests
from azure.storage.blob import BlobServiceClient

from tests.e2e.checkout import Checkout

_ARM = {"api-version": "2021-04-01"}


class Checkouts:
    """One worker's; only one of them is in use at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made: Checkout | None = None
        self._data: dict[str, bytes] = {}  # Content-MD5 by name, of the example

    def fresh(self) -> Checkout:
        """A checkout as it is at first; its cloud runs, and has the example's data and nothing else."""
        if self._made is None:
            self._made = Checkout.copy(self._root)
            self._made.succeed("cloud", "start")
            with self._account() as account:
                self._data = _digests(account, self._made.cloud["dataContainer"])
        else:
            self._empty_cloud()
            self._remove_files()
            self._made = Checkout.copy(self._root)
            self._made.succeed("cloud", "start")
            self._made.reset_journal()
        return self._made

    def _account(self) -> BlobServiceClient:
        assert self._made is not None
        cloud = self._made.cloud
        credential = {"account_name": cloud["account"], "account_key": cloud["accountKey"]}
        return BlobServiceClient(cloud["azurite"], credential=credential)

    def _empty_cloud(self) -> None:
        assert self._made is not None
        cloud = self._made.cloud
        with requests.Session() as arm:
            arm.headers["Authorization"] = f"Bearer {cloud['armToken']}"
            groups = f"{cloud['studio']}/subscriptions/{cloud['subscription']}/resourceGroups"
            for group in arm.get(groups, params=_ARM, timeout=20).json()["value"]:
                arm.delete(f"{groups}/{group['name']}", params=_ARM, timeout=60).raise_for_status()
        with self._account() as account:
            data = cloud["dataContainer"]
            there = _digests(account, data)
            for name in there.keys() - self._data.keys():
                account.get_blob_client(data, name).delete_blob()
            kept = {name: there[name] for name in there.keys() & self._data.keys()}
            if kept != self._data:
                (self._root / ".local/cloud/seeded").unlink()  # the next start uploads what differs
            for container in account.list_containers():
                if container.name == cloud["registryContainer"]:
                    client = account.get_container_client(container.name)
                    for name in client.list_blob_names():
                        client.delete_blob(name)
                elif container.name != data:
                    account.delete_container(container.name)

    def _remove_files(self) -> None:
        kept = {self._root / name for name in (".local/cloud", ".venv", ".local")}
        for path in [*self._root.iterdir(), *(self._root / ".local").iterdir()]:
            if path in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _digests(account: BlobServiceClient, container: str) -> dict[str, bytes]:
    found = account.get_container_client(container).list_blobs()
    return {blob.name: bytes(blob.content_settings.content_md5 or b"") for blob in found}
