"""What runs in an instance of a deployment: the user's `score.py`, or an MLflow model, in the deployment's own Python.

It is started by path and needs nothing but the standard library: whatever else is there, the deployment's environment
brings. The server speaks with it over one socket, in frames: eight bytes that say how long head and body are, a head in
JSON, a body. It says `ready` once the model is loaded; a `call` is answered by an `answer` with the same number, a
`ping` by a `pong`, from a thread that no call keeps busy. It ends with its server, whose end of the socket closes.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import queue
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LENGTHS = struct.Struct(">II")
_JSON = "application/json"

Run = Callable[[bytes], "tuple[int, str, bytes]"]


class Channel:
    """The socket to the server; several threads may send."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = connection.makefile("rb")
        self._lock = threading.Lock()

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """The next frame; None at the end."""
        lengths = self._reader.read(_LENGTHS.size)
        if len(lengths) < _LENGTHS.size:
            return None
        head, body = _LENGTHS.unpack(lengths)
        return json.loads(self._reader.read(head)), self._reader.read(body)

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a frame."""
        said = json.dumps(head).encode()
        with self._lock:
            self._connection.sendall(_LENGTHS.pack(len(said), len(body)) + said + body)


def script(path: Path) -> Run:
    """A scoring script: its `init()` is called now, its `run(raw_data)` for each call."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("entry_module", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["entry_module"] = module
    spec.loader.exec_module(module)
    run = getattr(module, "run", None)
    if not callable(run):
        raise AttributeError(f"{path.name} has no function run()")
    if callable(init := getattr(module, "init", None)):
        init()

    def answer(body: bytes) -> tuple[int, str, bytes]:
        result = run(body.decode("utf-8"))
        if isinstance(result, bytes):
            return 200, "application/octet-stream", result
        return 200, _JSON, json.dumps(result).encode()

    return answer


def mlflow_model(folder: Path) -> Run:
    """An MLflow model, which says itself how it is loaded and which columns it takes."""
    pyfunc = importlib.import_module("mlflow.pyfunc")
    wire = importlib.import_module("mlflow.utils.proto_json_utils")
    model = pyfunc.load_model(str(folder))
    schema = model.metadata.get_input_schema()

    def table(data: Any) -> Any:
        if isinstance(data, dict) and "data" in data:
            return wire.dataframe_from_parsed_json(data, pandas_orient="split", schema=schema)
        if isinstance(data, list) and data and isinstance(data[0], dict):
            return wire.dataframe_from_parsed_json(data, pandas_orient="records", schema=schema)
        import numpy

        if isinstance(data, dict):
            return {name: numpy.array(column) for name, column in data.items()}
        return numpy.array(data)

    def plain(predictions: Any) -> Any:
        if hasattr(predictions, "to_dict") and hasattr(predictions, "columns"):
            return predictions.to_dict(orient="records")
        return predictions.tolist() if hasattr(predictions, "tolist") else predictions

    def answer(body: bytes) -> tuple[int, str, bytes]:
        sent = json.loads(body)
        if not isinstance(sent, dict) or "input_data" not in sent:
            return 400, _JSON, json.dumps('The request has no member "input_data".').encode()
        try:
            rows = table(sent["input_data"])
        except Exception as error:
            return 400, _JSON, json.dumps(f"input_data cannot be read: {error}").encode()
        predictions = model.predict(rows, params=sent.get("params"))
        return 200, _JSON, json.dumps(plain(predictions), cls=wire.NumpyEncoder).encode()

    return answer


def main(descriptor: int, kind: str, path: Path, threads: int) -> None:
    """Load, say so, answer calls in so many threads until the server is gone."""
    channel = Channel(socket.socket(fileno=descriptor))
    calls: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, calls), daemon=True).start()
    run = {"script": script, "mlflow": mlflow_model}[kind](path)

    def work() -> None:
        while True:
            number, body = calls.get()
            try:
                status, content_type, answer = run(body)
            except Exception as error:
                traceback.print_exc()
                status, content_type = 500, _JSON
                answer = json.dumps(f"{type(error).__name__}: {error}").encode()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            channel.send({"kind": "answer", "id": number, "status": status, "type": content_type}, answer)

    for _ in range(threads - 1):
        threading.Thread(target=work, daemon=True).start()
    channel.send({"kind": "ready"})
    work()


def _listen(channel: Channel, calls: queue.SimpleQueue[tuple[int, bytes]]) -> None:
    while (frame := channel.receive()) is not None:
        head, body = frame
        if head["kind"] == "call":
            calls.put((head["id"], body))
        else:
            channel.send({"kind": "pong"})
    # The whole group: what the user's code started ends with it.
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    # The first place for modules is this file's folder, which is the server's.
    del sys.path[0]
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
