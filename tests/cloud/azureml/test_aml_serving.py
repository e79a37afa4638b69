"""What runs a deployment: processes that run `score.py` or an MLflow model, and the split."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud.azureml.serving import logs
from localcloud.azureml.serving.errors import NotServing, ScoringRefused
from localcloud.azureml.serving.instance import Reply
from localcloud.azureml.serving.plan import MLFLOW, SCRIPT, Plan, Probes, Settings
from localcloud.azureml.serving.replicas import Replicas
from localcloud.azureml.serving.traffic import Copies, Split

SCORE = """
import json, os, sys, threading, time

def init():
    global loaded
    loaded = os.environ["AZUREML_MODEL_DIR"]
    print("loaded", loaded)

def run(raw):
    asked = json.loads(raw)
    if asked == "die":
        os._exit(3)
    if asked == "exit":
        sys.exit(4)
    if asked == "fail":
        raise ValueError("no such column")
    if asked == "set":
        return {1, 2}
    if asked == "environment":
        return dict(os.environ)
    if isinstance(asked, dict):
        while not os.path.exists(asked["until"]):
            time.sleep(0.01)
    return [asked, os.getpid()]
"""


def _plan(home: Path, script: str = SCORE, instances: int = 1, **changes: Any) -> Plan:
    code = home / "code"
    code.mkdir(parents=True, exist_ok=True)
    (code / "score.py").write_text(script)
    settings = changes.pop("settings", Settings(concurrent=1, timeout=30.0))
    probes = changes.pop("probes", Probes(patience=30.0, period=0.1, timeout=2.0, failures=3))
    plan = Plan(
        SCRIPT, sys.executable, code / "score.py", home, code, home / "model", {}, instances, settings, probes
    )
    return replace(plan, **changes)


def _serve(plan: Plan, work: Callable[[Replicas], Awaitable[None]]) -> None:
    """Do some work with a deployment that was started, and end it."""

    async def main() -> None:
        deployed = Replicas(plan, plan.home / "log")
        await deployed.start()
        try:
            await work(deployed)
        finally:
            await deployed.end()

    asyncio.run(main())


def _said(reply: Reply) -> Any:
    return json.loads(reply.body)


async def _until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not look():
            await asyncio.sleep(0.01)


def test_run_answers_with_what_it_returns_as_json(tmp_path: Path) -> None:
    """`init()` was called once, `run()` gets the body as text, and what it prints is in the log."""

    async def work(deployed: Replicas) -> None:
        answers = [_said(await deployed.score(json.dumps(n).encode())) for n in range(3)]
        assert [answer[0] for answer in answers] == [0, 1, 2]
        assert len({answer[1] for answer in answers}) == 1

    _serve(_plan(tmp_path), work)
    assert logs.tail(tmp_path / "log", 10) == f"loaded {tmp_path / 'model'}"


@pytest.mark.parametrize(("asked", "why"), [("fail", "ValueError: no such column"), ("set", "TypeError")])
def test_an_exception_is_the_answer_of_that_call_alone(tmp_path: Path, asked: str, why: str) -> None:
    """500 with the reason, its traceback in the log, and the next call is answered by the same process."""

    async def work(deployed: Replicas) -> None:
        before = _said(await deployed.score(b"1"))
        failed = await deployed.score(json.dumps(asked).encode())
        assert (failed.status, why in _said(failed)) == (500, True)
        assert _said(await deployed.score(b"1")) == before

    _serve(_plan(tmp_path), work)
    assert "Traceback" in logs.tail(tmp_path / "log", 100)


def test_the_users_code_finds_none_of_the_servers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the deployment declares and what Azure's images set: no key, no token, no proxy of ours."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of the server")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of the server")

    async def work(deployed: Replicas) -> None:
        found = _said(await deployed.score(b'"environment"'))
        assert found["LEVEL"] == "3"
        assert "of the server" not in found.values()
        assert set(found) <= {
            *("LEVEL", "PATH", "VIRTUAL_ENV", "HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUTF8", "LANG", "LC_ALL"),
            *("TZ", "SSL_CERT_FILE", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "LC_CTYPE"),
            *("AZUREML_MODEL_DIR", "AML_APP_ROOT", "__PYVENV_LAUNCHER__"),
        }  # fmt: skip

    _serve(_plan(tmp_path, variables={"LEVEL": "3"}), work)


@pytest.mark.parametrize("how", ["die", "exit"])
def test_an_instance_that_ends_is_started_again(tmp_path: Path, how: str) -> None:
    """The call that it was at is refused as the platform's fault; the next one is answered by another process."""

    async def work(deployed: Replicas) -> None:
        before = _said(await deployed.score(b"1"))[1]
        with pytest.raises(ScoringRefused, match="ended while it answered") as refused:
            await deployed.score(json.dumps(how).encode())
        assert refused.value.status == 502
        assert _said(await deployed.score(b"1"))[1] != before

    _serve(_plan(tmp_path), work)


