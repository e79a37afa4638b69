"""Other people's Python, run apart: a process of its own without secrets, network, other processes or our files.

run(call)        what a function comes to: a number, a table, or why it comes to nothing
confinement()    what this machine cannot keep such a process from, in words; empty where it can all
"""

from sandbox.machine import confinement
from sandbox.process import Answer, Call, run

__all__ = ["Answer", "Call", "confinement", "run"]
