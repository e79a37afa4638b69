from graph.learning.linear import Network, network_parameters
from graph.spec import Parameter


class NeuralNetworkRegression(Network):
    """A neural network for a numeric label."""

    name = "Neural Network Regression"
    parameters = network_parameters(
        Parameter("Learning rate", "Float", 0.005, above=0, maximum=0.01, sweep=(0.001, 0.01))
    )
