"""The least that a server can be which scores by the same model: uvicorn, JSON, ONNX Runtime, and nothing else.

It takes and gives the JSON of request-response in its swagger form, and asks for no key:

    python -m localcloud.bench.bare model.ilearner 8080
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import uvicorn


class Bare:
    """An ASGI application over a model's own ONNX graph and levels."""

    def __init__(self, model: Path) -> None:
        with zipfile.ZipFile(model) as archive:
            manifest, graph = json.loads(archive.read("manifest.json")), archive.read("model.onnx")
        runtime: Any = onnxruntime
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.classes = [str(value) for value in manifest["label"]["classes"]]
        self.features = [
            (each["name"], {level: at for at, level in enumerate(each["levels"])} if each["levels"] else None)
            for each in manifest["features"]
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request; of its address nothing is looked at."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        rows = json.loads(body)["Inputs"]["input1"]
        answer = json.dumps({"Results": {"output1": self.score(rows)}}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def score(self, rows: list[dict[str, Any]]) -> list[dict[str, str]]:
        """The rows with label and probability, all as text."""
        matrix = np.array(
            [
                [
                    float(row[name]) if levels is None else levels.get(row[name], math.nan)
                    for name, levels in self.features
                ]
                for row in rows
            ]
        )
        raw = self.session.run(None, {"features": matrix})[0][:, 0]
        shares = (1.0 / (1.0 + np.exp(-raw))).tolist()
        return [
            {
                **{name: str(value) for name, value in row.items()},
                "Scored Labels": self.classes[share >= 0.5],
                "Scored Probabilities": repr(share),
            }
            for row, share in zip(rows, shares, strict=True)
        ]


if __name__ == "__main__":
    uvicorn.run(Bare(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="warning", access_log=False)
