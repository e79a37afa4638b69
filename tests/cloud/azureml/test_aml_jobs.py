"""Command jobs that really run: their inputs, outputs and logs, and what becomes of the bad ones."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cloud.azureml.aml import Aml
from tests.studio.running import Azurite, Running
from tests.studio.shared import Shared
from tests.waiting import eventually

MODEL = {"model": {"jobOutputType": "custom_model"}}
STORE = "workspaceblobstore"


def literal(value: str) -> dict[str, str]:
    return {"jobInputType": "literal", "value": value}


def error(details: dict[str, Any]) -> tuple[str, str, str]:
    found = details["error"]["error"]
    return details["status"], found["code"], found["message"]


def processes_of(aml: Aml, job: str) -> list[psutil.Process]:
    """What a job has running, by the variables that each of its processes has."""
    found = []
    for process in psutil.process_iter():
        try:
            variables = process.environ()
            ours = variables.get("TMPDIR", "").startswith(str(aml.cloud.directory))
            if ours and variables["AZUREML_RUN_ID"] == job and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def own(azurite: Azurite, tmp_path: Path) -> Any:
    """A workspace in a cloud of this test alone."""
    running = Running(tmp_path, azurite)
    running.start()
    yield Aml(running, "amlg", "mlown").create()
    if running.process is not None:
        running.stop()
    running.close()


def test_a_job_runs_its_code_on_its_inputs_and_its_outputs_are_kept(aml: Aml) -> None:
    """Literals as they are, data of a datastore, an asset and an address; outputs where they belong, and the log."""
    aml.cloud.upload(aml.container(STORE), "in/a.csv", b"1,2\n")
    aml.cloud.upload(aml.container(STORE), "in/deep/b.csv", b"3\n")
    aml.put("data", "rows", "1", dataType="uri_file", dataUri=f"azureml://datastores/{STORE}/paths/in/a.csv")
    code = aml.code(
        "copy",
        train_py=(
            "import pathlib, sys\n"
            "folder, file, asset, rate, out, report = sys.argv[1:]\n"
            "names = sorted(p.relative_to(folder).as_posix() for p in pathlib.Path(folder).rglob('*.csv'))\n"
            "pathlib.Path(out, 'deep').mkdir()\n"
            "pathlib.Path(out, 'deep', 'model.txt').write_text(rate)\n"
            "pathlib.Path(report).write_text(open(file).read() + open(asset).read())\n"
            "pathlib.Path('outputs').mkdir(); pathlib.Path('outputs/kept.txt').write_text('kept')\n"
            "print('saw', names)\n"
        ),
    )
    base = f"azureml://datastores/{STORE}/paths/in"
    details = aml.run(
        "copies",
        "python train.py ${{inputs.folder}} ${{ inputs.file }} ${{inputs.asset}} ${{inputs.rate}}"
        " ${{outputs.model}} ${{outputs.report}}",
        codeId=code,
        inputs={
            "folder": {"jobInputType": "uri_folder", "uri": f"{base}/"},
            "file": {
                "jobInputType": "uri_file",
                "uri": f"{aml.cloud.blob}/{aml.container(STORE)}/in/a.csv",
            },
            "asset": {"jobInputType": "uri_file", "uri": f"{aml.path}/data/rows/versions/1"},
            "rate": literal("0.5"),
        },
        outputs={
            **MODEL,
            "report": {
                "jobOutputType": "uri_file",
                "uri": f"azureml://datastores/{STORE}/paths/reports/one.csv",
            },
        },
    )
    assert details["status"] == "Completed", details
    assert "saw ['a.csv', 'deep/b.csv']" in aml.log("copies")
    assert aml.blobs(STORE, "azureml/copies/model/") == {"deep/model.txt": b"0.5"}
    assert aml.blobs(STORE, "reports/") == {"one.csv": b"1,2\n1,2\n"}
    assert aml.blobs("workspaceartifactstore", "ExperimentRun/dcid.copies/outputs/") == {"kept.txt": b"kept"}


def test_an_output_with_an_assets_name_becomes_a_version_of_it(aml: Aml) -> None:
    """A model with its job, of the version that is asked for or else the next; data likewise."""
    outputs = {
        "model": {"jobOutputType": "custom_model", "assetName": "born"},
        "table": {"jobOutputType": "uri_folder", "assetName": "table", "assetVersion": "v5"},
    }
    command = "echo 1 > ${{outputs.model}}/m; echo 2 > ${{outputs.table}}/t"
    for number, job in enumerate(("bearer1", "bearer2"), 1):
        outputs["table"]["assetVersion"] = f"v{number}"
        assert aml.run(job, command, outputs=outputs)["status"] == "Completed"
        model = aml.ws("GET", f"models/born/versions/{number}").raise_for_status().json()["properties"]
        assert (model["jobName"], model["modelType"]) == (job, "custom_model")
        assert aml.blobs(STORE, model["modelUri"].partition("/paths/")[2]) == {"m": b"1\n"}
        assert aml.ws("GET", f"data/table/versions/v{number}").is_success
    again = error(aml.run("bearer3", command, outputs=outputs))
    assert (again[0], "'table' cannot be registered: Asset paths cannot be updated." in again[2]) == (
        "Failed",
        True,
    )


def test_an_input_is_a_file_or_a_folder_as_its_type_and_its_path_are(aml: Aml) -> None:
    """A model of one file is that file, one of a folder that folder; a folder is no file."""
    container = aml.container(STORE)
    aml.cloud.upload(container, "one/m", b"file")
    aml.cloud.upload(container, "many/m/m", b"folder")
    base = f"azureml://datastores/{STORE}/paths"
    aml.put("models", "single", "1", modelUri=f"{base}/one/m")
    inputs = {
        "single": {"jobInputType": "custom_model", "uri": f"{aml.path}/models/single/versions/1"},
        "many": {"jobInputType": "custom_model", "uri": f"{base}/many/m"},
        "folder": {"jobInputType": "uri_folder", "uri": f"{base}/one/m"},
        "direct": {"jobInputType": "uri_folder", "uri": f"{base}/none/", "mode": "Direct"},
    }
    command = "cat ${{inputs.single}} ${{inputs.many}}/m ${{inputs.folder}}/m; echo ${{inputs.direct}}"
    assert aml.run("typed", command, inputs=inputs)["status"] == "Completed"
    assert aml.log("typed") == f"filefolderfile{base}/none/\n"
    wrong = {"x": {"jobInputType": "uri_file", "uri": f"{base}/many/"}}
    assert "its path is a folder" in error(aml.run("mistyped", "true", inputs=wrong))[2]


def test_a_job_has_its_own_variables_and_none_of_ours(aml: Aml) -> None:
    """No key of the account, no token of Resource Manager, nothing of the server's environment; no rest of a job."""
    code = aml.code("env", train_py="import json, os; print(json.dumps(dict(os.environ)))")
    details = aml.run("env", "python train.py", codeId=code, environmentVariables={"MINE": "yes"})
    assert details["status"] == "Completed", details
    variables = json.loads(aml.log("env"))
    assert variables["MINE"] == "yes"
    assert variables["MLFLOW_RUN_ID"] == "env"
    assert "PYTEST_CURRENT_TEST" not in variables
    said = json.dumps(variables)
    assert aml.cloud.azurite.key not in said
    assert "arm-token-of-these-tests" not in said
    assert not list((aml.cloud.directory / "data" / "azureml" / "jobs").glob("*/env"))


