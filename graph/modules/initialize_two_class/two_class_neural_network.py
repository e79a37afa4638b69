from graph.learning.linear import Network, network_parameters


class TwoClassNeuralNetwork(Network):
    """A neural network for a label with two classes."""

    name = "Two-Class Neural Network"
    parameters = network_parameters()
