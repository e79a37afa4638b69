"""Bad input gets one line of cause and one of remedy, and nothing is lost: the old binding goes on serving."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient

from tests.e2e.checkout import Checkout, Done, jobs, patches
from tests.waiting import own_port

pytestmark = pytest.mark.cloud

HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,"
    "tailnum,origin,dest,air_time,distance,hour,minute,time_hour"
)


@pytest.fixture(scope="module")
def deployed(checkout: Checkout) -> Checkout:
    """A deployed stack."""
    checkout.up()
    return checkout


def upload(checkout: Checkout, version: str, content: str) -> None:
    """Somebody's pipeline puts a data version."""
    cloud = checkout.cloud
    with BlobServiceClient(
        cloud["blob"], {"account_name": cloud["account"], "account_key": cloud["accountKey"]}
    ) as service:
        service.get_blob_client("data", f"flights/{version}.csv").upload_blob(content, overwrite=True)


def refused(checkout: Checkout, *arguments: str) -> Done:
    """An update that must fail: red, in lines and not in a traceback, and without a PATCH."""
    checkout.reset_journal()
    done = checkout.dev("up", "--engine", "embedded", *arguments)
    assert done.status == 1, done.text
    assert "Traceback" not in done.text
    assert done.text.count("remedy:") == 1, done.text
    assert patches(checkout.journal()) == []
    return done


@contextmanager
def edited(checkout: Checkout, path: str, edit: Any) -> Iterator[None]:
    """A JSON file of the checkout, changed for a while."""
    file = checkout.root / path
    before = file.read_text()
    content = json.loads(before)
    edit(content)
    file.write_text(json.dumps(content))
    try:
        yield
    finally:
        file.write_text(before)


@pytest.mark.parametrize(
    ("version", "content", "cause"),
    [
        ("not-a-number", HEADER + "\r\n" + ",".join(["x"] * 19) + "\r\n", "Error 00"),
    ],
)
def test_data_that_cannot_be_trained_from_fails_with_the_services_own_words_once(
    deployed, version, content, cause
):
    """The batch service's code and message, told once, by the one job that was started; and none before the gate lets
    columns of other types be trained from.
    """
    upload(deployed, version, content)
    assert "the column 'month' holds text" in refused(deployed, "-c", f"dataVersion={version}").text
    assert jobs(deployed.journal()) == 0
    done = refused(deployed, "-c", f"dataVersion={version}", "-c", "allowChangedClasses=true")
    assert done.text.count(cause) == 1, done.text
    assert jobs(deployed.journal()) == 1


@pytest.mark.parametrize(
    ("version", "content", "cause"),
    [
        ("no-column", "year,month\r\n2013,1\r\n", "data/flights/no-column.csv has no column "),
        ("no-rows", HEADER + "\r\n", "data/flights/no-rows.csv has a header and no rows"),
        ("no-bytes", "", "data/flights/no-bytes.csv is empty"),
    ],
)
def test_data_whose_head_shows_that_it_cannot_be_trained_from_is_refused_before_anything_starts(
    deployed, version, content, cause
):
    """The preview names the blob and the column; no job is started."""
    upload(deployed, version, content)
    assert cause in refused(deployed, "-c", f"dataVersion={version}").text
    assert jobs(deployed.journal()) == 0


def test_a_graph_that_no_data_fits_is_refused_by_the_preview(deployed):
    """A column that no module gives, with file, line and node; nothing is asked of the cloud but to look."""

    def spoil(package: dict[str, Any]) -> None:
        package["nodes"]["train"]["parameters"]["Label column"] = ["verspätet"]

    deployed.reset_journal()
    with edited(deployed, "experiments/flights/training.json", spoil):
        done = deployed.dev("preview", "--engine", "embedded")
    assert done.status == 1
    assert re.search(
        r'experiments/flights/training\.json:\d+: node "train": Train Model asks for the column "verspätet"',
        done.text,
    )
    assert "Traceback" not in done.text
    assert done.text.count("remedy:") == 1, done.text
    assert jobs(deployed.journal()) == 0


