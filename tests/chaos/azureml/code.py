"""A team's own code of the standard library alone: its job and its deployment take a second, and no package."""

from __future__ import annotations

from pathlib import Path

EXPERIMENT = "tiny"
# The pattern of an answer's own word: which model gave it.
MODEL = "Model"

_JOB = """\
type: command
code: training
command: python train.py ${{inputs.data}} ${{outputs.model}} ${{outputs.evaluation}}
environment: {image: "mcr.microsoft.com/azureml/minimal:1"}
inputs:
  data: {type: uri_file}
outputs:
  model: {type: custom_model}
  evaluation: {type: uri_file}
"""
_DEPLOYMENT = """\
code_configuration: {code: serving, scoring_script: score.py}
environment: {image: "mcr.microsoft.com/azureml/minimal:1"}
instance_type: Standard_DS3_v2
request_settings: {max_concurrent_requests_per_instance: 4}
"""
# The later a flight is to depart, the likelier it is late; the data decide the direction.
_TRAIN = """\
import csv, hashlib, json, pathlib, sys

data, model, evaluation = map(pathlib.Path, sys.argv[1:])
content = data.read_bytes()
rows = list(csv.DictReader(content.decode().splitlines()))
late = [float(row["sched_dep_time"]) for row in rows if float(row["arr_delay"]) >= 15]
early = [float(row["sched_dep_time"]) for row in rows if float(row["arr_delay"]) < 15]
sign = 1 if sum(late) / len(late) >= sum(early) / len(early) else -1
name = hashlib.sha256(content).hexdigest()[:12]
spread = 200 + int(name[:4], 16) % 400
model.mkdir(parents=True, exist_ok=True)
(model / "model.json").write_text(
    json.dumps({"name": name, "sign": sign, "spread": spread}, sort_keys=True)
)
evaluation.parent.mkdir(parents=True, exist_ok=True)
evaluation.write_text(f"auc,rows\\n{0.7 if sign > 0 else 0.3},{len(rows)}\\n")
"""
_SCORE = """\
import json, math, os, pathlib, threading, time

turn, calls = threading.Lock(), 0


def init():
    global model
    [path] = [one for one in pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("*") if one.is_file()]
    model = json.loads(path.read_text())
    if model.get("fault") == "dead":
        raise RuntimeError("this model cannot be loaded")


def run(raw):
    global calls
    with turn:
        calls += 1
        late = calls > model.get("after", 0)
    if late and model.get("fault") == "errors":
        raise RuntimeError("this model fails")
    if late and model.get("fault") == "slow":
        time.sleep(model["seconds"])
    table = json.loads(raw)["input_data"]
    place = table["columns"].index("sched_dep_time")
    answers = []
    for row in table["data"]:
        told = 1 / (1 + math.exp(-model["sign"] * (float(row[place]) - 1400) / model["spread"]))
        answers.append(
            {"Scored Labels": int(told >= 0.5), "Scored Probabilities": told, "Model": model["name"]}
        )
    return answers
"""


def write(folder: Path) -> None:
    """Put the experiment where a project has it."""
    place = folder / "experiments" / EXPERIMENT
    files = {
        "job.yml": _JOB,
        "deployment.yml": _DEPLOYMENT,
        "training/train.py": _TRAIN,
        "serving/score.py": _SCORE,
    }
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