def test_who_waits_for_an_instance_that_ends_is_answered_by_the_next(tmp_path: Path) -> None:
    """Only the call that the process was at is refused, also while the process is asked whether it lives."""
    probes = Probes(patience=30.0, period=0.0001, timeout=20.0, failures=3)

    async def work(deployed: Replicas) -> None:
        at_work = asyncio.create_task(deployed.score(b'"die"'))
        await asyncio.sleep(0)
        waits = asyncio.create_task(deployed.score(b"1"))
        with pytest.raises(ScoringRefused, match="ended while it answered"):
            await at_work
        assert _said(await waits)[0] == 1

    for number in range(5):
        _serve(_plan(tmp_path / str(number), probes=probes), work)


def test_an_instance_that_was_killed_is_started_again_and_calls_wait_for_it(tmp_path: Path) -> None:
    """Nobody's call is lost by a process that ends between calls."""

    async def work(deployed: Replicas) -> None:
        pid = _said(await deployed.score(b"1"))[1]
        psutil.Process(pid).kill()
        await _until(lambda: not deployed.available)
        assert _said(await deployed.score(b"1"))[1] != pid

    _serve(_plan(tmp_path), work)


def test_an_instance_that_no_longer_lives_is_started_again(tmp_path: Path) -> None:
    """One that is stopped answers no probe; after as many as the liveness probe allows it is replaced."""

    probes = Probes(patience=30.0, period=0.05, timeout=0.2, failures=2)

    async def patient(deployed: Replicas) -> None:
        pid = _said(await deployed.score(b"1"))[1]
        psutil.Process(pid).suspend()
        await _until(lambda: not psutil.pid_exists(pid))
        assert _said(await deployed.score(b"1"))[1] != pid

    _serve(_plan(tmp_path, probes=probes), patient)


def test_what_takes_too_long_is_408_and_twice_the_slots_is_429(tmp_path: Path) -> None:
    """One call at work and one that waits; a third is refused at once, and all is well once the first has ended."""
    gate = tmp_path / "gate"

    async def work(deployed: Replicas) -> None:
        held = json.dumps({"until": str(gate)}).encode()
        outcomes = await asyncio.gather(*(deployed.score(held) for _ in range(3)), return_exceptions=True)
        assert [one.status for one in outcomes if isinstance(one, ScoringRefused)] == [408, 408, 429]
        gate.touch()
        await _until(lambda: not deployed._calls)
        assert _said(await deployed.score(b"1"))[0] == 1

    _serve(_plan(tmp_path, settings=Settings(concurrent=1, timeout=1.0)), work)