@pytest.mark.parametrize(
    ("name", "command", "properties", "expected"),
    [
        (
            "exits",
            "echo the reason >&2; exit 3",
            {},
            ("Failed", "UserError", "exited with status code 3"),
        ),
        (
            "signalled",
            "exec python -c 'import os; os.kill(os.getpid(), 11)'",
            {},
            ("Failed", "UserError", "terminated by signal 11 (SIGSEGV)"),
        ),
        (
            "killed",
            "python -c 'import os; os.kill(os.getpid(), 9)'; exit $?",
            {},
            ("Failed", "UserError", "exited with status code 137, as after signal 9 (SIGKILL)"),
        ),
        (
            "hangs",
            "sleep 600 & sleep 600",
            {"limits": {"jobLimitsType": "Command", "timeout": "PT1S"}},
            ("Canceled", "JobExceededTimeLimit", "for longer than its limit of PT1S"),
        ),
        (
            "greedy",
            "python -c 'x = bytearray(300_000_000); import time; time.sleep(600)'",
            {"resources": {"instanceCount": 1, "dockerArgs": "--memory=200m"}},
            ("Failed", "OutOfMemory", "more than the job may"),
        ),
        (
            "silent",
            "true",
            {"outputs": MODEL},
            ("Failed", "UserError", "wrote nothing to ${{outputs.model}}"),
        ),
        (
            "thief",
            "ln -s /etc/hostname ${{outputs.model}}/model.bin",
            {"outputs": MODEL},
            ("Failed", "UserError", "'model.bin' leads out of its folder"),
        ),
        (
            "burglar",
            "rmdir ${{outputs.model}} && ln -s /etc/skel ${{outputs.model}}",
            {"outputs": MODEL},
            ("Failed", "UserError", "'model' leads out of its folder"),
        ),
        (
            "unread",
            "true",
            {
                "inputs": {
                    "x": {"jobInputType": "uri_file", "uri": f"azureml://datastores/{STORE}/paths/none"}
                }
            },
            ("Failed", "DataAccessError", "The input 'x' cannot be read"),
        ),
    ],
)
def test_a_bad_job_fails_with_its_reason(
    aml: Aml, name: str, command: str, properties: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """Whatever goes wrong in it, the job ends, says why, and leaves no process and no output."""
    status, code, message = error(aml.run(name, command, **properties))
    assert (status, code) == expected[:2]
    assert expected[2] in message
    assert processes_of(aml, name) == []
    assert aml.blobs(STORE, f"azureml/{name}/") == {}


def test_the_end_of_the_output_is_part_of_the_reason(aml: Aml) -> None:
    """So that nobody has to open the log for it; the log has all."""
    _, _, message = error(aml.run("says", "echo one; echo the reason >&2; exit 1"))
    assert message.endswith("Error: one | the reason")
    assert aml.log("says") == "one\nthe reason\n"


def test_an_environment_that_cannot_be_made_fails_the_job(aml: Aml) -> None:
    """With the service's code, and what uv said; and an image with contents that are not known here likewise."""
    conda = "dependencies:\n- pip: ['no-such-package-zzz==1 @ nowhere']\n"
    broken = aml.put("environments", "broken", "1", image="x/y", condaFile=conda)["id"]
    image = aml.put("environments", "image", "1", image="x/y:2")["id"]
    status, code, message = error(aml.run("broken", "true", environmentId=broken))
    assert (status, code) == ("Failed", "ImageBuildFailure")
    assert "broken/versions/1" in message
    assert "does not know what is in 'x/y:2'" in error(aml.run("image", "true", environmentId=image))[2]


def test_a_hundred_megabytes_of_output_are_streamed_to_the_log(aml: Aml) -> None:
    """All of it, in order, while the server's own memory stays what it was."""
    assert aml.cloud.process is not None
    server = psutil.Process(aml.cloud.process.pid)
    before = server.memory_info().rss
    line = "x" * 1023
    code = aml.code("loud", train_py=f"for n in range(100 * 1024): print({line!r})\nprint('the end')\n")
    assert aml.run("loud", "python train.py", codeId=code)["status"] == "Completed"
    files = aml.details("loud")["logFiles"]
    answer = aml.cloud.http.head(files["user_logs/std_log.txt"])
    assert int(answer.headers["content-length"]) == 100 * 1024 * 1024 + len("the end\n")
    assert server.memory_info().rss - before < 80 * 1024 * 1024


def test_the_log_grows_while_the_job_runs(aml: Aml) -> None:
    """What is said is seen before the end."""
    aml.job("slow", "echo begun; sleep 600").raise_for_status()
    eventually(lambda: "begun" in aml.log("slow"), "the log's first line")
    assert aml.details("slow")["status"] == "Running"
    aml.ws("POST", "jobs/slow/cancel").raise_for_status()
    assert aml.wait("slow")["status"] == "Canceled"


def test_cancel_ends_all_that_a_job_has_started(aml: Aml) -> None:
    """Also what does not want to: children that ignore the signal, and one in a session of its own."""
    aml.job(
        "family", "trap '' TERM; setsid sleep 600 & (trap '' TERM; sleep 600) & echo begun; sleep 600"
    ).raise_for_status()
    eventually(lambda: len(processes_of(aml, "family")) >= 3, "the job's processes")
    answer = aml.ws("POST", "jobs/family/cancel")
    assert answer.status_code == 202
    location = answer.headers["location"][len(aml.cloud.url) :]
    assert aml.call("GET", location).status_code in (200, 202)
    eventually(lambda: aml.call("GET", location).status_code == 200, "the end of the cancellation")
    assert aml.details("family")["status"] == "Canceled"
    assert processes_of(aml, "family") == []
    assert aml.ws("POST", "jobs/family/cancel").status_code == 200


def test_a_job_is_submitted_once_however_often_it_is_put(aml: Aml) -> None:
    """The same body is the same job; tags may change, what is run may not."""
    assert aml.job("once", "echo ran", tags={"a": "1"}).status_code == 201
    assert aml.job("once", "echo ran", tags={"a": "2"}).status_code == 200
    assert aml.wait("once")["status"] == "Completed"
    shown = aml.ws("GET", "jobs/once").json()
    assert aml.ws("PUT", "jobs/once", shown).status_code == 200
    assert aml.log("once") == "ran\n"
    for change in ({"command": "echo other"}, {"inputs": {"a": literal("1")}}, {"displayName": "other"}):
        answer = aml.ws("PUT", "jobs/once", {"properties": {**shown["properties"], **change}})
        assert answer.status_code == 400, change
        assert "cannot be changed" in answer.json()["error"]["message"]
    assert aml.ws("GET", "jobs/once").json()["properties"]["tags"] == {"a": "2"}
    assert [one["name"] for one in aml.ws("GET", "jobs", tag="a=2").json()["value"]] == ["once"]


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"command": "run ${{inputs.nothing}}"}, 400, "names inputs.nothing, which the job does not have"),
        ({"command": "run ${{outputs.a}}"}, 400, "names outputs.a"),
        ({"command": ""}, 400, "'command' of a command job is required"),
        ({"jobType": "Sweep"}, 400, "jobs of the type Command, not 'Sweep'"),
        ({"environmentId": "/x/environments/none/versions/1"}, 404, "Not found: environment"),
        ({"codeId": "/x/codes/none/versions/1"}, 404, "Not found: code"),
        ({"computeId": "/x/computes/none"}, 404, "Not found: compute"),
        ({"limits": {"timeout": "1 hour"}}, 400, "'1 hour' is not a duration"),
        ({"inputs": {"a": {"jobInputType": "literal", "value": 3}}}, 400, "whose value is a string"),
        ({"inputs": {"a": {"jobInputType": "odd"}}}, 400, "jobInputType 'odd'"),
        ({"inputs": {"a": {"jobInputType": "uri_file"}}}, 400, "has no uri"),
        ({"outputs": {"a-b": {"jobOutputType": "uri_file"}}}, 400, "no name of an input or output"),
        (
            {"outputs": {"a": {"jobOutputType": "uri_file", "uri": "azureml://datastores/none/paths/x"}}},
            400,
            "no datastore 'none'",
        ),
        ({"distribution": {"distributionType": "Mpi"}}, 400, "as one process"),
        ({"resources": {"instanceCount": 2}}, 400, "as one instance"),
        ({"environmentVariables": {"A": 1}}, 400, "'A' is not a string"),
        ({"environmentVariables": {"A=B": "1"}}, 400, "'A=B' is no name"),
        (
            {
                "outputs": {
                    "a": {
                        "jobOutputType": "uri_folder",
                        "uri": f"azureml://datastores/{STORE}/paths/azureml/once/model/",
                    }
                }
            },
            400,
            "which belongs to the job 'once'",
        ),
    ],
)
def test_a_job_that_cannot_run_is_refused_at_once(
    aml: Aml, change: dict[str, Any], status: int, message: str
) -> None:
    """By name, and nothing is kept of it."""
    answer = aml.job("refused", **{"command": "true", **change})
    assert (answer.status_code, message in answer.json()["error"]["message"]) == (status, True), answer.text
    assert aml.ws("GET", "jobs/refused").status_code == 404


