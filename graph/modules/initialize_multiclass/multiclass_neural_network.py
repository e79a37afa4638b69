from graph.learning.linear import Network, network_parameters
from graph.spec import Parameter


class MulticlassNeuralNetwork(Network):
    """A neural network for a label with several classes."""

    name = "Multiclass Neural Network"
    rate = "The learning rate"
    parameters = network_parameters(
        Parameter("The learning rate", "Float", 0.1, above=0, maximum=1, sweep=(0.01, 0.1, 0.4))
    )
