"""An experiment of own code in a folder of a test, changed piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from retrain_hooks.experiments.own_code import OwnCode, load_own_code

JOB = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
code: src
command: >-
  python train.py --data ${{inputs.data}} --rate ${{inputs.rate}}
  --model ${{outputs.model}}
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  conda_file: conda.yml
environment_variables: {THREADS: "1"}
inputs:
  data: {type: uri_file}
  rate: 0.1
outputs:
  model: {type: custom_model}
resources: {instance_count: 1, instance_type: Standard_DS3_v2}
limits: {timeout: 3600}
compute: azureml:cpu-cluster
display_name: wine
description: Says what is in a glass.
tags: {team: red}
"""
CONDA = """\
name: wine
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip:
      - scikit-learn==1.9.1
"""
DEPLOYMENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
name: blue
endpoint_name: wine
model: azureml:wine@latest
code_configuration: {code: src, scoring_script: score.py}
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  conda_file: conda.yml
instance_type: Standard_DS3_v2
instance_count: 2
liveness_probe: {initial_delay: 10, period: 10, timeout: 2, failure_threshold: 30, success_threshold: 1}
request_settings: {request_timeout_ms: 3000, max_concurrent_requests_per_instance: 4}
"""
FILES: Mapping[str, str | None] = {
    "job.yml": JOB,
    "deployment.yml": DEPLOYMENT,
    "conda.yml": CONDA,
    "src/train.py": "print('training')\n",
    "src/score.py": "def init():\n    pass\n\n\ndef run(data):\n    return []\n",
}


def write(root: Path, changed: Mapping[str, str | bytes | None] | None = None) -> Path:
    """The experiment `wine` below *root*, with other files or, where None, without them; its folder."""
    folder = root / "experiments" / "wine"
    for name, content in {**FILES, **(changed or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def load(root: Path, changed: Mapping[str, str | bytes | None] | None = None) -> OwnCode:
    """The experiment, written and read."""
    write(root, changed)
    return load_own_code("wine", root)


def job(old: str, new: str) -> dict[str, str | bytes | None]:
    """The job's file with a text replaced."""
    assert old in JOB
    return {"job.yml": JOB.replace(old, new)}


def deployment(old: str, new: str) -> dict[str, str | bytes | None]:
    """The deployment's file with a text replaced."""
    assert old in DEPLOYMENT
    return {"deployment.yml": DEPLOYMENT.replace(old, new)}
