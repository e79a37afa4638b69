"""What a user of the published Python client `azureml` does with a workspace; run in a process of its own.

The arguments are the workspace's id, its token and its address; what was seen goes to standard output, as JSON.
"""

from __future__ import annotations

import io
import json
import sys

import pandas as pd
from azureml import AzureMLConflictHttpError, AzureMLHttpError, Workspace  # type: ignore[import-not-found]
from azureml.errors import AzureMLUnauthorizedError  # type: ignore[import-not-found]
from azureml.serialization import deserialize_dataframe  # type: ignore[import-not-found]

identifier, token, url, experiment = sys.argv[1:]
workspace = Workspace(identifier, token, url)
frame = pd.DataFrame({"surface": [10, 20, 30], "price": [1.5, 2.5, 3.5]})
seen: dict[str, object] = {}

for kind in ("GenericCSV", "GenericTSV", "GenericCSVNoHeader", "GenericTSVNoHeader"):
    workspace.datasets.add_from_dataframe(frame, kind, f"py {kind}", "from a data frame")
    # Not to_dataframe(): pandas 3 cannot read from the stream that it opens, whatever the server.
    content = io.BytesIO(workspace.datasets[f"py {kind}"].read_as_binary())
    seen[kind] = deserialize_dataframe(content, kind).to_csv(index=False)

text = "one line\nénd\n".encode()
workspace.datasets.add_from_raw_data(text, "PlainText", "py text", "raw")
seen["text"] = workspace.datasets["py text"].read_as_binary() == text

large = b"a,b\n" + b"1,2\n" * 1_200_000  # three blocks
dataset = workspace.datasets.add_from_raw_data(large, "GenericCSV", "py large", "in blocks")
seen["large"] = dataset.read_as_binary() == large and dataset.size == len(large)

dataset = workspace.datasets["py GenericCSV"]
before = dataset.dataset_id
dataset.update_from_dataframe(frame[:1])
seen["updated"] = dataset.dataset_id != before
seen["dates"] = dataset.created_date.year, dataset.owner, dataset.is_latest, dataset.is_example
with dataset.open() as stream:
    seen["stream"] = stream.read().decode()
try:
    workspace.datasets.add_from_dataframe(frame, "GenericCSV", "py GenericCSV", "again")
except AzureMLConflictHttpError as error:
    seen["conflict"] = error.status_code
try:
    len(Workspace(identifier, "wrong", url).datasets)
except AzureMLUnauthorizedError as error:
    seen["unauthorized"] = error.status_code
try:
    workspace.datasets.add_from_raw_data(b"x", "Excel", "py excel", "no")
except AzureMLHttpError as error:
    seen["refused"] = error.status_code

seen["names"] = sorted(one.name for one in workspace.datasets if one.name.startswith("py "))
seen["examples"] = len(workspace.example_datasets)
found = workspace.experiments[experiment]
seen["experiment"] = found.status.status_code, found.status.creation_time.year, found.description
between = found.get_intermediate_dataset("score", "Scored dataset", "GenericCSV")
seen["between"] = list(between.to_dataframe().columns)
print(json.dumps(seen))
