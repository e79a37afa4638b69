"""azure-ai-ml's MLClient, unchanged: jobs and assets from end to end."""

from __future__ import annotations

from pathlib import Path

from tests.cloud.azureml.aml import Aml
from tests.cloud.azureml.sdk import drive
from tests.studio.shared import Shared


def test_a_job_is_submitted_streamed_downloaded_and_its_model_registered(aml: Aml, tmp_path: Path) -> None:
    """The whole walk of somebody who trains, by the SDK's own calls, with data that it uploads."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(
        "import sys, pathlib, time\n"
        "time.sleep(5)\n"  # the SDK shows what a job says while it runs, and nothing of one that has ended
        "data, out, more = sys.argv[1:]\n"
        "pathlib.Path(more, 'more.txt').write_text('more')\n"
        "pathlib.Path(out, 'model.txt').write_text(open(data).read().upper())\n"
        "print('trained')\n"
    )
    (tmp_path / "rows.csv").write_text("a,b\n")
    said = drive(
        aml,
        """
        environment = ml.environments.create_or_update(Environment(name="sdk", image="python:3"))
        job = ml.jobs.create_or_update(command(
            name="sdk_walk", experiment_name="walks", code="./src", environment=environment,
            command="python train.py ${{inputs.rows}} ${{outputs.model}} ${{outputs.more}}", tags={"by": "sdk"},
            inputs={"rows": Input(type="uri_file", path="./rows.csv")},
            outputs={"model": Output(type="custom_model"), "more": Output(type="uri_folder")},
        ))
        ml.jobs.stream(job.name)
        job = ml.jobs.get(job.name)
        ml.jobs.download(job.name, download_path="got", all=True)
        ml.jobs.download(job.name, download_path="got", output_name="model")
        model = ml.models.create_or_update(Model(
            name="walked", path=f"azureml://jobs/{job.name}/outputs/model/paths/", type="custom_model",
            tags={"key": "k"},
        ))
        ml.models.download("walked", model.version, download_path="model")
        again = ml.jobs.create_or_update(command(
            name="sdk_walk2", code="./src", environment="sdk@latest", command="python train.py a b",
        ))
        try:
            ml.jobs.stream(again.name)
        except Exception as error:
            failed = str(error)
        say(
            status=job.status, code=job.code,  same=again.code == job.code, failed=failed, path=model.path,
            version=model.version, next=ml.models.get("walked", label="latest").version,
            listed=[one.name for one in ml.jobs.list()], tags=job.tags,
        )
        """,
        tmp_path,
    )
    assert said["status"] == "Completed"
    assert "trained" in str(said["printed"])
    assert said["same"], "unchanged code is uploaded once"
    assert "exited with status code 1" in str(said["failed"])
    assert said["tags"] == {"by": "sdk"}
    assert {"sdk_walk", "sdk_walk2"} <= set(said["listed"])  # type: ignore[call-overload]
    assert (said["version"], said["next"]) == ("1", "1")
    outputs = tmp_path / "got" / "named-outputs"
    assert (outputs / "model" / "model.txt").read_text() == "A,B\n"
    assert (outputs / "more" / "more.txt").read_text() == "more"
    assert "trained" in (tmp_path / "got" / "artifacts" / "user_logs" / "std_log.txt").read_text()
    assert [path.read_text() for path in (tmp_path / "model").rglob("model.txt")] == ["A,B\n"]


def test_assets_are_uploaded_found_again_changed_and_archived(aml: Aml, tmp_path: Path) -> None:
    """Data and models from files, by versions that count on, in the datastore that the workspace has."""
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.csv").write_text("1\n")
    said = drive(
        aml,
        """
        first = ml.models.create_or_update(Model(name="uploaded", path="model.bin", tags={"n": "1"}))
        second = ml.models.create_or_update(Model(name="uploaded", path="model.bin", version="7"))
        third = ml.models.create_or_update(Model(name="uploaded", path="model.bin"))
        first.tags["n"], first.description = "2", "said"
        changed = ml.models.create_or_update(first)
        ml.models.archive("uploaded", "7")
        ml.models.download("uploaded", first.version, download_path="got")
        data = ml.data.create_or_update(Data(name="folder_of_rows", version="1", type="uri_folder", path="rows"))
        environment = ml.environments.create_or_update(
            Environment(name="conda", image="any/image", conda_file={"dependencies": ["numpy"]})
        )
        say(
            versions=[first.version, second.version, third.version], tags=changed.tags, said=changed.description,
            left=sorted(one.version for one in ml.models.list("uploaded")), data=data.path,
            datastores=[one.name for one in ml.datastores.list()], default=ml.datastores.get_default().name,
            environment=environment.version, conda=ml.environments.get("conda", "1").conda_file,
        )
        """,
        tmp_path,
    )
    assert said["versions"] == ["1", "7", "8"]
    assert (said["tags"], said["said"]) == ({"n": "2"}, "said")
    assert said["left"] == ["1", "8"]
    assert [path.read_bytes() for path in (tmp_path / "got").rglob("model.bin")] == [b"weights"]
    assert "workspaceblobstore" in str(said["data"])
    assert (said["default"], said["environment"]) == ("workspaceblobstore", "1")
    assert said["conda"] == {"dependencies": ["numpy"]}


def test_a_running_job_is_cancelled_and_what_is_said_of_it_is_changed(aml: Aml, tmp_path: Path) -> None:
    """A poller that asks each second (the SDK's own default is half a minute) sees the end of it."""
    said = drive(
        aml,
        """
        job = ml.jobs.create_or_update(command(
            name="sdk_lasting", experiment_name="walks", environment="plain@latest", command="sleep 600",
            outputs={"model": Output(type="custom_model")},
        ))
        while ml.jobs.get(job.name).status != "Running":
            time.sleep(0.2)
        ml.jobs.begin_cancel(job.name, polling_interval=1).wait(60)
        fetched = ml.jobs.get(job.name)
        fetched.tags, fetched.display_name = {"why": "too slow"}, "cancelled"
        changed = ml.jobs.create_or_update(fetched)
        say(status=changed.status, tags=changed.tags, shown=changed.display_name)
        """,
        tmp_path,
    )
    assert said["status"] == "Canceled"
    assert (said["tags"], said["shown"]) == ({"why": "too slow"}, "cancelled")


def test_a_model_is_deployed_invoked_split_and_deleted(aml: Aml, tmp_path: Path) -> None:
    """The whole walk of somebody who serves; the SDK's pauses of half a minute are cut short."""
    (tmp_path / "score").mkdir()
    (tmp_path / "score" / "score.py").write_text(
        "import json, os, pathlib\n"
        "def init():\n"
        "    global model\n"
        "    model = next(pathlib.Path(os.environ['AZUREML_MODEL_DIR']).rglob('*.txt')).read_text()\n"
        "    print('loaded', model)\n"
        "def run(raw):\n"
        "    return [model, os.environ['NAME'], json.loads(raw)]\n"
    )
    (tmp_path / "model.txt").write_text("weights")
    (tmp_path / "rows.json").write_text("[1, 2]")
    said = drive(
        aml,
        """
        pause = time.sleep
        time.sleep = lambda seconds: pause(min(seconds, 0.2))
        endpoint = ml.online_endpoints.begin_create_or_update(
            ManagedOnlineEndpoint(name="sdk-walk", auth_mode="key", tags={"by": "sdk"})
        ).result()
        model = ml.models.create_or_update(Model(name="sdk_served", path="model.txt"))
        environment = ml.environments.create_or_update(Environment(name="sdk_serving", image="python:3"))
        for name in ("blue", "green"):
            ml.online_deployments.begin_create_or_update(ManagedOnlineDeployment(
                name=name, endpoint_name="sdk-walk", model=model, environment=environment, instance_count=1,
                code_configuration=CodeConfiguration(code="score", scoring_script="score.py"), environment_variables={"NAME": name},
                instance_type="Standard_DS3_v2",
            )).result()
        first = ml.online_endpoints.get("sdk-walk").traffic
        endpoint.traffic = {"blue": 100}
        ml.online_endpoints.begin_create_or_update(endpoint).result()
        answers = [
            json.loads(ml.online_endpoints.invoke("sdk-walk", request_file="rows.json", **named))
            for named in ({}, {"deployment_name": "green"})
        ]
        logs = ml.online_deployments.get_logs("blue", "sdk-walk", 10)
        try:
            ml.online_deployments.begin_delete("blue", "sdk-walk").result()
        except Exception as error:
            refused = str(error)
        ml.online_deployments.begin_delete("green", "sdk-walk").result()
        left = [one.name for one in ml.online_deployments.list("sdk-walk")]
        ml.online_endpoints.begin_delete("sdk-walk").result()
        say(
            first=first, answers=answers, logs=logs, refused=refused, left=left, tags=endpoint.tags,
            gone="sdk-walk" not in [one.name for one in ml.online_endpoints.list()],
        )
        """,
        tmp_path,
    )
    assert said["first"] == {"blue": 0, "green": 0}
    assert said["answers"] == [["weights", "blue", [1, 2]], ["weights", "green", [1, 2]]]
    assert "loaded weights" in str(said["logs"])
    assert "traffic" in str(said["refused"])
    assert (said["left"], said["gone"], said["tags"]) == (["blue"], True, {"by": "sdk"})


def test_the_cloud_is_found_by_its_metadata(aml: Aml, tmp_path: Path) -> None:
    """By the variable that names their address, as in a cloud of one's own; nothing else is said of it."""
    assert isinstance(aml.cloud, Shared)
    address = f"https://127.0.0.1:{aml.cloud.https_port}/metadata/endpoints?api-version=2019-05-01"
    said = drive(
        aml,
        """
        found = MLClient(Credential(), ml.subscription_id, ml.resource_group_name, ml.workspace_name)
        say(workspaces=[one.name for one in found.workspaces.list()], at=found._base_url)
        """,
        tmp_path,
        ARM_CLOUD_METADATA_URL=address,
        AZUREML_CURRENT_CLOUD="LocalCloud",
    )
    assert aml.name in said["workspaces"]  # type: ignore[operator]
    assert str(said["at"]).startswith(f"https://127.0.0.1:{aml.cloud.https_port}")