def test_no_more_jobs_run_at_once_than_there_is_room_for(own: Aml) -> None:
    """The others wait, and have their turn in the order in which they came; one that waits is cancelled at once."""
    room = os.cpu_count() or 1
    names = [f"j{number}" for number in range(room + 2)]
    for name in names:
        own.job(name, "while [ ! -e ../../../../../go ]; do sleep 0.1; done").raise_for_status()
    for name in names[:room]:
        own.wait(name, "Running")
    assert [own.details(name)["status"] for name in names[room:]] == ["Queued", "Queued"]
    own.ws("POST", f"jobs/{names[-1]}/cancel").raise_for_status()
    assert own.wait(names[-1])["status"] == "Canceled"
    (own.cloud.directory / "data" / "go").touch()
    assert {own.wait(name)["status"] for name in names[:-1]} == {"Completed"}


def test_a_job_ends_with_its_workspace(own: Aml) -> None:
    """Nothing of it goes on running."""
    own.job("orphan", "sleep 600").raise_for_status()
    eventually(lambda: processes_of(own, "orphan"), "the job's process")
    assert own.ws("GET", "jobs/orphan").status_code == 200
    assert own.call("DELETE", own.path, **{"api-version": "2024-10-01"}).is_success
    eventually(lambda: not processes_of(own, "orphan"), "the end of the job's process")
    again = own.create()
    assert again.ws("GET", "jobs").json()["value"] == []
    assert again.mlflow("GET", "runs/get", run_id="orphan").status_code == 404