def test_as_many_calls_run_at_once_as_the_deployment_says(tmp_path: Path) -> None:
    """Two instances of two: four calls that wait for each other are all answered."""
    gate = tmp_path / "gate"

    async def work(deployed: Replicas) -> None:
        held = json.dumps({"until": str(gate)}).encode()
        calls = [asyncio.create_task(deployed.score(held)) for _ in range(4)]
        await _until(lambda: sum(deployed._busy.values()) == 4)
        gate.touch()
        answers = [_said(answer)[1] for answer in await asyncio.gather(*calls)]
        assert sorted(Counter(answers).values()) == [2, 2]

    _serve(_plan(tmp_path, instances=2, settings=Settings(concurrent=2, timeout=30.0)), work)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def init():\n    raise OSError('no model.pkl here')\ndef run(x): return x", "no model.pkl here"),
        ("import nowhere_to_be_found\ndef run(x): return x", "nowhere_to_be_found"),
        ("def init(): pass", "has no function run"),
        ("def run(x:", "SyntaxError"),
        ("import os\ndef init(): os._exit(7)\ndef run(x): return x", "ended with 7"),
        ("import os\ndef init(): os.kill(os.getpid(), 9)\ndef run(x): return x", "by signal 9"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_told_with_the_logs_last_lines(
    tmp_path: Path, script: str, reason: str
) -> None:
    """The deployment does not come to serve, and its operation will say why."""
    with pytest.raises(NotServing, match=reason) as failed:
        _serve(_plan(tmp_path, script), _never)
    assert failed.value.code == "ResourceNotReady"


def test_a_model_that_takes_too_long_to_load_is_told_by_its_probes(tmp_path: Path) -> None:
    """As long as the probes leave, no longer; and no process is left."""
    script = "import time\ndef init():\n    print('loading')\n    time.sleep(600)\ndef run(x): return x"
    with pytest.raises(NotServing, match=r"within 2 s.*\n*.*loading"):
        _serve(_plan(tmp_path, script, probes=Probes(patience=2.0)), _never)
    left = psutil.Process().children(recursive=True)
    assert not [one for one in left if str(tmp_path) in " ".join(one.cmdline())]


async def _never(deployed: Replicas) -> None:
    raise AssertionError("it serves")


def test_more_and_fewer_instances_without_another_start(tmp_path: Path) -> None:
    """Those that stay are the same processes; those that go end after their calls."""

    async def work(deployed: Replicas) -> None:
        first = _said(await deployed.score(b"1"))[1]
        await deployed.resize(replace(deployed.plan, instances=3))
        assert len(deployed._busy) == 3
        await deployed.resize(replace(deployed.plan, instances=1))
        assert [_said(await deployed.score(b"1"))[1] for _ in range(3)] == [first] * 3

    _serve(_plan(tmp_path), work)


def test_drained_it_answers_what_it_has_begun(tmp_path: Path) -> None:
    """A call in progress is answered before the process ends."""
    gate = tmp_path / "gate"

    async def work(deployed: Replicas) -> None:
        call = asyncio.create_task(deployed.score(json.dumps({"until": str(gate)}).encode()))
        await _until(lambda: sum(deployed._busy.values()) == 1)
        asyncio.get_running_loop().call_later(0.1, gate.touch)
        await deployed.drain()
        assert (await call).status == 200

    _serve(_plan(tmp_path), work)


def test_a_long_log_keeps_its_end(tmp_path: Path) -> None:
    """What prints without end fills no disk."""
    log = tmp_path / "log"
    log.write_bytes(b"x" * logs.LONGEST + b"\nthe end\n")
    logs.bound(log)
    assert log.stat().st_size < logs.LONGEST / 2
    assert logs.tail(log, 1) == "the end"


@pytest.mark.parametrize(
    "rows",
    [
        {"columns": ["surface"], "index": [0, 1], "data": [[100], [50]]},
        [{"surface": 100}, {"surface": 50.0}],
    ],
)
def test_an_mlflow_model_answers_without_code(tmp_path: Path, mlflow_folder: Path, rows: Any) -> None:
    """Both forms of `input_data`, columns by the model's own signature, predictions as a list."""

    async def work(deployed: Replicas) -> None:
        answer = await deployed.score(json.dumps({"input_data": rows}).encode())
        assert (answer.status, _said(answer)) == (200, [200.0, 100.0])

    _serve(_plan(tmp_path, runs=MLFLOW, path=mlflow_folder), work)


@pytest.mark.parametrize(
    "body", ['{"data": []}', '{"input_data": {"columns": ["surface"], "data": [["x"]]}}']
)
def test_an_mlflow_model_refuses_what_is_no_input(tmp_path: Path, mlflow_folder: Path, body: str) -> None:
    """400 with a reason, and no traceback on the wire."""

    async def work(deployed: Replicas) -> None:
        answer = await deployed.score(body.encode())
        assert answer.status == 400
        assert "input_data" in _said(answer)

    _serve(_plan(tmp_path, runs=MLFLOW, path=mlflow_folder), work)


@pytest.mark.parametrize(
    "weights", [{"blue": 90, "green": 10}, {"a": 34, "b": 33, "c": 33}, {"a": 1, "b": 99}]
)
def test_the_split_is_that_of_the_weights(weights: dict[str, int]) -> None:
    """Over any hundred calls each deployment has as many as its percentage says."""
    split = Split()
    for _ in range(3):
        assert Counter(split.next(weights) for _ in range(100)) == weights


def test_nobody_with_weight_is_nobody_and_copies_are_as_many_as_the_mirror_says() -> None:
    """No traffic, no answer; of a mirror of 30 percent, 30 of 100."""
    assert Split().next({"blue": 0}) is None
    copies = Copies()
    assert Counter(copies.next({"green": 30}) for _ in range(100)) == {None: 70, "green": 30}
