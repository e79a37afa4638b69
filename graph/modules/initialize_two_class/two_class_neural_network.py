from __future__ import annotations

from graph.data.datasets import TASK_BINARY
from graph.learning.linear import Network, network_parameters


class TwoClassNeuralNetwork(Network):
    """A neural network for a label with two classes."""

    name = "Two-Class Neural Network"
    task = TASK_BINARY
    classes = 2
    parameters = network_parameters()
