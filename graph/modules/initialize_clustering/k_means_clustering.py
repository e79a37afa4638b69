from collections.abc import Collection
from typing import Any, Self

from graph.learning.linear import completed
from graph.learning.untrained import Fitted, Learner
from graph.libraries import learner, np
from graph.models.answers import DISTANCES
from graph.spec import Parameter, Parameters, choice


class KMeansClustering(Learner):
    """K-means, with Euclidean distances, or with cosines between rows that are brought to length one.

    Columns count as they are: normalise them before where their units differ. A missing value stands for the mean.
    """

    name = "K-Means Clustering"
    parameters = (
        Parameter("Number of Centroids", "Int", 2, minimum=2, maximum=10_000),
        choice("Metric", "Euclidean", "Cosine"),
        choice("Initialization", "K-Means++", "Random"),
        Parameter("Iterations", "Int", 100, minimum=1),
        Parameter("Random number seed", "Int", 0, minimum=0, maximum=2**31 - 1),
    )

    def least_rows(self, connected: Collection[str], parameters: Parameters) -> int:
        return int(parameters["Number of Centroids"])

    def estimator(self, parameters: Parameters) -> Any:
        return _Clusters(parameters)

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models.arrays import write

        arrays = {
            "missing": fitted.mean,
            "centres": fitted.centres,
            "cosine": np.array([fitted.cosine], np.uint8),
        }
        return Fitted(
            write(arrays), "centroids", tuple(f"{DISTANCES}{at}" for at in range(len(fitted.centres)))
        )


class _Clusters:
    def __init__(self, parameters: Parameters) -> None:
        self.parameters, self.cosine = parameters, parameters["Metric"] == "Cosine"

    def fit(self, matrix: Any, _target: Any) -> Self:
        from graph.models.forms.centroids import on_sphere

        given = self.parameters
        self.mean, values = completed(matrix)
        model = learner("cluster.KMeans")(
            n_clusters=given["Number of Centroids"],
            init="k-means++" if given["Initialization"] == "K-Means++" else "random",
            n_init=1,
            max_iter=given["Iterations"],
            random_state=given["Random number seed"],
            algorithm="lloyd",
        ).fit(on_sphere(values) if self.cosine else values)
        self.centres = model.cluster_centers_
        return self
