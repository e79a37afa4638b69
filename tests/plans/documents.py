"""Documents as engines tell of a preview: steps of our resources, written by hand."""

from __future__ import annotations

from typing import Any

KEY, NEXT = "60f0729650ae" + "0" * 52, "076998486e18" + "1" * 52
OURS = "pulumi-python:dynamic/retrain:"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def address(key: str) -> str:
    """A model's path in the registry."""
    return f"models/flights/{key}/1.ilearner"


def step(
    op: str, kind: str, name: str, old: dict[str, Any] | None, new: dict[str, Any] | None
) -> dict[str, Any]:
    """A step as `preview --json` has it."""
    type_ = kind if ":" in kind else OURS + kind

    def state(inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        return (
            None
            if inputs is None
            else {"type": type_, "custom": True, "inputs": inputs, "outputs": dict(inputs)}
        )

    urn = f"urn:pulumi:dev::retraining::{type_}::{name}"
    return {"op": op, "outcome": op, "urn": urn, "oldState": state(old), "newState": state(new)}


def data(version: str, digest: str) -> dict[str, Any]:
    """A data version's properties."""
    return {
        "path": "flights/{version}.csv",
        "version": version,
        "digest": f"2-{digest * 64}"[:66],
        "bytes": 2_500_000,
        "blobs": [f"flights/{version}.csv"],
    }


def model(key: str, version: str, digest: str, **more: Any) -> dict[str, Any]:
    """A trained model's properties."""
    return {
        "experiment": {"name": "flights", "digest": "d" * 64},
        "data": {"version": version, "digest": f"2-{digest * 64}"[:66], "blobs": [f"flights/{version}.csv"]},
        "runKey": key,
        "address": address(key),
        "parameters": {},
        "why": "NEW",
        "plan": f"train run {key[:12]}, about 12 s",
    } | more


def gate(key: str, version: str, verdict: str, **more: Any) -> dict[str, Any]:
    """A promotion's properties."""
    return {
        "endpointName": "retrained",
        "candidate": {"runKey": key, "dataVersion": version, "metrics": UNKNOWN},
        "gate": {"rules": ["auc >= 0.65"], "minimumRows": 100, "onRejected": "fail", "approval": False},
        "verdict": verdict,
    } | more


def binding(key: str, **more: Any) -> dict[str, Any]:
    """A binding's properties."""
    return {
        "endpointName": "retrained",
        "address": address(key),
        "rings": [{"name": "retrained", "endpoints": ["retrained"], "bake": "0"}],
        "steps": [100],
        "stagingEndpoint": "staging",
        "probe": {"rows": 50},
    } | more


def retraining() -> dict[str, Any]:
    """A new data version: one model is trained, judged and bound; one resource stays, one is deleted."""
    before = {"runKey": KEY, "dataVersion": "2013-01", "metrics": {"auc": 0.778465}}
    why = "DATA 2013-01 (aaaaaaaa) → 2013-02 (bbbbbbbb)"
    return {
        "steps": [
            step("update", "DataVersion", "candidate-data", data("2013-01", "a"), data("2013-02", "b")),
            step(
                "update",
                "TrainedModel",
                "candidate",
                model(KEY, "2013-01", "a"),
                model(NEXT, "2013-02", "b", why=why),
            ),
            step(
                "update",
                "Promotion",
                "endpoint-promotion",
                gate(KEY, "2013-01", "passed") | {"candidate": before},
                gate(NEXT, "2013-02", "pending", champion={"runKey": KEY, "address": address(KEY)}),
            ),
            step("update", "ModelBinding", "endpoint-binding", binding(KEY), binding(NEXT, sha256=UNKNOWN)),
            step("same", "StudioEndpoint", "endpoint", {"name": "retrained"}, {"name": "retrained"}),
            step("delete", "azure-native:storage:StorageAccount", "old-storage", {"name": "old"}, None),
        ]
    }