@pytest.mark.parametrize("output", ["output1", "output2"])
def test_an_experiment_without_a_needed_output_is_refused_before_anything_starts(deployed, output):
    """Without the trained model, or without its evaluation, there is nothing to retrain or to judge."""

    def disconnect(package: dict[str, Any]) -> None:
        nodes = [name for name, node in package["nodes"].items() if node.get("output") == output]
        package["edges"] = [edge for edge in package["edges"] if edge["to"] not in nodes]

    with edited(deployed, "experiments/flights/training.json", disconnect):
        done = refused(deployed)
    assert "has no web service output for its" in done.text
    assert jobs(deployed.journal()) == 0


def test_an_unknown_experiment_names_those_that_exist(deployed):
    """A typo in the config."""
    assert "there is: flights" in refused(deployed, "-c", "experiment=flihgts").text


def test_a_wrong_token_is_refused_and_does_not_show_it(deployed):
    """A credential that the service does not know."""
    wrong = "wrong-token-of-nobody"
    with edited(deployed, ".local/cloud/cloud.json", lambda cloud: cloud.update(armToken=wrong)):
        done = refused(deployed, "-c", "dataVersion=2013-04")
    assert "401" in done.text
    assert wrong not in done.text


def test_a_wrong_account_key_is_refused_and_does_not_show_it(deployed):
    """A storage credential that the account does not know."""
    wrong = "d3Jvbmcga2V5IG9mIG5vYm9keQ=="
    with edited(deployed, ".local/cloud/cloud.json", lambda cloud: cloud.update(accountKey=wrong)):
        done = deployed.dev("preview", "--engine", "embedded")
    assert done.status == 1
    assert "refused the credential" in done.text
    assert wrong not in done.text


def test_a_service_that_does_not_answer_is_named_with_its_address(deployed):
    """The studio is not running, and nobody may start it."""
    nowhere = f"http://127.0.0.1:{own_port()}"
    environment = {
        "RETRAIN_STUDIO_URL": nowhere,
        "RETRAIN_WORKSPACE_TOKEN": "t",
        "RETRAIN_STORAGE_CONNECTION_STRING": f"AccountName=a;AccountKey=a2V5;BlobEndpoint={nowhere}/a;",
    }
    deployed.environment.update(environment)
    try:
        done = deployed.dev("preview", "--engine", "embedded", "-c", "target=environment")
    finally:
        for name in environment:
            del deployed.environment[name]
    assert done.status == 1
    assert "does not answer" in done.text
    assert "Traceback" not in done.text


def lock(checkout: Checkout, pid: int) -> None:
    """A lock as either engine leaves it."""
    folder = checkout.root / ".pulumi/locks/organization/retraining/dev"
    folder.mkdir(parents=True, exist_ok=True)
    holder = {
        "pid": pid,
        "username": getuser(),
        "hostname": socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat(),
    }
    (folder / f"{uuid4()}.json").write_text(json.dumps(holder))


def test_a_stack_that_somebody_else_updates_is_locked(deployed):
    """Who, since when, and how to free it."""
    lock(deployed, os.getpid())
    done = deployed.dev("up", "--engine", "embedded")
    assert done.status == 1
    assert str(os.getpid()) in done.text
    assert "./dev cancel" in done.text
    freed = deployed.succeed("cancel", "--engine", "embedded")
    assert str(os.getpid()) in freed.text
    deployed.up()


def test_the_lock_of_a_dead_process_frees_itself(deployed):
    """A killed update does not block the next one."""
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    lock(deployed, dead.pid)
    deployed.up()


def test_after_all_that_the_stack_is_as_it_was(deployed):
    """Nothing was lost: the next update has nothing to do."""
    deployed.reset_journal()
    deployed.up()
    assert jobs(deployed.journal()) == 0
    assert patches(deployed.journal()) == []
