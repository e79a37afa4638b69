"""A checkout with a local cloud of its own and small data: what it serves, and what it was asked to train."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import requests
import yaml

from graph import Scorer, parse_experiment
from graph.identity import identity, resolved_parameters
from retrain_hooks.registry.run_key import Covered, digest, key_of
from tests.chaos.program import table
from tests.e2e.checkout import Checkout
from tests.e2e.registry import container, records, registry

VERSIONS = ("v1", "v2", "v3")
ENGINE, PROVIDER, WORKER = "engine", "provider", "worker"
STUDIO, AZURITE, STAND_IN = "studio", "azurite", "azure-native"
VICTIMS = (ENGINE, PROVIDER, STUDIO, WORKER, AZURITE, STAND_IN)
_TREES = {"Number of trees constructed": "4"}
_PATH = "tiny/{version}.csv"
_START = re.compile(r"/services/([0-9a-f]{32})/jobs/([0-9a-f]{32})/start$")
_ROWS = list(csv.DictReader(io.StringIO(table("asked").decode())))[:12]
_CLOSE = 1e-9

Json = dict[str, Any]


class House:
    """A checkout below *directory*; *named* are the jobs that a record was ever seen to name."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.checkout = Checkout.copy(directory)
        self.named: set[str] = set()
        config: Json = {
            "dataPath": _PATH,
            "dataVersion": "v1",
            "baselineDataVersion": "v1",
            "holdoutDataVersion": "v4",
            "allowHoldoutOverlap": True,
            "parameters": _TREES,
            "gateRules": ["auc >= 0.1"],
        }
        named = {f"retraining:{name}": value for name, value in config.items()}
        (directory / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": named}))
        self.checkout.succeed("cloud", "start")
        with container(self.checkout, self.checkout.cloud["dataContainer"]) as data:
            for version in (*VERSIONS, "v4"):
                data.upload_blob(_PATH.format(version=version), table(version))

    def close(self) -> None:
        """End its local cloud."""
        self.checkout.dev("cloud", "stop")

    # Processes

    def victim(self, kind: str, engine: psutil.Process) -> psutil.Process | None:
        """The process of that *kind*, the *engine*'s children among them; None where it is not there now."""
        try:
            if kind == ENGINE:
                return engine
            if kind == PROVIDER:
                children = engine.children(recursive=True)
                return next((one for one in children if _listens(one)), None)
            known = json.loads((self.checkout.root / ".local/cloud/processes.json").read_text())
            found = psutil.Process(known[STUDIO if kind == WORKER else kind])
            if kind != WORKER:
                return found
            workers = (one for one in found.children(recursive=True) if "worker" in " ".join(one.cmdline()))
            return next(workers, None)
        except (psutil.Error, OSError, ValueError, KeyError):
            return None

    # What must be so

    def key(self, version: str, seed: int) -> str:
        """The run key of a data version, without the product's word."""
        definition = json.loads((self.checkout.root / "experiments/flights/training.json").read_text())
        values = resolved_parameters(definition, {"Random seed": seed} | _TREES)
        values.pop("Random seed")
        with container(self.checkout, self.checkout.cloud["dataContainer"]) as data:
            [blob] = data.list_blobs(name_starts_with=_PATH.format(version=version))
            md5 = _base64(blob.content_settings.content_md5)
        blobs = digest({"format": 2, "blobs": [[blob.name, md5]]})
        return Covered(identity(definition), f"2-{blobs}", values, seed, "").key

    def wrong(self, key: str) -> str:
        """Why the endpoint does not serve the model of the run *key*; empty where it does, by its answers."""
        outputs = self.checkout.succeed("output", "--show-secrets", "--json").json
        address = str(outputs["modelAddress"])
        record = records(self.checkout, f"runs/{key}").get(f"runs/{key}.json", {})
        if key_of(address) != key or record.get("state") != "finished":
            return f"{address} is served, not run {key[:12]} ({record.get('state')})"
        with registry(self.checkout) as place:
            model = place.download_blob(address).readall()
        if hashlib.sha256(model).hexdigest() != record["sha256"]:
            return f"{address} is not what its run left"
        definition = json.loads((self.checkout.root / "experiments/flights/predictive.json").read_text())
        experiment = parse_experiment(definition)
        [resource] = experiment.resources
        told = Scorer(experiment, {resource: model}).score({"input1": pd.DataFrame(_ROWS, dtype=object)})
        offline = [float(score) for score in next(iter(told.values()))["Scored Probabilities"]]
        answers = self._answers(outputs["endpointUrl"], outputs["endpointKey"])
        near = all(abs(one - other) < _CLOSE for one, other in zip(answers, offline, strict=True))
        return "" if near else f"the endpoint does not answer as {address}"

    @staticmethod
    def _answers(url: str, key: str) -> list[float]:
        columns = list(_ROWS[0])
        rows = {"ColumnNames": columns, "Values": [[row[name] for name in columns] for row in _ROWS]}
        answer = requests.post(
            f"{url}/execute?api-version=2.0&details=true",
            json={"Inputs": {"input1": rows}, "GlobalParameters": {}},
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        )
        answer.raise_for_status()
        value = next(iter(answer.json()["Results"].values()))["value"]
        place = value["ColumnNames"].index("Scored Probabilities")
        return [float(row[place]) for row in value["Values"]]

    def look(self) -> None:
        """Remember which jobs the ledger names."""
        for record in records(self.checkout, "runs/").values():
            if record.get("job"):
                self.named.add(record["job"]["id"])

    def jobs(self) -> dict[str, Json]:
        """Every job that was ever started, by its id: its state, and the run that it is of."""
        keys = self._keys()
        found: dict[str, Json] = {}
        for entry in self.checkout.journal():
            started = _START.search(entry["path"].partition("?")[0])
            if started and entry["method"] == "POST" and entry["status"] == 200 and started[1] in keys:
                found[started[2]] = self._job(entry["path"].partition("/start")[0], keys[started[1]])
        return found

    def _job(self, path: str, key: str) -> Json:
        answer = requests.get(
            f"{self.checkout.studio}{path}",
            params={"api-version": "2.0"},
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        )
        if answer.status_code == requests.codes.not_found:
            return {"state": "Lost", "run": ""}
        told = answer.json()
        places = [str(one.get("RelativeLocation", "")) for one in (told.get("Results") or {}).values()]
        runs = [key_of(place.partition("/")[2]) for place in places if place.endswith(".ilearner")]
        return {"state": told["StatusCode"], "run": runs[0] if runs else ""}

    def _keys(self) -> dict[str, str]:
        """The keys of all endpoints, by their ids."""
        service = self.checkout.succeed("output", "service", "--json").json
        workspace, studio = service["workspace"], self.checkout.studio
        token = requests.post(
            f"{studio}{workspace['resource']}/listWorkspaceKeys",
            params={"api-version": "2019-10-01"},
            headers={"Authorization": f"Bearer {self.checkout.cloud['armToken']}"},
            timeout=60,
        ).json()["primaryToken"]

        def asked(path: str) -> Any:
            url = f"{studio}/workspaces/{workspace['id']}/webservices{path}"
            return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=60).json()

        found = {}
        for each in asked(""):
            for endpoint in asked(f"/{each['Id']}/endpoints"):
                found[endpoint["ApiLocation"].rpartition("/")[2]] = endpoint["PrimaryKey"]
        return found


def _listens(process: psutil.Process) -> bool:
    try:
        return any(one.status == psutil.CONN_LISTEN for one in process.net_connections("tcp"))
    except (psutil.Error, AttributeError):
        return False


def _base64(md5: bytearray) -> str:
    from base64 import b64encode

    return b64encode(bytes(md5)).decode()