def test_a_job_is_deleted_only_when_it_is_over(aml: Aml) -> None:
    """A running one is a conflict; the name of one that is gone is not given again."""
    aml.job("lasting", "sleep 600").raise_for_status()
    assert aml.ws("DELETE", "jobs/lasting").status_code == 409
    aml.ws("POST", "jobs/lasting/cancel").raise_for_status()
    aml.wait("lasting")
    assert aml.ws("DELETE", "jobs/lasting").status_code == 202
    assert aml.ws("DELETE", "jobs/lasting").status_code == 204
    again = aml.job("lasting", "true")
    assert (again.status_code, "stays taken" in again.json()["error"]["message"]) == (409, True)


def test_a_running_job_is_found_again_after_kill_minus_nine(own: Aml) -> None:
    """It goes on meanwhile, and the next server brings its log and output home; another, queued, has its turn."""
    own.job(
        "survivor",
        "echo before; while [ ! -e ../go ]; do sleep 0.1; done; echo after; echo 1 > ${{outputs.model}}/m",
        outputs=MODEL,
    ).raise_for_status()
    eventually(lambda: "before" in own.log("survivor"), "the log's first line")
    (process, *_) = processes_of(own, "survivor")
    own.cloud.stop(signal.SIGKILL)
    (folder,) = (own.cloud.directory / "data" / "azureml" / "jobs").glob("*/survivor")
    (folder / "go").touch()
    own.cloud.start()
    assert own.wait("survivor")["status"] == "Completed"
    assert own.log("survivor") == "before\nafter\n"
    assert own.blobs(STORE, "azureml/survivor/model/") == {"m": b"1\n"}
    assert not process.is_running()


