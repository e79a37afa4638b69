"""Kind azureml in trouble: histories (``./dev chaos --kind azureml``), and rollouts beside a client that scores all the time
(``./dev chaos --rollouts``).
"""

from tests.chaos.azureml.drawn import history
from tests.chaos.azureml.histories import play
from tests.chaos.azureml.player import LOST
from tests.chaos.campaign import Mode

AZUREML = Mode(
    {
        "duplicate": "duplicates",
        "orphan": "orphans",
        "wrong binding": "wrong bindings",
        LOST: "lost traffic",
        "no convergence": "updates that did not converge",
        "secret": "secrets found",
        "outlived": "providers that outlived their engine",
        "harness": "defects of the campaign",
    },
    4,
    history,
    play,
    " --kind azureml",
)
