"""Decisions that people take about a stack's models: approve one that waits, pin one, follow the data again.

Each is found first, as an `Act` that says in words what it would do, and then carried out.
"""

from cli.approving.approval import Waiting, approval, waiting
from cli.approving.keys import SHORTEST
from cli.approving.pinning import pin, unpin
from cli.approving.settings import Act, Setting

__all__ = ["SHORTEST", "Act", "Setting", "Waiting", "approval", "pin", "unpin", "waiting"]