def test_a_job_whose_process_died_with_the_server_fails_and_says_so(own: Aml) -> None:
    """Nobody waits for it for ever, and nothing of it is left running."""
    own.job("lost", "echo begun; sleep 600").raise_for_status()
    eventually(lambda: "begun" in own.log("lost"), "the log's first line")
    (folder,) = (own.cloud.directory / "data" / "azureml" / "jobs").glob("*/lost")
    own.cloud.stop(signal.SIGKILL)
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in (process.info["cmdline"] or []):
            process.kill()
    own.cloud.start()
    status, code, message = error(own.wait("lost"))
    assert (status, code) == ("Failed", "JobLost")
    assert "was killed" in message
    assert processes_of(own, "lost") == []


def test_a_server_that_stops_takes_its_jobs_along_and_begins_them_again(own: Aml) -> None:
    """Nothing runs without it; at the next start the job does, from its beginning."""
    own.job("again", "echo begun; [ -e ../../../../../go ] || sleep 600", outputs={}).raise_for_status()
    eventually(lambda: "begun" in own.log("again"), "the log's first line")
    own.cloud.stop()
    eventually(lambda: processes_of(own, "again") == [], "the end of the job's processes")
    (own.cloud.directory / "data" / "go").touch()
    own.cloud.start()
    assert own.wait("again")["status"] == "Completed"
    assert own.log("again") == "begun\n"


