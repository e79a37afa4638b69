"""Execute Python Script: what it is called with, what it gives, and its errors with the script's line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graph import GraphError, ModuleError, parse_experiment, run
from graph.data.datasets import Dataset
from graph.errors import ModuleFailure
from graph.modules.scripts import execute_python_script
from sandbox import confinement
from tests.graph.modules import call, table

pytestmark = pytest.mark.skipif(bool(confinement()), reason=confinement() or "this machine confines")

SCRIPT = "Execute Python Script"
FRAME = pd.DataFrame(
    {
        "x": [1.5, None, 3.0],
        "n": [1, 2, 3],
        "Größe": ["a", None, "ü"],
        "kind": pd.Categorical(["p", "q", "p"]),
        "on": [True, False, True],
        "day": pd.to_datetime(["2020-01-01", "2021-02-03", None]),
    }
)


def scripted(text: str, *tables: pd.DataFrame) -> pd.DataFrame:
    return table(SCRIPT, *tables, Python_script=text)


def test_a_table_comes_back_as_it_went():
    """Numbers, texts, categories, truth values and dates, with what is missing."""
    found = scripted("def azureml_main(dataframe1=None, dataframe2=None):\n    return dataframe1,\n", FRAME)
    pd.testing.assert_frame_equal(found, FRAME, check_dtype=False, check_categorical=False)
    assert found["n"].dtype == np.int64
    assert isinstance(found["kind"].dtype, pd.CategoricalDtype)


@pytest.mark.parametrize(
    ("text", "tables", "wanted"),
    [
        ("def azureml_main(a, b):\n    return [a.assign(z=b is None)]\n", 1, True),
        ("def azureml_main(a, b):\n    return [a.assign(z=len(a) + len(b))]\n", 2, 6),
        ("def azureml_main(a):\n    return a.assign(z=a['n'] * 2),\n", 2, 2),
        ("import pandas as pd\ndef azureml_main():\n    return pd.DataFrame({'z': [7]}),\n", 0, 7),
        ("print('talks')\ndef azureml_main(*frames):\n    return frames[0].assign(z=len(frames)),\n", 1, 2),
    ],
)
def test_it_is_called_with_as_many_tables_as_it_takes(text, tables, wanted):
    """One that is not connected is None."""
    assert scripted(text, *[FRAME] * tables)["z"].iloc[0] == wanted


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x = 1\n    return x / 0", "0085.*line 3: raises ZeroDivisionError: division by zero"),
        ("return a['gone'],", "line 2: raises KeyError"),
        ("return a", "returned DataFrame, not a sequence of one DataFrame"),
        ("return a, a", "returned tuple, not a sequence of one DataFrame"),
        ("return 1,", "returned a sequence of int"),
        ("return a.assign(z=[[1], [2], [3]]),", '0017.*column "z" of type list'),
        ("return a.assign(z=[1, 'b', 3.5]),", "raises Arrow"),
        ("import pandas\n    return pandas.concat([a, a], axis=1),", "two columns 'x'"),
        ("import socket\n    socket.socket()", "line 3: raises PermissionError"),
        ("open('/etc/passwd')", "line 2: raises PermissionError"),
        ("import os\n    os._exit(1)", "ended its process without an answer"),
    ],
)
def test_what_gives_no_table_is_studios_error_with_the_line(body, words):
    with pytest.raises(ModuleFailure, match=words.replace("0085.*", "")) as caught:
        scripted(f"def azureml_main(a):\n    {body}\n", FRAME)
    assert caught.value.code in ("0085", "0017")


def test_one_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(execute_python_script, "_SECONDS", 0.5)
    with pytest.raises(ModuleFailure, match=r"longer than 0\.5 seconds"):
        scripted("def azureml_main():\n    while True: pass\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def azureml_main(a)\n    return a,\n", "line 1: expected ':'"),
        ("\n\ndef main(a):\n    return a,\n", "no function azureml_main"),
    ],
)
def test_what_is_no_script_is_refused_before_anything_runs(text, words):
    with pytest.raises(ModuleFailure, match=words) as caught:
        call(SCRIPT, FRAME, Python_script=text)
    assert caught.value.code == "0085"


def graph() -> dict[str, object]:
    text = "def azureml_main(a):\n    return a.assign(twice=a['n'] * 2),\n"
    return {
        "name": "scripted",
        "nodes": {
            "data": {"input": "input1"},
            "script": {"module": SCRIPT, "parameters": {"Python script": text}},
            "out": {"output": "output1"},
        },
        "edges": [{"from": "data", "to": "script.Dataset1"}, {"from": "script", "to": "out"}],
    }


def test_a_graph_says_that_it_has_a_script_and_runs_it():
    experiment = parse_experiment(graph())
    assert experiment.scripts == (f'{SCRIPT} (node "script")',)
    assert list(run(experiment, {"input1": FRAME[["n"]]})["output1"]["twice"]) == [2, 4, 6]
    with pytest.raises(ModuleError, match=r'node "script".*0085.*line 2: raises KeyError'):
        run(experiment, {"input1": FRAME[["x"]]})


def test_no_caller_of_a_service_gives_the_script():
    """A web service parameter of no type sets it."""
    definition = graph()
    definition["parameters"] = {
        "P": {"type": "String", "links": [{"node": "script", "parameter": "Python script"}]}
    }
    with pytest.raises(GraphError, match=r"cannot set script\.Python script"):
        parse_experiment(definition)


def test_where_the_machine_cannot_keep_it_apart_it_does_not_run(monkeypatch):
    monkeypatch.setattr(execute_python_script, "confinement", lambda: "on plan9 nothing keeps it")
    with pytest.raises(ModuleFailure, match="not run: on plan9"):
        call(SCRIPT, Dataset(FRAME), Python_script="def azureml_main():\n    return 1,\n")
