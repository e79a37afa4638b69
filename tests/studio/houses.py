"""The example of these tests: what a house costs by its surface, as small as a retraining example can be."""

from __future__ import annotations

from typing import Any

RESOURCE = "House price [trained model]"

TRAINING: dict[str, Any] = {
    "name": "houses-training",
    "description": "What a house costs.",
    "nodes": {
        "houses": {"input": "input1"},
        "learner": {"module": "Linear Regression"},
        "train": {"module": "Train Model", "parameters": {"Label column": ["price"]}},
        "score": {"module": "Score Model"},
        "evaluate": {"module": "Evaluate Model"},
        "model": {"output": "output1"},
        "evaluation": {"output": "output2"},
    },
    "edges": [
        {"from": "learner", "to": "train.Untrained model"},
        {"from": "houses", "to": "train.Dataset"},
        {"from": "train.Trained model", "to": "score.Trained model"},
        {"from": "houses", "to": "score.Dataset"},
        {"from": "score.Scored dataset", "to": "evaluate.Scored dataset"},
        {"from": "train.Trained model", "to": "model"},
        {"from": "evaluate.Evaluation results", "to": "evaluation"},
    ],
    "parameters": {
        "Ridge": {
            "type": "Float",
            "default": "0.001",
            "links": [{"node": "learner", "parameter": "L2 regularization weight"}],
        }
    },
}

PREDICTIVE: dict[str, Any] = {
    "name": "houses-predictive",
    "description": "What a house costs, <says> the model.",
    "nodes": {
        "houses": {"input": "input1"},
        "model": {"trainedModel": RESOURCE},
        "score": {"module": "Score Model"},
        "scored": {"output": "output1"},
    },
    "edges": [
        {"from": "houses", "to": "score.Dataset"},
        {"from": "model", "to": "score.Trained model"},
        {"from": "score.Scored dataset", "to": "scored"},
    ],
}


def slow_training() -> dict[str, Any]:
    """A training graph that keeps a worker busy until it is killed; one parameter has no default."""
    return {
        "name": "slow-training",
        "nodes": {
            "houses": {"input": "input1"},
            "learner": {
                "module": "Boosted Decision Tree Regression",
                "parameters": {"Minimum number of samples per leaf node": 1},
            },
            "train": {"module": "Train Model", "parameters": {"Label column": ["price"]}},
            "model": {"output": "output1"},
        },
        "edges": [
            {"from": "learner", "to": "train.Untrained model"},
            {"from": "houses", "to": "train.Dataset"},
            {"from": "train.Trained model", "to": "model"},
        ],
        "parameters": {
            "Trees": {
                "type": "Int",
                "links": [{"node": "learner", "parameter": "Number of trees constructed"}],
            }
        },
    }


def houses(factor: float = 1.0, rows: int = 200) -> bytes:
    """Surfaces and prices: a thousand times `factor` each unit of surface."""
    lines = [f"{surface},{surface * 1000 * factor + 750}" for surface in range(10, 10 + rows)]
    return ("surface,price\r\n" + "\r\n".join(lines) + "\r\n").encode()