@pytest.mark.parametrize("kind", [{"kind": "status", "status": 503}, {"kind": "drop", "when": "after"}])
def test_a_log_is_whole_and_once_though_the_blob_store_misbehaves(aml: Aml, kind: dict[str, Any]) -> None:
    """Refused, or taken without an answer: each line is there once, in order, and so is the output."""
    name = f"faulted-{kind['kind']}"
    assert isinstance(aml.cloud, Shared)
    logged = {"service": "blob", "method": "PUT", "path": f"*{name}/user_logs/*", "after": 1, "count": 1}
    written = {"service": "blob", "method": "PUT", "path": f"*azureml/{name}/*", "count": 1}
    aml.cloud.faults({**kind, **logged}, {**kind, **written})
    try:
        command = "for n in 1 2 3; do echo $n; sleep 0.5; done; echo x > ${{outputs.model}}/m"
        assert aml.run(name, command, outputs=MODEL)["status"] == "Completed"
        assert aml.cloud.fired() == [1, 1]
    finally:
        aml.cloud.quiet()
    assert aml.log(name) == "1\n2\n3\n"
    assert aml.blobs(STORE, f"azureml/{name}/model/") == {"m": b"x\n"}


def test_a_job_stalls_by_a_rule_of_faults_until_it_may_go_on_or_is_cancelled(aml: Aml) -> None:
    """It says Running meanwhile, and nothing of it runs."""
    assert isinstance(aml.cloud, Shared)
    aml.cloud.faults({"kind": "stalled-job", "path": "*/jobs/stalled-*"})
    try:
        for name in ("stalled-1", "stalled-2"):
            assert aml.job(name, "echo gone on").status_code == 201
            assert aml.details(name)["status"] == "Running"
        aml.ws("POST", "jobs/stalled-1/cancel").raise_for_status()
        assert aml.wait("stalled-1")["status"] == "Canceled"
        assert (aml.details("stalled-2")["status"], aml.log("stalled-2")) == ("Running", "")
    finally:
        aml.cloud.quiet()
    assert aml.wait("stalled-2")["status"] == "Completed"
    assert aml.log("stalled-2") == "gone on\n"
    aml.cloud.faults({"kind": "stalled-job", "path": "*/jobs/stalled-3", "seconds": 0.1})
    try:
        assert aml.run("stalled-3", "true")["status"] == "Completed"
    finally:
        aml.cloud.quiet()


def test_a_job_is_lost_by_a_rule_of_faults(aml: Aml) -> None:
    """When it is submitted, or when somebody looks: it fails, and what it had running ends."""
    assert isinstance(aml.cloud, Shared)
    aml.cloud.faults({"kind": "lost-job", "method": "PUT", "path": "*/jobs/lost-1"})
    try:
        assert error(aml.run("lost-1", "true"))[:2] == ("Failed", "JobLost")
        assert aml.job("lost-2", "sleep 600").status_code == 201
        eventually(lambda: processes_of(aml, "lost-2"), "the command")
        aml.cloud.faults({"kind": "lost-job", "method": "GET", "path": "*/jobs/lost-2"})
        assert aml.ws("GET", "jobs/lost-2").json()["properties"]["status"] == "Failed"
    finally:
        aml.cloud.quiet()
    assert error(aml.wait("lost-2"))[:2] == ("Failed", "JobLost")
    eventually(lambda: not processes_of(aml, "lost-2"), "the end of the command")
